/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/json_out.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void json_init(struct json_out *j, struct buf *buf)
{
	*j = (struct json_out){.buf = buf};
}

static void string(struct buf *b, const char *s, size_t left)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, letter */

	buf_chr(b, '"');
	while (left) {
		unsigned char c = (unsigned char)*s;
		const char *e = c && c < 0x80 ? strchr(escapes, c) : NULL;
		size_t n = utf8_char(s, left);

		/* letters of the table stand at odd places: only even hits are bytes to escape */
		while (e && (e - escapes) % 2)
			e = strchr(e + 1, c);
		if (e)
			buf_fmt(b, "\\%c", e[1]);
		else if (c < 0x20 || c == 0x7f || !n)
			buf_fmt(b, "\\u%04x", c);
		else
			buf_add(b, s, n);
		s += n ? n : 1;
		left -= n ? n : 1;
	}
	buf_chr(b, '"');
}

/* Comma and key: everything that stands before a value. */
static void before(struct json_out *j, const char *key)
{
	if (j->comma[j->depth])
		buf_chr(j->buf, ',');
	j->comma[j->depth] = true;
	if (key) {
		string(j->buf, key, strlen(key));
		buf_chr(j->buf, ':');
	}
}

static void open_level(struct json_out *j, const char *key, char open, char close)
{
	before(j, key);
	if (j->depth + 1 >= JSON_DEPTH_MAX) {
		j->buf->bad = true;
		return;
	}
	buf_chr(j->buf, open);
	j->depth++;
	j->comma[j->depth] = false;
	j->close[j->depth] = close;
}

void json_object(struct json_out *j, const char *key)
{
	open_level(j, key, '{', '}');
}

void json_array(struct json_out *j, const char *key)
{
	open_level(j, key, '[', ']');
}

void json_end(struct json_out *j)
{
	if (j->depth == 0) {
		j->buf->bad = true;
		return;
	}
	buf_chr(j->buf, j->close[j->depth]);
	j->depth--;
}

void json_str(struct json_out *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	json_strn(j, key, value, strlen(value));
}

void json_strn(struct json_out *j, const char *key, const char *value, size_t len)
{
	before(j, key);
	string(j->buf, value, len);
}

void json_int(struct json_out *j, const char *key, int64_t value)
{
	before(j, key);
	buf_fmt(j->buf, "%" PRId64, value);
}

void json_bool(struct json_out *j, const char *key, bool value)
{
	before(j, key);
	buf_str(j->buf, value ? "true" : "false");
}

void json_null(struct json_out *j, const char *key)
{
	before(j, key);
	buf_str(j->buf, "null");
}
