/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few names of units, each once: which are disabled, which a command made, which were taken out of force. Few, so
 * they are looked through.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct names {
	char **items; /* owned; ended by NULL, or NULL while there is none */
	size_t n;
};

bool names_has(const struct names *names, const char *name);

/* 0, also if it is there already, or -ENOMEM. */
int names_add(struct names *names, const char *name);

void names_remove(struct names *names, const char *name);
void names_clear(struct names *names);
