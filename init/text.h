/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that is cut where the room ends, always NUL-terminated. */
#pragma once

#include <string.h>

static inline void text_cut(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}
