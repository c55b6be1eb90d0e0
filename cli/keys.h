/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `orlop help` says about the keys of unit files, all of it out of the key table
 * (units/keys.h): one key, all keys, the manual page orlop.unit(5), shell completion.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "units/keys.h"

/* Explains every key of that name, upper and lower case being the same; also "Container.Image". false:
 * there is none, and the nearest ones have been named on stderr. */
bool keys_explain(FILE *out, const char *name);

/* All keys, or those of one section; false: there is no such section. */
bool keys_list(FILE *out, const char *section);

/* The manual page, mdoc. */
void keys_manual(FILE *out);

/* What may be written for a key, as a phrase: "true or false", "a number from 0 to 5". */
void keys_values(const struct key *k, char *out, size_t size);

/* A completion script for bash: verbs, sections and keys. */
void keys_completion(FILE *out);
