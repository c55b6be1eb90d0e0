/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/text.h"

#include <inttypes.h>

#include "base/cleanup.h"
#include "base/utf8.h"

/* Characters that reorder or hide what stands beside them: a file name or message could show
 * something else than it is. */
static bool hides(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x061c ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

static uint32_t decode(const char *s, size_t n)
{
	static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (uint8_t)s[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((uint8_t)s[i] & 0x3f);
	return c;
}

void text_escape(struct buf *b, const char *s, size_t len, bool tabs)
{
	while (len) {
		size_t n = utf8_char(s, len);
		uint32_t c = n ? decode(s, n) : (uint8_t)*s;

		if (n && c == '\t' && tabs)
			buf_chr(b, '\t');
		else if (!n || c < 0x20 || (c >= 0x7f && c < 0xa0))
			buf_fmt(b, "\\x%02x", c);
		else if (hides(c))
			buf_fmt(b, "\\u{%x}", c);
		else
			buf_add(b, s, n);
		s += n ? n : 1;
		len -= n ? n : 1;
	}
}

size_t text_width(const char *s, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++)
		columns += ((uint8_t)s[i] & 0xc0) != 0x80;
	return columns;
}

size_t text_fit(const char *s, size_t len, size_t columns)
{
	for (size_t i = 0; i < len; i++)
		if (((uint8_t)s[i] & 0xc0) != 0x80 && columns-- == 0)
			return i;
	return len;
}

void text_duration(struct buf *b, int64_t seconds)
{
	static const struct {
		int64_t size;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

	if (seconds <= 0) {
		buf_str(b, "0s");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		int64_t rest = seconds % units[i].size;

		if (seconds < units[i].size)
			continue;
		buf_fmt(b, "%" PRId64 "%c", seconds / units[i].size, units[i].letter);
		if (i + 1 < ARRAY_LEN(units) && rest >= units[i + 1].size)
			buf_fmt(b, " %" PRId64 "%c", rest / units[i + 1].size, units[i + 1].letter);
		return;
	}
}

void text_bytes(struct buf *b, int64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	int64_t unit = 1;
	size_t i = 0;

	while (bytes / unit >= 1024 && i + 1 < ARRAY_LEN(names)) {
		unit *= 1024;
		i++;
	}
	if (unit == 1)
		buf_fmt(b, "%" PRId64 " B", bytes);
	else
		buf_fmt(b, "%" PRId64 ".%d %s", bytes / unit, (int)(bytes % unit * 10 / unit),
			names[i]);
}
