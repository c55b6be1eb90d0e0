/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/envfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int envfile_podman(const char *data, size_t len, envfile_fn *fn, void *ctx, struct fail *f)
{
	const char *end = data + len;
	unsigned line_no = 0;
	int result = 0;

	for (const char *line = data; line < end && !result;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)), *next;
		_buf_ struct buf text = {0};
		char *equals;

		line_no++;
		if (!stop)
			stop = end;
		next = stop + 1;
		if (stop > line && stop[-1] == '\r')
			stop--;
		while (line < stop && is_blank(*line))
			line++;
		if (memchr(line, '\0', (size_t)(stop - line)))
			return fail_set(f, EINVAL, "line %u: a NUL byte", line_no);
		buf_add(&text, line, (size_t)(stop - line));
		line = next;
		if (text.bad)
			return fail_set(f, ENOMEM, "environment file");
		if (!text.data || text.data[0] == '#' || text.data[0] == '\0')
			continue;
		equals = strchr(text.data, '=');
		if (equals == text.data)
			return fail_set(f, EINVAL, "line %u: no name before the '='", line_no);
		if (!equals)
			continue;
		*equals = '\0';
		for (char *p = equals; p > text.data && is_blank(p[-1]); p--)
			p[-1] = '\0';
		result = fn(ctx, text.data, equals + 1);
	}
	return result;
}

/* The value that starts at *at; advances behind its line. */
static void systemd_value(const char **at, const char *end, struct buf *out)
{
	const char *s = *at;
	size_t keep = 0; /* length up to the last byte that is not a trailing blank */
	char quote = '\0';

	while (s < end && is_blank(*s))
		s++;
	for (; s < end && (quote || *s != '\n'); s++) {
		if (*s == '\\' && quote != '\'' && s + 1 < end) {
			s++;
			if (*s == '\r' && s + 1 < end && s[1] == '\n')
				s++;
			if (*s == '\n')
				continue;
			/* Inside "..." only these lose their backslash. */
			if (quote == '"' && !strchr("\"\\`$", *s))
				buf_chr(out, '\\');
			buf_chr(out, *s);
			keep = out->len;
		} else if (quote ? *s == quote : *s == '"' || *s == '\'') {
			quote = quote ? '\0' : *s;
			keep = out->len;
		} else {
			buf_chr(out, *s);
			if (quote || !is_blank(*s))
				keep = out->len;
		}
	}
	if (out->data) {
		out->len = keep;
		out->data[keep] = '\0';
	}
	*at = s < end ? s + 1 : end;
}

static const char *skip_line(const char *s, const char *end)
{
	const char *stop = memchr(s, '\n', (size_t)(end - s));

	return stop ? stop + 1 : end;
}

int envfile_systemd(const char *data, size_t len, envfile_fn *fn, void *ctx, struct fail *f)
{
	const char *s = data, *end = data + len;
	int result = 0;

	if (memchr(data, '\0', len))
		return fail_set(f, EINVAL, "a NUL byte");
	while (s < end && !result) {
		_buf_ struct buf name = {0}, value = {0};

		while (s < end && (is_blank(*s) || *s == '\n'))
			s++;
		if (s < end && (*s == '#' || *s == ';')) {
			s = skip_line(s, end);
			continue;
		}
		while (s < end && *s != '=' && *s != '\n')
			buf_chr(&name, *s++);
		if (s >= end || *s == '\n')
			continue; /* no '=': systemd ignores the line */
		while (name.len && is_blank(name.data[name.len - 1]))
			name.data[--name.len] = '\0';
		s++;
		systemd_value(&s, end, &value);
		if (name.bad || value.bad)
			return fail_set(f, ENOMEM, "environment file");
		if (!name.len)
			return fail_set(f, EINVAL, "no name before the '='");
		result = fn(ctx, name.data, value.data ? value.data : "");
	}
	return result;
}
