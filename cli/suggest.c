/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 32

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return la > lb ? la : lb;
	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t k = 0; k <= lb; k++)
		d[0][k] = k;
	for (size_t i = 1; i <= la; i++)
		for (size_t k = 1; k <= lb; k++) {
			size_t replaced = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);

			d[i][k] = min(min(d[i - 1][k], d[i][k - 1]) + 1, replaced);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				d[i][k] = min(d[i][k], d[i - 2][k - 2] + 1);
		}
	return d[la][lb];
}

size_t suggest_limit(const char *word)
{
	size_t third = strlen(word) / 3;

	return third < 1 ? 1 : min(third, 3);
}
