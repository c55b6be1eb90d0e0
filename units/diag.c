/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "units/codes.h"

#define LINE_SHOWN 200

struct diag *diag_add(struct diags *diags, enum diag_severity severity, const char *code,
		      struct source_at at, size_t width, const char *hint, const char *fmt, ...)
{
	struct diag **slot, *d;
	char text[512];
	va_list args;

	if (severity == DIAG_ERROR)
		diags->n_errors++;
	if (diags->end && diags->n >= diags->end) {
		diags->n_left_out++;
		diags->n_errors_left_out += severity == DIAG_ERROR;
		return NULL;
	}
	slot = ARENA_PUSH(diags->arena, diags->items, diags->n);
	d = arena_alloc(diags->arena, sizeof(*d));
	if (!slot || !d) {
		if (slot)
			diags->n--;
		return NULL;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*d = (struct diag){
		.severity = severity,
		.code = code,
		.at = at,
		.width = width > 0 && width < LINE_SHOWN ? (uint32_t)width : 1,
		.message = arena_strdup(diags->arena, text),
		.hint = hint ? arena_strdup(diags->arena, hint) : NULL,
	};
	if (!d->message)
		d->message = "out of memory";
	*slot = d;
	return d;
}

void diags_limit(struct diags *diags, size_t room)
{
	diags->end = diags->n + room;
	diags->n_left_out = diags->n_errors_left_out = 0;
}

void diags_unlimit(struct diags *diags, struct source_at at)
{
	size_t left_out = diags->n_left_out, errors = diags->n_errors;

	diags->end = 0;
	diags->n_left_out = 0;
	if (left_out)
		diag_add(diags, diags->n_errors_left_out ? DIAG_ERROR : DIAG_WARNING, U_LIMIT, at,
			 1, NULL, "%zu more mistakes are not shown", left_out);
	diags->n_errors = errors; /* those were counted when they were left out */
}

void diag_set_line(struct diags *diags, struct diag *d, const char *data, size_t len)
{
	const char *line = data, *end = data + len, *stop;

	if (!d || d->line || d->at.line == 0 || !data)
		return;
	if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3; /* columns do not count a byte order mark */
	for (uint32_t i = 1; i < d->at.line; i++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line)
			return;
		line++;
	}
	stop = memchr(line, '\n', (size_t)(end - line));
	if (!stop)
		stop = end;
	if (stop > line && stop[-1] == '\r')
		stop--;
	if (stop - line > LINE_SHOWN)
		stop = line + LINE_SHOWN;
	d->line = arena_strndup(diags->arena, line, (size_t)(stop - line));
}

/* Text that came from a file: shown, but not obeyed, by the terminal. */
static void add_tame(struct buf *b, const char *s, size_t len)
{
	for (; len > 0; len--, s++)
		buf_chr(b, ((unsigned char)*s < ' ' && *s != '\t') || *s == 127 ? '?' : *s);
}

static void add_excerpt(const struct diag *d, struct buf *b)
{
	size_t len = strlen(d->line), column = d->at.column ? d->at.column - 1 : 0;

	buf_fmt(b, "%5u | ", d->at.line);
	add_tame(b, d->line, strlen(d->line));
	buf_str(b, "\n      | ");
	/* The caret stands under the text: a tab stays a tab, a multi-byte character is one blank. */
	for (size_t i = 0; i < column && i < len; i++)
		if (((unsigned char)d->line[i] & 0xc0) != 0x80)
			buf_chr(b, d->line[i] == '\t' ? '\t' : ' ');
	buf_chr(b, '^');
	for (size_t i = column + 1; i < column + d->width && i < len; i++)
		if (((unsigned char)d->line[i] & 0xc0) != 0x80)
			buf_chr(b, '~');
	buf_chr(b, '\n');
}

void diag_print(const struct diag *d, struct buf *b)
{
	if (d->at.file)
		add_tame(b, d->at.file, strlen(d->at.file));
	if (d->at.line)
		buf_fmt(b, ":%u:%u", d->at.line, d->at.column);
	buf_fmt(b, "%s%s[%s]: ", d->at.file ? ": " : "",
		d->severity == DIAG_ERROR ? "error" : "warning", d->code);
	add_tame(b, d->message, strlen(d->message));
	buf_chr(b, '\n');
	if (d->line && d->at.line)
		add_excerpt(d, b);
	for (const char *hint = d->hint; hint && *hint;) {
		size_t len = strcspn(hint, "\n");

		buf_str(b, "      = ");
		add_tame(b, hint, len);
		buf_chr(b, '\n');
		hint += len + (hint[len] == '\n');
	}
}
