/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words: a byte string in which every word ends with NUL. It is how orlop's programs hand lists to one
 * another (control requests, container and network specs): nothing to quote, nothing to escape, one
 * rule to check. A string whose last byte is not NUL is malformed, and the readers say so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct words_iter {
	const char *data; /* borrowed */
	size_t len;
	size_t at;
};

/* Appends one word with its NUL. */
void words_add(struct buf *b, const char *word);

/* Whether data is words: empty, or ending in NUL. */
bool words_valid(const char *data, size_t len);

void words_iter_init(struct words_iter *it, const char *data, size_t len);

/* The next word, borrowed from the data; NULL at the end, or where the last NUL is missing. */
const char *words_next(struct words_iter *it);

/* How many words; data must be valid. */
size_t words_count(const char *data, size_t len);
