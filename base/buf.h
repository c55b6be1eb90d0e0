/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string that remembers whether memory ran out.
 *
 * Appending never fails visibly: after the first failed allocation the buffer is `bad`, keeps what it
 * had and ignores the rest, so that a writer of many pieces checks once, at the end. `data` is always
 * NUL-terminated when it is not NULL. The buffer owns `data`; buf_take() hands it over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until something was appended */
	size_t len; /* bytes in use, without the terminating NUL */
	size_t cap;
	bool bad; /* an allocation failed: the content is not complete */
};

void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* empties it, keeps the memory */

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_chr(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The content as a string that the caller frees ("" when empty); NULL if it is bad. b is empty then. */
char *buf_take(struct buf *b);

#define _buf_ __attribute__((cleanup(buf_done)))
