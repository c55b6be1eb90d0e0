/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader against a small independent one: whatever the bytes are, the entries that come out of
 * libinih must be the ones that the rules of lines give, with their values and places.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "units/ini.h"

#define CHECK(c)                                                        \
	do {                                                            \
		if (!(c)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #c); \
			abort();                                        \
		}                                                       \
	} while (0)

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool name_ok(const char *s, size_t n)
{
	if (n < 1 || n > 40 || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *s))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!s[i] ||
		    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
			    s[i]))
			return false;
	return true;
}

/* The reference: one pass, no libinih, no spans. Joined lines are given to `line`. */
struct reference {
	const struct ini_doc *doc;
	size_t entries, sections;
	char section[64];
	bool have_section;
};

static void take_line(struct reference *r, char *s, size_t n)
{
	char *eq;
	size_t k;

	if (n == 0 || n > LIMIT_UNIT_LINE)
		return;
	if (s[0] == '[') {
		char *end = memchr(s, ']', n);

		r->have_section = false;
		if (!end || !name_ok(s + 1, (size_t)(end - s) - 1))
			return;
		memcpy(r->section, s + 1, (size_t)(end - s) - 1);
		r->section[end - s - 1] = '\0';
		r->have_section = true;
		CHECK(r->sections < r->doc->n_sections);
		CHECK(strcmp(r->doc->sections[r->sections++].name, r->section) == 0);
		return;
	}
	eq = memchr(s, '=', n);
	if (!eq)
		return;
	for (k = (size_t)(eq - s); k && blank(s[k - 1]); k--)
		;
	if (!name_ok(s, k) || !r->have_section)
		return;
	for (eq++; eq < s + n && blank(*eq); eq++)
		;
	if (r->entries == LIMIT_UNIT_KEYS)
		return;
	CHECK(r->entries < r->doc->n_entries);
	{
		const struct ini_entry *e = &r->doc->entries[r->entries++];

		CHECK(strlen(e->key) == k && memcmp(e->key, s, k) == 0);
		CHECK(strcmp(e->section, r->section) == 0);
		CHECK(e->len == (size_t)(s + n - eq));
		CHECK(memcmp(e->value, eq, e->len) == 0);
	}
}

static void check_reference(const struct ini_doc *doc, const char *data, size_t size)
{
	struct reference r = {.doc = doc};
	char *line = malloc(size + 1);
	size_t n = 0;
	bool joining = false;

	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		size -= 3;
	}
	for (size_t at = 0; at < size && r.entries < LIMIT_UNIT_KEYS;) {
		const char *s = data + at, *nl = memchr(s, '\n', size - at),
			   *e = nl ? nl : data + size;

		at = (size_t)(e - data) + 1;
		while (s < e && blank(*s))
			s++;
		while (e > s && blank(e[-1]))
			e--;
		if (s == e || *s == '#' || *s == ';')
			continue;
		joining = e[-1] == '\\';
		memcpy(line + n, s, (size_t)(e - s) - joining);
		n += (size_t)(e - s) - joining;
		if (joining)
			continue;
		take_line(&r, line, n);
		n = 0;
	}
	if (n)
		take_line(&r, line, n);
	CHECK(r.entries == doc->n_entries);
	if (r.entries < LIMIT_UNIT_KEYS)
		CHECK(r.sections == doc->n_sections);
	free(line);
}

/* Every byte of a value stands where its place says. */
static void check_places(const struct ini_doc *doc, const char *data, size_t size)
{
	size_t bom = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	for (size_t i = 0; i < doc->n_entries && i < 50; i++)
		for (size_t b = 0; b < doc->entries[i].len && b < 200; b++) {
			struct source_at at = ini_at(&doc->entries[i], b);
			const char *line = data + bom;

			for (uint32_t l = 1; l < at.line; l++) {
				line = memchr(line, '\n', (size_t)(data + size - line));
				CHECK(line);
				line++;
			}
			CHECK(line + at.column - 1 < data + size);
			CHECK(line[at.column - 1] == doc->entries[i].value[b]);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct ini_doc doc;
	int r = ini_read(arena, "fuzz", (const char *)bytes, size, &diags, &doc);

	CHECK(r == 0 || r == -EINVAL);
	CHECK((r == -EINVAL) == (diags.n_errors > 0));
	if (size <= LIMIT_UNIT_FILE) {
		check_reference(&doc, (const char *)bytes, size);
		check_places(&doc, (const char *)bytes, size);
	}
	for (size_t i = 0; i < diags.n; i++) {
		struct buf b = {0};

		diag_print(diags.items[i], &b);
		CHECK(b.data && b.data[b.len - 1] == '\n');
		buf_done(&b);
	}
	arena_free(arena);
	return 0;
}
