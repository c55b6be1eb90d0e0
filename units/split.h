/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting a value into words, as systemd and Quadlet do.
 *
 * Words are separated by blanks. "..." and '...' may start anywhere in a word and go away; a quote
 * that is not closed goes to the end of the value and is noted. With SPLIT_ESCAPES both inside and
 * outside of quotes \a \b \f \n \r \t \v \\ \" \' \s (a blank) \xHH \ooo \uHHHH \UHHHHHHHH mean a
 * character, and any other escape (and a NUL) is noted as bad; with SPLIT_LITERAL too, the word with
 * the bad escape is kept as it is written. Without SPLIT_ESCAPES a backslash is an ordinary character.
 * An empty pair of quotes is an empty word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum split_flags {
	SPLIT_ESCAPES = 1 << 0,
	SPLIT_LITERAL = 1 << 1,
};

struct word {
	const char *text;  /* without quotes and escapes */
	size_t start, end; /* bytes of the value that it was */
};

#define SPLIT_NONE ((size_t)-1)

struct words {
	struct word *items;
	size_t n;
	size_t open_quote; /* offset of the quote that is not closed, or SPLIT_NONE */
	size_t bad_escape; /* offset of the first backslash of a bad escape, or SPLIT_NONE */
};

/* 0, or -ENOMEM. A bad escape is not a failure here: the caller judges. */
int split_words(struct arena *arena, const char *value, enum split_flags flags, struct words *ret);
