/* SPDX-License-Identifier: Apache-2.0 */
/* Building specs: copies that remember the first failed allocation. Private to units/. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "units/unit.h"

struct out {
	bool bad; /* memory ran out somewhere */
};

static inline char *copy(struct out *o, const char *s)
{
	char *c = s ? strdup(s) : NULL;

	o->bad |= s && !c;
	return c;
}

/* The same for fields in which "" is "not said". */
static inline char *copy_or_empty(struct out *o, const char *s)
{
	return copy(o, s ? s : "");
}

/* The content of b, which is empty afterwards. */
static inline char *take(struct out *o, struct buf *b)
{
	char *s = buf_take(b);

	o->bad |= !s;
	return s;
}

static inline void add_comma(struct buf *b, const char *s)
{
	if (b->len)
		buf_chr(b, ',');
	buf_str(b, s);
}

/* One more zeroed element of a spec's array, or NULL. */
#define APPEND(o, items, n)                                                       \
	({                                                                        \
		char **cells_ = record_append((void **)&(items), &(n),            \
					      sizeof(*(items)) / sizeof(char *)); \
		(o)->bad |= !cells_;                                              \
		cells_ ? &(items)[(n)-1] : NULL;                                  \
	})
