/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "logs/rotate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NS     1000000000LL
#define DIGITS 10

const struct rotate_options rotate_defaults = {.size = 1u << 20, .files = 5, .rate = 4u << 20};

static const struct option {
	const char *key;
	size_t offset;
	uint64_t min, max;
} options[] = {
	{"size", offsetof(struct rotate_options, size), 64u << 10, 1u << 30},
	{"files", offsetof(struct rotate_options, files), 1, 1000},
	{"rate", offsetof(struct rotate_options, rate), 0, 1ull << 40},
};

static bool parse_number(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long n;
	const char *unit;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (n > UINT64_MAX >> shift)
			return false;
		n <<= shift;
		end++;
	}
	*ret = n;
	return !*end;
}

int rotate_option(struct rotate_options *o, const char *word, struct fail *f)
{
	size_t len = strcspn(word, "=");
	uint64_t value;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *row = &options[i];

		if (strlen(row->key) != len || strncmp(row->key, word, len) != 0)
			continue;
		if (!word[len] || !parse_number(word + len + 1, &value) || value < row->min ||
		    value > row->max)
			return fail_set(f, 0, "\"%s\" is not from %" PRIu64 " to %" PRIu64, word,
					row->min, row->max);
		*(uint64_t *)((char *)o + row->offset) = value;
		return 0;
	}
	return fail_set(f, 0, "there is no option \"%s\"", word);
}

bool rotate_due(const struct rotate_options *o, uint64_t size, size_t add)
{
	return size > 0 && size + add > o->size;
}

void rotate_name(char ret[ROTATE_NAME_MAX], uint64_t number)
{
	snprintf(ret, ROTATE_NAME_MAX, "%0*" PRIu64 ".log", DIGITS, number);
}

uint64_t rotate_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits == DIGITS && !strcmp(name + DIGITS, ".log") ? strtoull(name, NULL, 10) : 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

size_t rotate_surplus(uint64_t *numbers, size_t n, uint64_t keep)
{
	if (n)
		qsort(numbers, n, sizeof(*numbers), compare);
	return n > keep ? n - (size_t)keep : 0;
}

bool rotate_dropping(struct rotate_budget *b, uint64_t rate, int64_t now)
{
	uint64_t full = 2 * rate;
	int64_t passed = now - b->at;

	if (!rate)
		return false;
	if (!b->started || passed >= 2 * NS)
		b->tokens = full;
	else if (passed > 0)
		b->tokens += (uint64_t)((double)passed / NS * (double)rate);
	if (b->tokens > full)
		b->tokens = full;
	b->at = now;
	b->started = true;
	if (b->tokens >= full / 2)
		b->dropping = false;
	return b->dropping;
}

void rotate_spend(struct rotate_budget *b, uint64_t n)
{
	if (n < b->tokens) {
		b->tokens -= n;
		return;
	}
	b->tokens = 0;
	b->dropping = true;
}
