/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verb's arguments, read by its row of the verb table. Options may stand anywhere, `--` ends them;
 * -n5, -n 5, --lines=5 and --lines 5 are the same, short switches may be joined (-fn5). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "cli/verbs.h"

#define ARGS_OPTIONS_MAX 64
#define ARGS_GIVEN_MAX   256

struct args {
	const struct verb *verb;
	const char
		*value[ARGS_OPTIONS_MAX]; /* as the rows stand; NULL = not given; "" for a switch */
	/* all of them as they were given, for those that may be repeated */
	struct {
		int option;
		const char *value;
	} given[ARGS_GIVEN_MAX];
	int n_given;
	int n_words;
	char **words; /* n_words, then NULL; borrowed from argv, which is reordered */
};

/* Fills a. argv[0] is the verb's name. Names of options that do not exist, missing and superfluous
 * values and a wrong number of words are -EINVAL with a text for the user. */
int args_parse(const struct verb *verb, int argc, char **argv, struct args *a, struct fail *f);

/* The value of the option called so (long name), NULL if it was not given. */
const char *args_value(const struct args *a, const char *name);
/* The next value of an option that may be given more than once: *at begins as 0. NULL: there is no more. */
const char *args_next(const struct args *a, const char *name, int *at);
bool args_has(const struct args *a, const char *name);

/* A whole number from min to max, or -EINVAL with a text that names `what`. */
int args_number(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
		struct fail *f);
