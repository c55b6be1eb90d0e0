/* SPDX-License-Identifier: Apache-2.0 */
/* Guessing what somebody meant by a word that is not there. Pure. */
#pragma once

#include <stddef.h>

#include "units/keys.h"

/* Edits (insert, delete, replace, swap neighbours) between two words, letters of both cases being the
 * same; at most max + 1. */
unsigned suggest_edits(const char *a, const char *b, unsigned max);

/* Writes a hint for an unknown key into out: the nearest key of the section, a word of Compose translated,
 * or the section where the key belongs. Returns how sure it is: the distance, or 9 for no idea. */
unsigned suggest_key(enum key_section section, const char *name, char *out, size_t size);

/* The known section nearest to an unknown one, at most two edits away; NULL if none. */
const char *suggest_section(const char *name);
