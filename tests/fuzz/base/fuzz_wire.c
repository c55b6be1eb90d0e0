/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of frames with words in them, as a server and a client read it: it ends, nothing is read outside
 * of it, and what was a frame is one again when it is written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_out.h"
#include "base/wire.h"
#include "base/words.h"

static void check(bool good)
{
	if (!good)
		abort();
}

static void walk_words(const char *data, size_t len)
{
	struct words_iter it;
	const char *word;
	size_t n = 0, bytes = 0;

	words_iter_init(&it, data, len);
	while ((word = words_next(&it))) {
		n++;
		bytes += strlen(word) + 1;
		check(word >= data && bytes <= len);
	}
	if (words_valid(data, len))
		check(n == words_count(data, len) && bytes == len);
}

static void walk_json(const char *data, size_t len)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	json_init(&j, &b);
	json_object(&j, NULL);
	json_strn(&j, "s", data, len);
	json_end(&j);
	check(!b.bad && b.len >= len + 8);
	for (size_t i = 0; i < b.len; i++)
		check((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t at = 0;

	walk_words(bytes, size);
	walk_json(bytes, size);
	for (;;) {
		_buf_ struct buf again = {0};
		struct frame_head head;
		const char *payload;
		size_t used;

		switch (frame_parse(bytes + at, size - at, &head, &payload, &used)) {
		case FRAME_NONE: check(used == 0); return 0;
		case FRAME_SKIP: check(used > 0 && used <= size - at); break;
		case FRAME_READY:
			check(used <= size - at && head.len <= LIMIT_FRAME);
			check(payload + head.len == bytes + at + used);
			walk_words(payload, head.len);
			frame_add(&again, head.id, payload, head.len);
			check(again.len == used && !memcmp(again.data, bytes + at, used));
			break;
		}
		at += used;
	}
}
