/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading INI text as unit files have it: sections, keys, values, each with its place in the file.
 *
 * The line rules are Quadlet's: lines are trimmed; empty ones and those that start with '#' or ';' are
 * skipped; a backslash at the end joins the next line that is neither, with nothing between; a value
 * is all that follows the first '='. A byte order mark and CRLF are fine. A repeated section goes on
 * where it stopped; a repeated key is one more entry: what repetition means is the caller's business.
 *
 * libinih does the reading of sections and keys, but never sees a value: it is handed the short line
 * `Key=<index>`, and the value is looked up here. So its limits (lines cut at 199 bytes and the rest
 * taken for a line of its own, ` ;` as a comment, ':' as '=', indented lines as continuations, no line
 * numbers) cannot change a value. ini.c is the only file that includes <ini.h>.
 *
 * Limits: LIMIT_UNIT_FILE bytes, LIMIT_UNIT_LINE bytes in a joined line, LIMIT_UNIT_KEYS keys; names
 * of sections and keys are [A-Za-z][A-Za-z0-9-]*, at most INI_NAME_MAX. Control characters but TAB are
 * errors, bytes that are not UTF-8 a warning. All of it lives in the arena that was handed in.
 */
#pragma once

#include "units/diag.h"

#define INI_NAME_MAX 40

/* From `at` on, the bytes of a joined value stand at this line and column, up to the next span. */
struct ini_span {
	uint32_t at;
	uint32_t line;
	uint32_t column;
};

struct ini_entry {
	const char *section;
	const char *key;
	const char *value; /* joined, trimmed; "" if empty */
	size_t len;
	struct source_at at;          /* of the key */
	const struct ini_span *spans; /* at least one */
	size_t n_spans;
};

struct ini_section {
	const char *name;
	struct source_at at;
};

struct ini_doc {
	const char *file;
	struct ini_section *sections; /* every header, in order */
	size_t n_sections;
	struct ini_entry *entries;
	size_t n_entries;
};

/* Reads it all. Mistakes go to diags, with their source lines; -EINVAL if one of them is an error (the
 * document has what could be read), -ENOMEM, or 0. `file` is kept, not copied; data need not be
 * NUL-terminated and may be freed afterwards. */
int ini_read(struct arena *arena, const char *file, const char *data, size_t len,
	     struct diags *diags, struct ini_doc *ret);

/* Where byte `offset` of the entry's value stands in the file. */
struct source_at ini_at(const struct ini_entry *entry, size_t offset);
