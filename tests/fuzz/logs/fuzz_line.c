/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's output through the splitter, in pieces and with limits that the input chooses: every record can
 * be read back, their texts make up the output again, and no text becomes a record of its own. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "logs/line.h"
#include "logs/rotate.h"

static void check(bool good)
{
	if (!good)
		abort();
}

/* Takes records apart again: appends their texts, with the newlines that F stands for, to `joined`. */
static void read_back(const struct buf *records, int64_t *last, struct buf *joined)
{
	size_t at = 0;

	while (at < records->len) {
		const char *record = records->data + at;
		const char *newline = memchr(record, '\n', records->len - at);
		struct line line;

		check(newline && line_parse(record, (size_t)(newline - record), &line));
		check(line.time > *last && line.len <= LINE_TEXT_MAX && line.flag != LINE_MARKER);
		*last = line.time;
		buf_add(joined, line.text, line.len);
		if (line.flag == LINE_FULL)
			buf_chr(joined, '\n');
		at += (size_t)(newline - record) + 1;
	}
}

static void split_all(const char *data, size_t size, size_t window, size_t out_max)
{
	_buf_ struct buf joined = {0};
	int64_t last = 0, seen = 0;
	size_t at = 0, have = window < size ? window : size;

	while (at < size) {
		_buf_ struct buf records = {0};
		bool end = have == size;
		size_t n = line_split(data + at, have - at, end, 1000, &last, &records, out_max);

		check(n <= have - at);
		read_back(&records, &seen, &joined);
		at += n;
		check(n > 0 || !end);
		if (n == 0)
			have = size - have < window ? size : have + window;
	}
	check(joined.len == size && !memcmp(joined.data ? joined.data : "", data, size));
}

static void parse_texts(const char *data, size_t size)
{
	char *text = malloc(size + 1);
	struct rotate_options o = rotate_defaults;
	struct fail f = {0};
	struct line line;
	int64_t at;

	memcpy(text, data, size);
	text[size] = '\0';
	if (line_parse_since(text, 1795491987842896168, &at))
		check(at >= 0);
	if (line_parse(text, size, &line))
		check(line.text + line.len == text + size);
	rotate_option(&o, text, &f);
	check(o.size >= 64 << 10 && o.files >= 1);
	rotate_number(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	parse_texts((const char *)data + 2, size - 2);
	split_all((const char *)data + 2, size - 2, 1 + data[0] * 64u, 1 + data[1] * 256u);
	return 0;
}
