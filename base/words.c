/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/words.h"

#include <string.h>

void words_add(struct buf *b, const char *word)
{
	buf_add(b, word, strlen(word) + 1);
}

bool words_valid(const char *data, size_t len)
{
	return len == 0 || data[len - 1] == '\0';
}

void words_iter_init(struct words_iter *it, const char *data, size_t len)
{
	*it = (struct words_iter){.data = data, .len = len};
}

const char *words_next(struct words_iter *it)
{
	const char *word = it->data + it->at;
	const char *end;

	if (it->at >= it->len)
		return NULL;
	end = memchr(word, '\0', it->len - it->at);
	if (!end)
		return NULL;
	it->at = (size_t)(end - it->data) + 1;
	return word;
}

size_t words_count(const char *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += data[i] == '\0';
	return n;
}
