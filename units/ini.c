/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/ini.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "units/codes.h"
#include "units/suggest.h"

struct reader {
	struct arena *arena;
	struct diags *diags;
	struct ini_doc *doc;
	const char *data;
	size_t len, pos;
	uint32_t line_no; /* of the physical line last taken */

	/* The logical line last joined. */
	struct buf text;
	struct ini_span *spans;
	size_t n_spans, cap_spans;

	const char *section; /* as inih will see it; NULL: none, or its header was wrong */
	bool in_bad_section;
	size_t n_seen; /* entries that have come out of inih again */
	bool nomem, stop;
};

struct source_at ini_at(const struct ini_entry *entry, size_t offset)
{
	size_t low = 0, high = entry->n_spans;

	while (high - low > 1) { /* the last span that starts at the offset or before it */
		size_t middle = low + (high - low) / 2;

		if (entry->spans[middle].at > offset)
			high = middle;
		else
			low = middle;
	}
	return (struct source_at){
		.file = entry->at.file,
		.line = entry->spans[low].line,
		.column = entry->spans[low].column + (uint32_t)(offset - entry->spans[low].at),
	};
}

/* --- physical lines --------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct physical {
	const char *text; /* trimmed */
	size_t len;
	uint32_t line, column;
};

static bool next_physical(struct reader *r, struct physical *ret)
{
	const char *start = r->data + r->pos, *p = start, *end;

	if (r->pos >= r->len)
		return false;
	end = memchr(start, '\n', r->len - r->pos);
	r->pos = end ? (size_t)(end - r->data) + 1 : r->len;
	if (!end)
		end = r->data + r->len;
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	*ret = (struct physical){p, (size_t)(end - p), ++r->line_no, (uint32_t)(p - start) + 1};
	return true;
}

static void complain(struct reader *r, enum diag_severity severity, const char *code, uint32_t line,
		     uint32_t column, size_t width, const char *hint, const char *message)
{
	struct source_at at = {r->doc->file, line, column};

	diag_set_line(r->diags, diag_add(r->diags, severity, code, at, width, hint, "%s", message),
		      r->data, r->len);
}

#define ERROR(...)   complain(r, DIAG_ERROR, __VA_ARGS__)
#define WARNING(...) complain(r, DIAG_WARNING, __VA_ARGS__)

/* Complains about the first control character and the first byte that is not UTF-8 of a line. */
static void check_bytes(struct reader *r, const struct physical *p)
{
	bool bad_utf8 = false;
	size_t n;

	for (size_t i = 0; i < p->len; i += n ? n : 1) {
		unsigned char c = (unsigned char)p->text[i];

		n = 1;
		if ((c < ' ' && c != '\t') || c == 127) {
			char message[48];

			snprintf(message, sizeof(message), "control character 0x%02x", c);
			ERROR(U_CHARACTER, p->line, p->column + (uint32_t)i, 1,
			      c ? NULL : "is this a text file?", message);
			return;
		}
		if (c < 0x80)
			continue;
		n = utf8_char(p->text + i, p->len - i);
		if (!n && !bad_utf8) {
			WARNING(U_UTF8, p->line, p->column + (uint32_t)i, 1,
				"the byte is kept as it is", "not valid UTF-8");
			bad_utf8 = true;
		}
	}
}

/* --- logical lines ---------------------------------------------------------------------------- */

static void add_physical(struct reader *r, const struct physical *p, size_t len)
{
	if (r->n_spans == r->cap_spans) {
		size_t cap = r->cap_spans ? 2 * r->cap_spans : 8;
		struct ini_span *spans = realloc(r->spans, cap * sizeof(*spans));

		if (!spans) {
			r->nomem = true;
			return;
		}
		r->spans = spans;
		r->cap_spans = cap;
	}
	r->spans[r->n_spans++] = (struct ini_span){(uint32_t)r->text.len, p->line, p->column};
	if (r->text.len <= LIMIT_UNIT_LINE)
		buf_add(&r->text, p->text, len);
}

static bool is_comment(const struct physical *p)
{
	return p->len == 0 || p->text[0] == '#' || p->text[0] == ';';
}

/* The line that starts at line `first` is whole: too long, it is told and left empty. */
static bool end_logical(struct reader *r, uint32_t first)
{
	if (r->text.len > LIMIT_UNIT_LINE) {
		ERROR(U_LIMIT, first, 1, 1, NULL, "line longer than 65536 bytes");
		r->text.len = 0;
		r->text.data[0] = '\0';
	}
	return true;
}

/* Joins the next logical line; false at the end of the file. */
static bool next_logical(struct reader *r)
{
	struct physical p;
	uint32_t first;

	buf_reset(&r->text);
	r->n_spans = 0;
	do {
		if (!next_physical(r, &p))
			return false;
	} while (is_comment(&p));
	first = p.line;
	check_bytes(r, &p);
	while (p.text[p.len - 1] == '\\') {
		struct physical more;

		add_physical(r, &p, p.len - 1);
		do {
			if (!next_physical(r, &more)) {
				WARNING(U_CONTINUATION, p.line, p.column + (uint32_t)p.len - 1, 1,
					NULL,
					"backslash at the end of the file: there is no line to go on with");
				return end_logical(r, first);
			}
		} while (is_comment(&more));
		if (more.text[0] == '[')
			WARNING(U_CONTINUATION, more.line, more.column, more.len,
				"remove the backslash above",
				"this line goes on the one above, which ends in a backslash; it is no header");
		check_bytes(r, &more);
		p = more;
	}
	add_physical(r, &p, p.len);
	return end_logical(r, first);
}

static struct source_at logical_at(const struct reader *r, size_t offset)
{
	const struct ini_entry e = {
		.at = {.file = r->doc->file}, .spans = r->spans, .n_spans = r->n_spans};

	return ini_at(&e, offset);
}

static bool name_valid(const char *s, size_t len)
{
	if (len == 0 || len > INI_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
			return false;
	}
	return true;
}

/* "[Name]": writes it for inih, or complains and returns false. */
static bool take_header(struct reader *r, char *line, size_t size)
{
	const char *text = r->text.data, *end = memchr(text, ']', r->text.len);
	struct source_at at = logical_at(r, 0);
	struct ini_section *section;
	size_t len;

	r->section = NULL;
	r->in_bad_section = true;
	if (!end) {
		ERROR(U_HEADER, at.line, at.column, r->text.len, "write [Name]",
		      "section header without ']'");
		return false;
	}
	len = (size_t)(end - text) - 1;
	if (!name_valid(text + 1, len)) {
		ERROR(U_HEADER, at.line, at.column, len + 2, NULL,
		      "a section name is letters, digits and dashes, at most 40");
		return false;
	}
	for (end++; *end && is_blank(*end); end++)
		;
	if (*end) {
		struct source_at junk = logical_at(r, (size_t)(end - text));
		bool comment = *end == '#' || *end == ';';

		ERROR(U_HEADER, junk.line, junk.column, strlen(end),
		      comment ? "put the comment on a line of its own" : NULL,
		      comment ? "no comments after a header" : "text after a section header");
	}
	r->in_bad_section = false;
	r->section = arena_strndup(r->arena, text + 1, len);
	section = ARENA_PUSH(r->arena, r->doc->sections, r->doc->n_sections);
	if (!section || !r->section)
		return false;
	*section = (struct ini_section){r->section, at};
	snprintf(line, size, "[%s]\n", r->section);
	return true;
}

/* The value that starts at `offset` of the logical line, with its spans. */
static bool store_value(struct reader *r, struct ini_entry *e, size_t offset)
{
	size_t first = r->n_spans;
	struct ini_span *spans;

	while (first > 1 && r->spans[first - 1].at > offset)
		first--;
	first--;
	e->len = r->text.len - offset;
	e->value = arena_strndup(r->arena, r->text.data + offset, e->len);
	e->n_spans = r->n_spans - first;
	e->spans = spans = arena_alloc(r->arena, e->n_spans * sizeof(*spans));
	if (!spans || !e->value)
		return false;
	for (size_t i = 0; i < e->n_spans; i++) {
		spans[i] = r->spans[first + i];
		spans[i].at -= i ? (uint32_t)offset : spans[i].at;
	}
	spans[0].column += (uint32_t)(offset - r->spans[first].at);
	return true;
}

/* Words of Compose files have underscores: what they are called here. */
static void hint_key(const struct reader *r, const char *key, size_t len, char *hint, size_t size)
{
	int section = r->section ? section_by_name(r->section) : -1;
	char plain[INI_NAME_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < len && n < sizeof(plain) - 1; i++)
		if (key[i] != '_')
			plain[n++] = key[i];
	plain[n] = '\0';
	if (section < 0 || n == len || !name_valid(plain, n) ||
	    suggest_key((enum key_section)section, plain, hint, size) > 2)
		hint[0] = '\0';
	if (strchr(hint, '?'))
		strchr(hint, '?')[1] = '\0'; /* the rest is about upper and lower case */
}

static bool key_valid(struct reader *r, const char *key, size_t len, bool has_value)
{
	struct source_at at = logical_at(r, 0);
	char hint[96] = "", text[120];

	if (!has_value) {
		if (name_valid(key, r->text.len))
			snprintf(hint, sizeof(hint), "did you mean \"%s=true\"?", key);
		ERROR(U_LINE, at.line, at.column, r->text.len, *hint ? hint : NULL,
		      "neither [Section] nor Key=value");
		return false;
	}
	if (name_valid(key, len))
		return true;
	hint_key(r, key, len, hint, sizeof(hint));
	snprintf(text, sizeof(text),
		 "\"%.*s\" is no key: keys are letters, digits and dashes, at most 40",
		 (int)(len < INI_NAME_MAX ? len : INI_NAME_MAX), key);
	ERROR(U_LINE, at.line, at.column, len ? len : 1, *hint ? hint : NULL,
	      len ? text : "no key before the '='");
	return false;
}

/* "Key=value": stores the value and writes "Key=<index>" for inih, or complains and returns false. */
static bool take_key(struct reader *r, char *line, size_t size)
{
	const char *text = r->text.data, *equals = memchr(text, '=', r->text.len);
	size_t len = equals ? (size_t)(equals - text) : r->text.len, offset;
	struct source_at at = logical_at(r, 0);
	struct ini_entry *e;

	while (len && is_blank(text[len - 1]))
		len--;
	if (!key_valid(r, text, len, equals))
		return false;
	if (!r->section) {
		if (!r->in_bad_section)
			ERROR(U_NO_SECTION, at.line, at.column, len,
			      "a line like [Container] must come first", "key before any section");
		return false;
	}
	if (r->doc->n_entries == LIMIT_UNIT_KEYS) {
		ERROR(U_LIMIT, at.line, at.column, len, NULL, "more than 4096 keys");
		r->stop = true;
		return false;
	}
	for (offset = (size_t)(equals - text) + 1; offset < r->text.len && is_blank(text[offset]);)
		offset++;
	e = ARENA_PUSH(r->arena, r->doc->entries, r->doc->n_entries);
	if (!e || !store_value(r, e, offset))
		return false;
	e->at = at;
	snprintf(line, size, "%.*s=%zu\n", (int)len, text, r->doc->n_entries - 1);
	return true;
}

/* --- inih ------------------------------------------------------------------------------------- */

/* What inih calls for its next line. */
static char *give_line(char *line, int size, void *ctx)
{
	struct reader *r = ctx;

	while (!r->stop && next_logical(r)) {
		if (r->text.bad || r->nomem || arena_bad(r->arena)) {
			r->nomem = true;
			return NULL;
		}
		if (r->text.len == 0)
			continue;
		if (r->text.data[0] == '[' ? take_header(r, line, (size_t)size)
					   : take_key(r, line, (size_t)size))
			return line;
	}
	return NULL;
}

/* What inih calls for each key: `value` is an index into the entries. */
static int take_entry(void *ctx, const char *section, const char *key, const char *value)
{
	struct reader *r = ctx;
	size_t i = strtoul(value, NULL, 10);
	struct ini_entry *e;

	if (i != r->n_seen || i >= r->doc->n_entries || !r->section ||
	    strcmp(section, r->section) != 0)
		return 0;
	e = &r->doc->entries[i];
	e->section = r->section;
	e->key = arena_strdup(r->arena, key);
	r->n_seen++;
	return 1;
}

int ini_read(struct arena *arena, const char *file, const char *data, size_t len,
	     struct diags *diags, struct ini_doc *ret)
{
	struct reader r = {.arena = arena, .diags = diags, .doc = ret, .data = data, .len = len};
	size_t errors = diags->n_errors;
	bool limit = !diags->end; /* nobody else has set one */
	int result = 0;

	*ret = (struct ini_doc){.file = file};
	if (limit)
		diags_limit(diags, LIMIT_UNIT_MISTAKES);
	if (len > LIMIT_UNIT_FILE) {
		complain(&r, DIAG_ERROR, U_LIMIT, 0, 0, 1, NULL, "file larger than 1 MiB");
		if (limit)
			diags->end = 0;
		return -EINVAL;
	}
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		r.data += 3;
		r.len -= 3;
	}
	if (ini_parse_stream(give_line, &r, take_entry, &r) != 0 || r.n_seen != ret->n_entries)
		result = r.nomem || arena_bad(arena) ? -ENOMEM : -EPROTO;
	free(r.spans);
	buf_done(&r.text);
	if (limit)
		diags_unlimit(diags, (struct source_at){file, 0, 0});
	if (r.nomem || arena_bad(arena) || arena_bad(diags->arena))
		return -ENOMEM;
	if (result == -EPROTO) {
		/* Cannot happen: inih was handed lines that it cannot misunderstand. */
		complain(&r, DIAG_ERROR, U_LINE, 0, 0, 1, NULL,
			 "internal error: the reader lost a line");
		return -EINVAL;
	}
	return diags->n_errors > errors ? -EINVAL : 0;
}
