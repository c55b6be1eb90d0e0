/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/split.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const struct {
	char letter, meaning;
} simple_escapes[] = {
	{'a', '\a'}, {'b', '\b'}, {'f', '\f'},  {'n', '\n'}, {'r', '\r'},  {'t', '\t'},
	{'v', '\v'}, {'s', ' '},  {'\\', '\\'}, {'"', '"'},  {'\'', '\''},
};

static const struct {
	char letter;
	int digits, base;
	bool unicode;
} number_escapes[] = {
	{'x', 2, 16, false},
	{'u', 4, 16, true},
	{'U', 8, 16, true},
	{'\0', 3, 8, false}, /* \ooo: no letter */
};

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The escape behind the backslash at s[-1]: puts its bytes, returns the bytes read of s, 0 = bad. */
static size_t unescape(const char *s, char *out, size_t *ret_put)
{
	uint32_t value = 0;

	for (size_t i = 0; i < sizeof(simple_escapes) / sizeof(*simple_escapes); i++)
		if (*s == simple_escapes[i].letter) {
			*out = simple_escapes[i].meaning;
			*ret_put = 1;
			return 1;
		}
	for (size_t i = 0; i < sizeof(number_escapes) / sizeof(*number_escapes); i++) {
		size_t skip = number_escapes[i].letter ? 1 : 0;

		if (skip && *s != number_escapes[i].letter)
			continue;
		for (int d = 0; d < number_escapes[i].digits; d++) {
			int v = digit_value(s[skip + (size_t)d]);

			if (v >= number_escapes[i].base)
				return 0;
			value = value * (uint32_t)number_escapes[i].base + (uint32_t)v;
		}
		if (number_escapes[i].unicode)
			*ret_put = put_utf8(value, out);
		else if ((*ret_put = value > 0 && value < 256))
			*out = (char)value;
		return *ret_put ? skip + (size_t)number_escapes[i].digits : 0;
	}
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads one word from value[*at] into out; escapes come out no longer than they went in. */
static size_t read_word(const char *value, size_t *at, bool escapes, char *out, struct words *notes,
			bool *ret_bad)
{
	size_t len = 0, i = *at, quote_at = 0;
	char quote = '\0';

	*ret_bad = false;
	for (; value[i] && (quote || !is_blank(value[i])); i++) {
		size_t put, read;

		if (value[i] == '\\' && escapes) {
			read = unescape(value + i + 1, out + len, &put);
			if (!read) {
				if (notes->bad_escape == SPLIT_NONE)
					notes->bad_escape = i;
				*ret_bad = true;
				out[len++] = '\\';
				continue;
			}
			len += put;
			i += read;
		} else if (quote ? value[i] == quote : value[i] == '"' || value[i] == '\'') {
			quote = quote ? '\0' : value[i];
			quote_at = i;
		} else {
			out[len++] = value[i];
		}
	}
	if (quote)
		notes->open_quote = quote_at;
	*at = i;
	return len;
}

int split_words(struct arena *arena, const char *value, enum split_flags flags, struct words *ret)
{
	char *out = arena_alloc(arena, strlen(value) + 1);
	size_t at = 0;

	*ret = (struct words){.open_quote = SPLIT_NONE, .bad_escape = SPLIT_NONE};
	if (!out)
		return -ENOMEM;
	for (;;) {
		struct word *word;
		size_t start, len;
		bool bad;

		while (is_blank(value[at]))
			at++;
		if (!value[at])
			return 0;
		start = at;
		len = read_word(value, &at, flags & SPLIT_ESCAPES, out, ret, &bad);
		if (bad && flags & SPLIT_LITERAL) {
			len = at - start;
			memcpy(out, value + start, len);
		}
		word = ARENA_PUSH(arena, ret->items, ret->n);
		if (!word)
			return -ENOMEM;
		out[len] = '\0';
		*word = (struct word){out, start, at};
		out += len + 1;
	}
}
