/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: many small allocations that live and die together.
 *
 * What comes out is zeroed and stays where it is until arena_free(). The arena remembers a failed
 * allocation: a block or an array is NULL then, a string is "", so that whoever builds something large
 * out of texts asks arena_bad() once, at the end, instead of unwinding from everywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);                 /* NULL: out of memory */
struct arena *arena_free(struct arena *arena); /* NULL is allowed; returns NULL */
bool arena_bad(const struct arena *arena);
void arena_set_bad(struct arena *arena); /* memory for it ran out elsewhere, in a buf */
void arena_reset(
	struct arena *arena); /* all it gave out is gone; keeps one block for what comes next */

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned to 8 bytes */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_fmt(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for one more element behind the n of `items`: an array made by this function alone, whose
 * size doubles at powers of two. Returns the array (moved or not), or NULL; n is the caller's. */
void *arena_grow(struct arena *arena, void *items, size_t n, size_t size);

/* Appends to an array in an arena: `p = ARENA_PUSH(a, list->items, list->n)` is the new zeroed element,
 * or NULL. */
#define ARENA_PUSH(arena, items, n)                                                             \
	({                                                                                      \
		__typeof__(items) grown_ = arena_grow((arena), (items), (n), sizeof(*(items))); \
		if (grown_)                                                                     \
			(items) = grown_;                                                       \
		grown_ ? &(items)[(n)++] : NULL;                                                \
	})
