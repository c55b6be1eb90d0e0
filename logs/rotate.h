/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of a unit's output is kept. Pure.
 *
 * A unit's folder holds `current` and older files `<number>.log`, ten digits, rising for ever. Numbers and
 * not times, so that a clock that is set back can neither wedge rotation nor lose a file. A unit takes at
 * most size * files bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define ROTATE_CURRENT  "current"
#define ROTATE_NAME_MAX 32

struct rotate_options {
	uint64_t size;  /* bytes in one file: size=64K..1G */
	uint64_t files; /* how many, `current` counts: files=1..1000 */
	uint64_t rate;  /* bytes a second for long; more is dropped; rate=0 = as much as comes */
};

/* 1 MiB in 5 files at 4 MiB a second. */
extern const struct rotate_options rotate_defaults;

/* One option word, "size=2M". Units K, M, G are powers of 1024. -EINVAL with a text. */
int rotate_option(struct rotate_options *o, const char *word, struct fail *f);

/* Whether `add` bytes more must go into a new file. */
bool rotate_due(const struct rotate_options *o, uint64_t size, size_t add);

void rotate_name(char ret[ROTATE_NAME_MAX], uint64_t number);

/* The number of a file called so; 0 if it is not one of ours. Numbers begin with 1. */
uint64_t rotate_number(const char *name);

/* Sorts numbers and says how many of them, from the first, must go for `keep` to be left. */
size_t rotate_surplus(uint64_t *numbers, size_t n, uint64_t keep);

/*
 * What a unit may write for long. The bucket holds two seconds' worth; once it is empty output is dropped until
 * it is half full again, so that a flood costs two markers a second and not one each 64 KiB.
 */
struct rotate_budget {
	uint64_t tokens; /* bytes */
	int64_t at;      /* when they were counted, ns of a clock that is never set */
	bool dropping;
	bool started;
};

/* Whether what comes now is to be dropped. */
bool rotate_dropping(struct rotate_budget *b, uint64_t rate, int64_t now);

/* Accounts for n bytes written. */
void rotate_spend(struct rotate_budget *b, uint64_t n);
