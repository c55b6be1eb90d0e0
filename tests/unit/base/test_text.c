/* SPDX-License-Identifier: Apache-2.0 */
/* buf, words, fail, utf8, store: byte strings and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/store.h"
#include "base/utf8.h"
#include "base/words.h"

static void buf_grows_and_ends_with_nul(void **state)
{
	_buf_ struct buf b = {0};

	(void)state;
	assert_null(b.data);
	for (int i = 0; i < 1000; i++) {
		buf_chr(&b, (char)('a' + i % 26));
		assert_int_equal(b.len, i + 1);
		assert_int_equal(strlen(b.data), i + 1);
	}
	buf_str(&b, "xyz");
	buf_fmt(&b, "%d-%s", 42, "abc");
	assert_string_equal(b.data + 1000, "xyz42-abc");
	assert_false(b.bad);
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
}

static void buf_formats_at_every_fill(void **state)
{
	(void)state;
	/* the text ends exactly at, before and behind every possible capacity */
	for (size_t before = 0; before < 300; before++) {
		_buf_ struct buf b = {0};

		for (size_t i = 0; i < before; i++)
			buf_chr(&b, '.');
		buf_fmt(&b, "%063d", 7);
		assert_int_equal(b.len, before + 63);
		assert_int_equal(b.data[b.len - 1], '7');
		assert_int_equal(b.data[b.len], '\0');
		assert_true(b.cap > b.len);
	}
}

static void buf_holds_nul_bytes(void **state)
{
	_buf_ struct buf b = {0};

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
}

static void buf_take_hands_over(void **state)
{
	_buf_ struct buf b = {0};
	_free_
	char *empty = buf_take(&b);
	_free_
	char *text = NULL;

	(void)state;
	assert_string_equal(empty, "");
	buf_str(&b, "text");
	text = buf_take(&b);
	assert_string_equal(text, "text");
	assert_null(b.data);
	b.bad = true;
	assert_null(buf_take(&b));
}

static void buf_that_is_bad_keeps_what_it_had(void **state)
{
	_buf_ struct buf b = {0};

	(void)state;
	buf_str(&b, "kept");
	buf_add(&b, "x", (size_t)-1 / 2 + 9); /* no machine has that much: nothing is copied */
	assert_true(b.bad);
	buf_str(&b, "ignored");
	buf_fmt(&b, "ignored %d", 1);
	assert_string_equal(b.data, "kept");
	buf_reset(&b);
	buf_str(&b, "again");
	assert_string_equal(b.data, "again");
}

static void words_round_trip(void **state)
{
	static const char *const in[] = {"logs", "", "-n", "10", "", "web.container"};
	_buf_ struct buf b = {0};
	struct words_iter it;

	(void)state;
	assert_true(words_valid("", 0));
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		words_add(&b, in[i]);
	assert_true(words_valid(b.data, b.len));
	assert_int_equal(words_count(b.data, b.len), ARRAY_LEN(in));
	words_iter_init(&it, b.data, b.len);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_string_equal(words_next(&it), in[i]);
	assert_null(words_next(&it));
	assert_null(words_next(&it));
}

static void words_without_last_nul_are_refused(void **state)
{
	struct words_iter it;

	(void)state;
	assert_false(words_valid("ab", 2));
	assert_false(words_valid("a\0b", 3));
	words_iter_init(&it, "a\0b", 3);
	assert_string_equal(words_next(&it), "a");
	assert_null(words_next(&it));
}

static void fail_says_what_and_why(void **state)
{
	struct fail f = {0};

	(void)state;
	assert_int_equal(fail_set(&f, ENOENT, "open(\"%s\")", "/x"), -ENOENT);
	assert_string_equal(f.text, "open(\"/x\"): No such file or directory");
	assert_int_equal(f.code, ENOENT);
	assert_int_equal(fail_wrap(&f, "unit \"%s\"", "web"), -ENOENT);
	assert_string_equal(f.text, "unit \"web\": open(\"/x\"): No such file or directory");
	assert_int_equal(fail_set(&f, 0, "no such key"), -EINVAL);
	assert_string_equal(f.text, "no such key");
	assert_int_equal(f.code, EINVAL);
	assert_int_equal(fail_set(NULL, EIO, "nobody listens"), -EIO);
	assert_int_equal(fail_wrap(NULL, "nobody listens"), -EINVAL);
}

static void fail_is_cut_and_never_overrun(void **state)
{
	char guard[2 * FAIL_TEXT_MAX];
	struct {
		struct fail f;
		char behind[16];
	} box = {0};

	(void)state;
	memset(guard, 'g', sizeof(guard) - 1);
	guard[sizeof(guard) - 1] = '\0';
	for (size_t len = FAIL_TEXT_MAX - 40; len < sizeof(guard); len++) {
		fail_set(&box.f, ENOENT, "%.*s", (int)len, guard);
		assert_true(strlen(box.f.text) < FAIL_TEXT_MAX);
		fail_wrap(&box.f, "%.*s", (int)(len / 2), guard);
		assert_true(strlen(box.f.text) < FAIL_TEXT_MAX);
		assert_memory_equal(box.behind, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	}
}

static void utf8_by_the_table(void **state)
{
	static const struct {
		const char *bytes;
		size_t left, want;
	} rows[] = {
		{"a", 1, 1},
		{"\0", 1, 1},
		{"\x7f", 1, 1},
		{"\xc2\x80", 2, 2},
		{"\xdf\xbf", 2, 2},
		{"\xe0\xa0\x80", 3, 3},
		{"\xef\xbf\xbf", 3, 3},
		{"\xed\x9f\xbf", 3, 3},
		{"\xf0\x90\x80\x80", 4, 4},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"", 0, 0},
		{"\x80", 1, 0}, /* a continuation alone */
		{"\xbf", 1, 0},
		{"\xc0\x80", 2, 0},         /* overlong NUL */
		{"\xc1\xbf", 2, 0},         /* overlong */
		{"\xe0\x9f\xbf", 3, 0},     /* overlong */
		{"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
		{"\xed\xa0\x80", 3, 0},     /* surrogate */
		{"\xed\xbf\xbf", 3, 0},     /* surrogate */
		{"\xf4\x90\x80\x80", 4, 0}, /* past U+10FFFF */
		{"\xf5\x80\x80\x80", 4, 0},
		{"\xff", 1, 0},
		{"\xc2", 1, 0}, /* cut off */
		{"\xe2\x82", 2, 0},
		{"\xf0\x9f\x98", 3, 0},
		{"\xc2x", 2, 0}, /* no continuation */
		{"\xe2\x82x", 3, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (utf8_char(rows[i].bytes, rows[i].left) != rows[i].want)
			fail_msg("row %zu", i);
}

static void utf8_has_as_many_characters_as_unicode(void **state)
{
	size_t count[5] = {0};

	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++)
			for (unsigned c = 0; c < 256; c++) {
				char bytes[3] = {(char)a, (char)b, (char)c};
				size_t n = utf8_char(bytes, 3);

				/* each counted once: only where the rest is zero */
				if ((n < 3 && c) || (n < 2 && b))
					continue;
				count[n]++;
			}
	assert_int_equal(count[1], 0x80);
	assert_int_equal(count[2], 0x800 - 0x80);
	assert_int_equal(count[3], 0x10000 - 0x800 - 0x800);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void references_get_file_names(void **state)
{
	static const struct {
		const char *ref, *want;
	} rows[] = {
		{"hello", "hello:latest"},
		{"hello:1.0", "hello:1.0"},
		{"localhost/hello", "localhost+hello:latest"},
		{"registry.example:5000/a/b-c_d.e:T_1", "registry.example:5000+a+b-c_d.e:T_1"},
		{"REGISTRY.example/x", "REGISTRY.example+x:latest"},
		{"a@sha256:" HEX64, "a@sha256:" HEX64},
		{"a:1@sha256:" HEX64, "a:1@sha256:" HEX64},
		{"a@sha512:" HEX64 HEX64, "a@sha512:" HEX64 HEX64},
		{"h:5000/x", "h:5000+x:latest"},
	};
	char name[STORE_REF_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(store_ref_name(rows[i].ref, name, NULL), 0);
		assert_string_equal(name, rows[i].want);
	}
}

static void bad_references_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		".",
		"..",
		"/",
		"/a",
		"a/",
		"a//b",
		"../a",
		"a/../b",
		"a/..",
		".a",
		"-a",
		"a-",
		"Hello",
		"a/B",
		"a:",
		"a:.x",
		"a:-x",
		"a:x/y/",
		"a@",
		"a@sha256:12",
		"a@md5:" HEX64,
		"a@sha256:" HEX64 "0",
		"a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"a b",
		"a\nb",
		"a+b",
		"a\\b",
		"a:t+t",
		"\xc3\xa4",
		"a@sha512:" HEX64,
	};
	char name[STORE_REF_MAX + 8] = "untouched", longest[300];
	struct fail f = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (store_ref_name(rows[i], name, &f) >= 0)
			fail_msg("\"%s\" became \"%s\"", rows[i], name);
	memset(longest, 'a', sizeof(longest));
	longest[STORE_REF_MAX] = '\0';
	assert_int_equal(store_ref_name(longest, name, &f), 0);
	assert_int_equal(strlen(name), STORE_REF_MAX + 7);
	longest[STORE_REF_MAX] = 'a';
	longest[STORE_REF_MAX + 1] = '\0';
	assert_int_equal(store_ref_name(longest, name, &f), -ENAMETOOLONG);
}

/* Components joined by [._-]+ only: the grammar in the header, checked by its own words. */
static void separators_stand_between_letters(void **state)
{
	char name[STORE_REF_MAX + 8];

	(void)state;
	assert_int_equal(store_ref_name("a__b", name, NULL), 0);
	assert_int_equal(store_ref_name("a--b", name, NULL), 0);
	assert_int_equal(store_ref_name("a.b", name, NULL), 0);
	assert_true(store_ref_name("a_", name, NULL) < 0);
	assert_true(store_ref_name("_a", name, NULL) < 0);
}

static void short_references(void **state)
{
	(void)state;
	assert_true(store_ref_short("hello"));
	assert_true(store_ref_short("hello:1"));
	assert_true(store_ref_short("hello@sha256:" HEX64));
	assert_false(store_ref_short("localhost/hello"));
	assert_false(store_ref_short("h:5000/hello"));
}

static void names_never_walk(void **state)
{
	static const char *const good[] = {"web", "web.container", "a@b", "A:1", "0", "a-b_c"};
	static const char *const bad[] = {"",    ".",  "..", ".a",  "a/b", "/",
					  "a b", "-a", "@a", "a\n", "\xff"};
	char longest[LIMIT_UNIT_NAME + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(store_name_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(store_name_valid(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[LIMIT_UNIT_NAME + 1] = '\0';
	assert_false(store_name_valid(longest));
	longest[LIMIT_UNIT_NAME] = '\0';
	assert_true(store_name_valid(longest));
	assert_true(store_hex_valid(HEX64));
	assert_true(store_hex_valid(HEX64 HEX64));
	assert_false(store_hex_valid(HEX64 "0"));
	assert_false(store_hex_valid(""));
}

/* Addresses of units that are on disks follow from them. */
static void hashes_are_those_of_fnv(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_bytes(HASH_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
	assert_true(hash_piece(hash_piece(HASH_START, "a", 1), "bc", 2) !=
		    hash_piece(hash_piece(HASH_START, "ab", 2), "c", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_grows_and_ends_with_nul),
		cmocka_unit_test(buf_formats_at_every_fill),
		cmocka_unit_test(buf_holds_nul_bytes),
		cmocka_unit_test(buf_take_hands_over),
		cmocka_unit_test(buf_that_is_bad_keeps_what_it_had),
		cmocka_unit_test(words_round_trip),
		cmocka_unit_test(words_without_last_nul_are_refused),
		cmocka_unit_test(fail_says_what_and_why),
		cmocka_unit_test(fail_is_cut_and_never_overrun),
		cmocka_unit_test(utf8_by_the_table),
		cmocka_unit_test(utf8_has_as_many_characters_as_unicode),
		cmocka_unit_test(references_get_file_names),
		cmocka_unit_test(bad_references_are_refused),
		cmocka_unit_test(separators_stand_between_letters),
		cmocka_unit_test(short_references),
		cmocka_unit_test(names_never_walk),
		cmocka_unit_test(hashes_are_those_of_fnv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
