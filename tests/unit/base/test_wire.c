/* SPDX-License-Identifier: Apache-2.0 */
/* json_out and wire: what goes to clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/wire.h"

static void json_has_commas_and_nesting(void **state)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	(void)state;
	json_init(&j, &b);
	json_object(&j, NULL);
	json_str(&j, "unit", "web.container");
	json_str(&j, "none", NULL);
	json_array(&j, "list");
	json_int(&j, NULL, INT64_MIN);
	json_int(&j, NULL, INT64_MAX);
	json_array(&j, NULL);
	json_end(&j);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_bool(&j, "yes", true);
	json_bool(&j, "no", false);
	json_null(&j, "null");
	json_end(&j);
	assert_false(b.bad);
	assert_string_equal(b.data, "{\"unit\":\"web.container\",\"none\":null,"
				    "\"list\":[-9223372036854775808,9223372036854775807,[],{}],"
				    "\"yes\":true,\"no\":false,\"null\":null}");
}

static void json_escapes(void **state)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	(void)state;
	json_init(&j, &b);
	json_object(&j, NULL);
	json_str(&j, "a\"b", "\" \\ / \b\f\n\r\t \x01\x1b\x7f bfnrt");
	json_strn(&j, "nul", "x\0y", 3);
	json_strn(&j, "empty", "", 0);
	json_str(&j, "utf8", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	json_str(&j, "broken", "\xff\xc3 \xe2\x82");
	json_end(&j);
	assert_string_equal(
		b.data, "{\"a\\\"b\":\"\\\" \\\\ / \\b\\f\\n\\r\\t \\u0001\\u001b\\u007f bfnrt\","
			"\"nul\":\"x\\u0000y\",\"empty\":\"\","
			"\"utf8\":\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\","
			"\"broken\":\"\\u00ff\\u00c3 \\u00e2\\u0082\"}");
}

static void json_too_deep_or_ended_twice_is_bad(void **state)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	(void)state;
	json_init(&j, &b);
	for (int i = 0; i < JSON_DEPTH_MAX - 1; i++)
		json_array(&j, NULL);
	assert_false(b.bad);
	json_array(&j, NULL);
	assert_true(b.bad);
	buf_reset(&b);
	json_init(&j, &b);
	json_end(&j);
	assert_true(b.bad);
}

static void frames_follow_one_another(void **state)
{
	_buf_ struct buf b = {0};
	struct frame_head head;
	const char *payload;
	size_t used, at = 0;

	(void)state;
	for (uint32_t id = 1; id <= 3; id++)
		frame_add(&b, id, "payload", id * 2);
	for (uint32_t id = 1; id <= 3; id++) {
		assert_int_equal(frame_parse(b.data + at, b.len - at, &head, &payload, &used),
				 FRAME_READY);
		assert_int_equal(head.id, id);
		assert_int_equal(head.len, id * 2);
		assert_memory_equal(payload, "payload", head.len);
		at += used;
	}
	assert_int_equal(at, b.len);
	assert_int_equal(frame_parse(b.data + at, 0, &head, &payload, &used), FRAME_NONE);
	assert_int_equal(used, 0);
}

static void a_frame_cut_anywhere_waits(void **state)
{
	_buf_ struct buf b = {0};
	struct frame_head head;
	const char *payload;
	size_t used;

	(void)state;
	frame_add(&b, 7, "hello", 5);
	for (size_t len = 0; len < b.len; len++) {
		assert_int_equal(frame_parse(b.data, len, &head, &payload, &used), FRAME_NONE);
		assert_int_equal(used, 0);
	}
	assert_int_equal(frame_parse(b.data, b.len, &head, &payload, &used), FRAME_READY);
}

static void garbage_is_skipped_up_to_the_magic(void **state)
{
	static const char junk[] = "junk o orl orlo orl2 \0\xff";

	(void)state;
	for (size_t n = 1; n < sizeof(junk); n++) {
		_buf_ struct buf b = {0};
		struct frame_head head;
		const char *payload;
		size_t used, at = 0;
		enum frame_result r;

		buf_add(&b, junk, n);
		frame_add(&b, 9, "x", 1);
		while ((r = frame_parse(b.data + at, b.len - at, &head, &payload, &used)) ==
		       FRAME_SKIP) {
			assert_true(used > 0);
			at += used;
		}
		assert_int_equal(r, FRAME_READY);
		assert_int_equal(at, n);
		assert_int_equal(head.id, 9);
	}
}

static void a_length_beyond_the_limit_is_no_frame(void **state)
{
	_buf_ struct buf b = {0};
	struct frame_head head = {.magic = FRAME_MAGIC, .len = LIMIT_FRAME + 1, .id = 1};
	const char *payload;
	size_t used, at = 0;

	(void)state;
	buf_add(&b, &head, sizeof(head));
	frame_add(&b, 2, "y", 1);
	while (frame_parse(b.data + at, b.len - at, &head, &payload, &used) == FRAME_SKIP)
		at += used;
	assert_int_equal(frame_parse(b.data + at, b.len - at, &head, &payload, &used), FRAME_READY);
	assert_int_equal(head.id, 2);
}

static void the_longest_frame_is_one(void **state)
{
	_buf_ struct buf b = {0};
	char *data = calloc(1, LIMIT_FRAME);
	struct frame_head head;
	const char *payload;
	size_t used;

	(void)state;
	frame_add(&b, 3, data, LIMIT_FRAME);
	assert_int_equal(frame_parse(b.data, b.len, &head, &payload, &used), FRAME_READY);
	assert_int_equal(used, b.len);
	free(data);
}

static void the_last_line_tells_how_it_ended(void **state)
{
	struct buf line = {0};

	(void)state;
	frame_end_line(&line, 0, NULL);
	assert_string_equal(line.data, "{\"exit\":0}");
	buf_reset(&line);
	frame_end_line(&line, 4, "no \"x\"\n");
	assert_string_equal(line.data, "{\"exit\":4,\"error\":\"no \\\"x\\\"\\n\"}");
	buf_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_commas_and_nesting),
		cmocka_unit_test(json_escapes),
		cmocka_unit_test(json_too_deep_or_ended_twice_is_bad),
		cmocka_unit_test(frames_follow_one_another),
		cmocka_unit_test(a_frame_cut_anywhere_waits),
		cmocka_unit_test(garbage_is_skipped_up_to_the_magic),
		cmocka_unit_test(a_length_beyond_the_limit_is_no_frame),
		cmocka_unit_test(the_last_line_tells_how_it_ended),
		cmocka_unit_test(the_longest_frame_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
