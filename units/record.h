/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain structs as words, by table.
 *
 * A struct that goes to another program (units/spec.h, units/netspec.h) is described by one row for each
 * field: a key, a kind, where it lies. Encoding writes a record for each field that is set: the key,
 * then as many words as the kind says. Decoding is the inverse, refuses unknown keys and missing words,
 * and frees all it made when it fails. Both programs are built from one tree, so there is no
 * versioning: an unknown key is a bug and is told as such.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

struct strlist {
	char **items; /* n strings, owned; items[n] is NULL where there is any */
	size_t n;
};

/* Appends a copy. 0 or -ENOMEM. */
int strlist_add(struct strlist *list, const char *s);
void strlist_done(struct strlist *list);

enum record_kind {
	RECORD_END = 0,
	RECORD_STR,  /* char *: one word; NULL = not written */
	RECORD_BOOL, /* bool: no word; false = not written */
	RECORD_INT,  /* int64_t: one word; 0 = not written */
	RECORD_LIST, /* struct strlist: a record of one word for each item */
	RECORD_TUPLES, /* array of a struct of char * only + size_t count: a record for each element */
};

struct record_row {
	const char *key;
	enum record_kind kind;
	size_t offset;
	size_t count_offset; /* TUPLES: of the size_t */
	size_t width;        /* TUPLES: how many char * an element has; a NULL one travels as "" */
};

#define RECORD_ROW_STR(type, k, field)                     \
	{                                                  \
		k, RECORD_STR, offsetof(type, field), 0, 1 \
	}
#define RECORD_ROW_BOOL(type, k, field)                     \
	{                                                   \
		k, RECORD_BOOL, offsetof(type, field), 0, 0 \
	}
#define RECORD_ROW_INT(type, k, field)                     \
	{                                                  \
		k, RECORD_INT, offsetof(type, field), 0, 1 \
	}
#define RECORD_ROW_LIST(type, k, field)                     \
	{                                                   \
		k, RECORD_LIST, offsetof(type, field), 0, 1 \
	}
#define RECORD_ROW_TUPLES(type, k, field, n_field)                                \
	{                                                                         \
		k, RECORD_TUPLES, offsetof(type, field), offsetof(type, n_field), \
			sizeof(*((type *)0)->field) / sizeof(char *)              \
	}

/* Appends object's fields to b as words. b says itself whether memory ran out. */
void record_encode(const struct record_row *rows, const void *object, struct buf *b);

/* Fills a zeroed object from words. On failure the object is empty again. */
int record_decode(const struct record_row *rows, void *object, const char *data, size_t len,
		  struct fail *f);

/* Frees every field and zeroes it. */
void record_done(const struct record_row *rows, void *object);

/* Appends one zeroed element to a TUPLES field: returns its char * cells, which the caller fills with
 * strings it gives away, or NULL. */
char **record_append(void **items, size_t *n, size_t width);

/* The same, filled with copies of words. -ENOMEM: there may be an element that is not whole; record_done() frees it. */
int record_append_words(void **items, size_t *n, const char *const *words, size_t width);
