/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST (4u << 10) /* blocks double from here on: a small arena costs little */
#define BLOCK_LAST  (64u << 10)
#define ALIGN       8 /* pointers and int64_t; nothing here holds more */

struct block {
	struct block *next;
	size_t used, size; /* bytes behind the header */
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct block *blocks; /* the first one is filled */
	size_t block_size;    /* of the next one */
	bool bad;
};

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->block_size = BLOCK_FIRST;
	return arena;
}

struct arena *arena_free(struct arena *arena)
{
	struct block *next;

	if (!arena)
		return NULL;
	for (struct block *b = arena->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
	return NULL;
}

void arena_reset(struct arena *arena)
{
	struct block *first = arena->blocks, *next;

	if (!first)
		return;
	for (struct block *b = first->next; b; b = next) {
		next = b->next;
		free(b);
	}
	first->next = NULL;
	memset(first->data, 0, first->used);
	first->used = 0;
}

void arena_set_bad(struct arena *arena)
{
	arena->bad = true;
}

bool arena_bad(const struct arena *arena)
{
	return arena->bad;
}

/* A block for at least `size` bytes. One that is mostly filled by a single large piece goes behind the
 * first, so that the first one's rest is not lost. */
static struct block *add_block(struct arena *arena, size_t size)
{
	bool large = size > arena->block_size / 4;
	size_t room = large ? size : arena->block_size;
	struct block *b = room > SIZE_MAX / 2 ? NULL : calloc(1, sizeof(*b) + room);

	if (!b) {
		arena->bad = true;
		return NULL;
	}
	b->size = room;
	if (arena->block_size < BLOCK_LAST)
		arena->block_size *= 2;
	if (large && arena->blocks) {
		b->next = arena->blocks->next;
		arena->blocks->next = b;
	} else {
		b->next = arena->blocks;
		arena->blocks = b;
	}
	return b;
}

static void *alloc_aligned(struct arena *arena, size_t size, size_t align)
{
	struct block *b = arena->blocks;
	size_t at = b ? (b->used + align - 1) / align * align : 0;

	if (!b || at > b->size || size > b->size - at) {
		b = add_block(arena, size);
		if (!b)
			return NULL;
		at = 0;
	}
	b->used = at + size;
	return b->data + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return alloc_aligned(arena, size, ALIGN);
}

/* What a string is that could not be had. Nobody writes into it: there is no room. */
static char no_text[1];

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = alloc_aligned(arena, len + 1, 1);

	if (!copy)
		return no_text;
	if (len)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_fmt(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = len < 0 ? NULL : alloc_aligned(arena, (size_t)len + 1, 1);
	if (!text)
		return no_text;
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *items, size_t n, size_t size)
{
	struct block *b = arena->blocks;
	void *grown;

	if (n && (n & (n - 1)))
		return items; /* between powers of two there is room */
	if (n > SIZE_MAX / 2 / size) {
		arena->bad = true;
		return NULL;
	}
	/* Nothing was given out behind it: it grows where it is. */
	if (n && (char *)items + n * size == b->data + b->used && n * size <= b->size - b->used) {
		b->used += n * size;
		return items;
	}
	grown = arena_alloc(arena, (n ? 2 * n : 1) * size);
	if (grown && n)
		memcpy(grown, items, n * size);
	return grown;
}
