/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rootfs/images/record.h"

static struct entry sample(void)
{
	return (struct entry){
		.kind = ENTRY_SYMLINK,
		.mode = 04755,
		.uid = 1u << 22,
		.gid = 7,
		.mtime = -5,
		.mtime_ns = 999999999,
		.size = 12,
		.offset = 512,
		.path = "a/b",
		.link = "../c",
		.xattrs = {{"user.a", "x\0=", 3}, {"user.b", "", 0}},
		.n_xattrs = 2,
	};
}

static void entries_come_back(void **state)
{
	struct entry e = sample();
	struct buf b = {0};
	struct record r;
	size_t used;

	(void)state;
	record_add_entry(&b, &e);
	assert_int_equal(record_parse(b.data, b.len, &r, &used), RECORD_READY);
	assert_int_equal(used, b.len);
	assert_int_equal(r.kind, REC_ENTRY);
	assert_int_equal(r.entry.mode, 04755);
	assert_int_equal(r.entry.mtime, -5);
	assert_string_equal(r.entry.path, "a/b");
	assert_string_equal(r.entry.link, "../c");
	assert_int_equal(r.entry.n_xattrs, 2);
	assert_int_equal(r.entry.xattrs[0].len, 3);
	assert_memory_equal(r.entry.xattrs[0].value, "x\0=", 3);
	buf_done(&b);
}

static void every_prefix_waits(void **state)
{
	struct entry e = sample();
	struct buf b = {0};
	struct record r;
	size_t used;

	(void)state;
	record_add_entry(&b, &e);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(record_parse(b.data, len, &r, &used), RECORD_NONE);
	buf_done(&b);
}

/* Every byte changed in turn: it is refused or it is still a record; ASan watches. */
static void no_byte_breaks_the_parser(void **state)
{
	struct entry e = sample();
	struct buf b = {0};

	(void)state;
	record_add_entry(&b, &e);
	for (size_t i = 0; i < b.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			char *copy = malloc(b.len);
			struct record r;
			size_t used;

			assert_non_null(copy);
			memcpy(copy, b.data, b.len);
			copy[i] ^= (char)(1 << bit);
			if (record_parse(copy, b.len, &r, &used) == RECORD_READY &&
			    r.kind == REC_ENTRY)
				assert_true(strlen(r.entry.path) < b.len);
			free(copy);
		}
	buf_done(&b);
}

static void data_and_end(void **state)
{
	struct buf b = {0};
	struct record r;
	size_t used, at = 0;

	(void)state;
	record_add_data_head(&b, 4096, 5);
	buf_str(&b, "hello");
	record_add_note(&b, "note");
	record_add_end(&b);
	assert_int_equal(record_parse(b.data, b.len, &r, &used), RECORD_READY);
	assert_int_equal(r.kind, REC_DATA);
	assert_int_equal(r.offset, 4096);
	assert_memory_equal(r.data, "hello", 5);
	at += used;
	assert_int_equal(record_parse(b.data + at, b.len - at, &r, &used), RECORD_READY);
	assert_string_equal(r.text, "note");
	at += used;
	assert_int_equal(record_parse(b.data + at, b.len - at, &r, &used), RECORD_READY);
	assert_int_equal(r.kind, REC_END);
	assert_int_equal(at + used, b.len);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(every_prefix_waits),
		cmocka_unit_test(no_byte_breaks_the_parser),
		cmocka_unit_test(data_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
