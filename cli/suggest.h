/* SPDX-License-Identifier: Apache-2.0 */
/* How far a misspelled word is from one that exists. Pure. */
#pragma once

#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (each letter is
 * swapped at most once). Words longer than 32 bytes are as far away as they are long. */
size_t suggest_distance(const char *a, const char *b);

/* The greatest distance at which a suggestion for this word still helps: a third of its length, 1 to 3. */
size_t suggest_limit(const char *word);
