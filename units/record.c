/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"

int strlist_add(struct strlist *list, const char *s)
{
	char **items = realloc(list->items, (list->n + 2) * sizeof(*items));
	char *copy;

	if (!items)
		return -ENOMEM;
	list->items = items;
	copy = strdup(s);
	if (copy)
		items[list->n++] = copy;
	items[list->n] = NULL;
	return copy ? 0 : -ENOMEM;
}

void strlist_done(struct strlist *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strlist){0};
}

char **record_append(void **items, size_t *n, size_t width)
{
	char **cells = realloc(*items, (*n + 1) * width * sizeof(*cells));

	if (!cells)
		return NULL;
	*items = cells;
	cells += *n * width;
	memset(cells, 0, width * sizeof(*cells));
	(*n)++;
	return cells;
}

int record_append_words(void **items, size_t *n, const char *const *words, size_t width)
{
	char **cells = record_append(items, n, width);

	if (!cells)
		return -ENOMEM;
	for (size_t i = 0; i < width; i++)
		if (!(cells[i] = strdup(words[i])))
			return -ENOMEM;
	return 0;
}

static void *at(const void *object, size_t offset)
{
	return (char *)object + offset;
}

static void add_int(struct buf *b, const char *key, int64_t value)
{
	char word[24];

	words_add(b, key);
	snprintf(word, sizeof(word), "%" PRId64, value);
	words_add(b, word);
}

static void encode_row(const struct record_row *row, const void *object, struct buf *b)
{
	const void *field = at(object, row->offset);
	const struct strlist *list = field;
	char **cells;
	size_t n;

	switch (row->kind) {
	case RECORD_END: break;
	case RECORD_STR:
		if (!*(char *const *)field)
			break;
		words_add(b, row->key);
		words_add(b, *(char *const *)field);
		break;
	case RECORD_BOOL:
		if (*(const bool *)field)
			words_add(b, row->key);
		break;
	case RECORD_INT:
		if (*(const int64_t *)field)
			add_int(b, row->key, *(const int64_t *)field);
		break;
	case RECORD_LIST:
		for (size_t i = 0; i < list->n; i++) {
			words_add(b, row->key);
			words_add(b, list->items[i]);
		}
		break;
	case RECORD_TUPLES:
		cells = *(char **const *)field;
		n = *(const size_t *)at(object, row->count_offset);
		for (size_t i = 0; i < n; i++) {
			words_add(b, row->key);
			for (size_t k = 0; k < row->width; k++)
				words_add(b, cells[i * row->width + k] ? cells[i * row->width + k]
								       : "");
		}
		break;
	}
}

void record_encode(const struct record_row *rows, const void *object, struct buf *b)
{
	for (; rows->kind; rows++)
		encode_row(rows, object, b);
}

static int replace_str(char **field, const char *word)
{
	char *copy = strdup(word);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int decode_tuple(const struct record_row *row, void *object, const char *first,
			struct words_iter *it)
{
	char **cells = record_append(at(object, row->offset), at(object, row->count_offset),
				     row->width);
	const char *word = first;

	if (!cells)
		return -ENOMEM;
	for (size_t k = 0; k < row->width; k++) {
		if (k > 0)
			word = words_next(it);
		if (!word)
			return -EBADMSG;
		cells[k] = strdup(word);
		if (!cells[k])
			return -ENOMEM;
	}
	return 0;
}

static int decode_row(const struct record_row *row, void *object, struct words_iter *it)
{
	void *field = at(object, row->offset);
	const char *word = NULL;
	char *end;

	if (row->width) {
		word = words_next(it);
		if (!word)
			return -EBADMSG;
	}
	switch (row->kind) {
	case RECORD_END: break;
	case RECORD_STR: return replace_str(field, word);
	case RECORD_BOOL: *(bool *)field = true; return 0;
	case RECORD_INT:
		errno = 0;
		*(int64_t *)field = strtoll(word, &end, 10);
		return errno || end == word || *end ? -EBADMSG : 0;
	case RECORD_LIST: return strlist_add(field, word);
	case RECORD_TUPLES: return decode_tuple(row, object, word, it);
	}
	return -EBADMSG;
}

int record_decode(const struct record_row *rows, void *object, const char *data, size_t len,
		  struct fail *f)
{
	struct words_iter it;
	const char *key;
	int r = 0;

	if (!words_valid(data, len))
		return fail_set(f, EBADMSG, "spec does not end with NUL");
	words_iter_init(&it, data, len);
	while ((key = words_next(&it))) {
		const struct record_row *row = rows;

		while (row->kind && strcmp(row->key, key) != 0)
			row++;
		r = row->kind ? decode_row(row, object, &it) : -EBADMSG;
		if (r < 0)
			break;
	}
	if (r < 0) {
		record_done(rows, object);
		return fail_set(f, -r, "spec record \"%s\"", key);
	}
	return 0;
}

void record_done(const struct record_row *rows, void *object)
{
	for (; rows->kind; rows++) {
		void *field = at(object, rows->offset);
		size_t *n = rows->kind == RECORD_TUPLES ? at(object, rows->count_offset) : NULL;
		char **cells = n ? *(char ***)field : NULL;

		switch (rows->kind) {
		case RECORD_END: break;
		case RECORD_STR:
			free(*(char **)field);
			*(char **)field = NULL;
			break;
		case RECORD_BOOL: *(bool *)field = false; break;
		case RECORD_INT: *(int64_t *)field = 0; break;
		case RECORD_LIST: strlist_done(field); break;
		case RECORD_TUPLES:
			for (size_t i = 0; i < *n * rows->width; i++)
				free(cells[i]);
			free(cells);
			*(char ***)field = NULL;
			*n = 0;
			break;
		}
	}
}
