/* SPDX-License-Identifier: Apache-2.0 */
/* Structs as words: what goes out comes back, and nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "units/record.h"

struct pair {
	char *key, *value;
};

struct thing {
	char *name, *absent;
	bool on, off;
	int64_t count, zero;
	struct strlist words;
	struct pair *pairs;
	size_t n_pairs;
};

static const struct record_row rows[] = {
	RECORD_ROW_STR(struct thing, "name", name),
	RECORD_ROW_STR(struct thing, "absent", absent),
	RECORD_ROW_BOOL(struct thing, "on", on),
	RECORD_ROW_BOOL(struct thing, "off", off),
	RECORD_ROW_INT(struct thing, "count", count),
	RECORD_ROW_INT(struct thing, "zero", zero),
	RECORD_ROW_LIST(struct thing, "word", words),
	RECORD_ROW_TUPLES(struct thing, "pair", pairs, n_pairs),
	{0},
};

static void fill(struct thing *t)
{
	*t = (struct thing){.name = strdup(""), .on = true, .count = INT64_MIN};
	assert_int_equal(strlist_add(&t->words, "a b"), 0);
	assert_int_equal(strlist_add(&t->words, ""), 0);
	for (int i = 0; i < 2; i++) {
		char **cells = record_append((void **)&t->pairs, &t->n_pairs, 2);

		assert_non_null(cells);
		cells[0] = strdup("k\n=\"");
		cells[1] = i ? strdup("v") : NULL;
	}
}

static void comes_back_as_it_went(void **state)
{
	_buf_ struct buf b = {0}, again = {0};
	struct thing in, out = {0};

	(void)state;
	fill(&in);
	record_encode(rows, &in, &b);
	assert_int_equal(record_decode(rows, &out, b.data, b.len, NULL), 0);
	assert_string_equal(out.name, "");
	assert_null(out.absent);
	assert_true(out.on && !out.off);
	assert_true(out.count == INT64_MIN && out.zero == 0);
	assert_int_equal(out.words.n, 2);
	assert_string_equal(out.words.items[0], "a b");
	assert_string_equal(out.words.items[1], "");
	assert_null(out.words.items[2]);
	assert_int_equal(out.n_pairs, 2);
	assert_string_equal(out.pairs[0].key, "k\n=\"");
	assert_string_equal(out.pairs[0].value, ""); /* NULL travels as "" */
	assert_string_equal(out.pairs[1].value, "v");
	record_encode(rows, &out, &again);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	record_done(rows, &in);
	record_done(rows, &out);
	assert_null(out.pairs);
	assert_int_equal(out.words.n, 0);
}

/* Cut after any word, a spec is whole or refused; refused, it leaves nothing behind. */
static void cut_anywhere_leaves_nothing_behind(void **state)
{
	static const struct thing empty;
	_buf_ struct buf b = {0};
	struct thing in, out;
	int whole = 0;

	(void)state;
	fill(&in);
	record_encode(rows, &in, &b);
	for (size_t len = 0; len <= b.len; len++) {
		struct fail f = {0};

		out = empty;
		if (record_decode(rows, &out, b.data, len, &f) == 0) {
			whole++;
			record_done(rows, &out);
		} else {
			assert_int_equal(f.code, EBADMSG);
		}
		assert_memory_equal(&out, &empty, sizeof(out));
	}
	/* the empty one and after each of: name, on, count, word, word, pair, pair */
	assert_int_equal(whole, 8);
	record_done(rows, &in);
}

static void refuses(const char *data, size_t len)
{
	struct thing out = {0};

	assert_int_equal(record_decode(rows, &out, data, len, NULL), -EBADMSG);
}

static void what_is_unknown_is_refused(void **state)
{
	(void)state;
	refuses("unknown", 8);
	refuses("", 1);
	refuses("count\0x", 8);
	refuses("count\0", 7);
	refuses("count\0001 ", 9);
	refuses("count\00099999999999999999999", 27);
	refuses("name", 5);
	refuses("name\0x", 6); /* no NUL at the end */
}

static void the_last_string_wins(void **state)
{
	static const char data[] = "name\0one\0name\0two";
	struct thing out = {0};

	(void)state;
	assert_int_equal(record_decode(rows, &out, data, sizeof(data), NULL), 0);
	assert_string_equal(out.name, "two");
	record_done(rows, &out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_went),
		cmocka_unit_test(cut_anywhere_leaves_nothing_behind),
		cmocka_unit_test(what_is_unknown_is_refused),
		cmocka_unit_test(the_last_string_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
