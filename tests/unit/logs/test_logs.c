/* SPDX-License-Identifier: Apache-2.0 */
/* Records, times, rotation and rate: the pure half of orlop-log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "logs/line.h"
#include "logs/rotate.h"

#define NS 1000000000LL

static void stamps_agree_with_the_calendar(void **state)
{
	(void)state;
	/* every day from 1970 to 2261, at a different second each */
	for (int64_t day = 0; day < 106400; day++) {
		time_t sec = day * 86400 + day % 86400;
		int64_t ns = sec * NS + day * 7919 % NS, back;
		_buf_ struct buf b = {0};
		char want[64];
		struct tm tm;

		gmtime_r(&sec, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
		line_add_stamp(&b, ns);
		assert_int_equal(b.len, LINE_STAMP_LEN);
		assert_memory_equal(b.data, want, strlen(want));
		assert_true(line_parse_stamp(b.data, b.len, &back));
		assert_true(back == ns);
	}
}

static void what_is_no_stamp_is_refused(void **state)
{
	static const char *const rows[] = {
		"2026-11-24T03:31:13.12345678Z ", "2026-13-24T03:31:13.123456789Z",
		"2026-00-24T03:31:13.123456789Z", "2026-11-32T03:31:13.123456789Z",
		"2026-11-24T24:31:13.123456789Z", "2026-11-24T03:60:13.123456789Z",
		"2026-11-24 03:31:13.123456789Z", "2026-11-24T03:31:13,123456789Z",
		"2026-11-24T03:31:13.123456789z", "1969-11-24T03:31:13.123456789Z",
		"2262-11-24T03:31:13.123456789Z", "2026-11-24T03:31:13.1234567890",
		"+026-11-24T03:31:13.123456789Z", "2026-11-24T03:31:13.12345678Z",
	};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(line_parse_stamp(rows[i], strlen(rows[i]), &t));
}

/* Flags and texts of the records that data is split into. */
static void expect_split(const char *data, bool end, size_t used, const char *want)
{
	_buf_ struct buf records = {0}, got = {0};
	int64_t last = 0;
	size_t at = 0;

	assert_int_equal(line_split(data, strlen(data), end, NS, &last, &records, 1 << 20), used);
	while (at < records.len) {
		const char *newline = memchr(records.data + at, '\n', records.len - at);
		struct line line;

		assert_true(line_parse(records.data + at, (size_t)(newline - records.data) - at,
				       &line));
		buf_fmt(&got, "%c(%.*s)", (char)line.flag, (int)line.len, line.text);
		at = (size_t)(newline - records.data) + 1;
	}
	assert_string_equal(got.data ? got.data : "", want);
}

static void output_is_split_at_newlines(void **state)
{
	(void)state;
	expect_split("", false, 0, "");
	expect_split("", true, 0, "");
	expect_split("one\ntwo\n", false, 8, "F(one)F(two)");
	expect_split("one\ntw", false, 4, "F(one)");
	expect_split("one\ntw", true, 6, "F(one)P(tw)");
	expect_split("\n\n", false, 2, "F()F()");
	expect_split("2026-01-01T00:00:00.000000000Z F x\n", false, 35,
		     "F(2026-01-01T00:00:00.000000000Z F x)");
	expect_split("crlf\r\n", false, 6, "F(crlf\r)");
}

static void long_lines_are_cut_between_characters(void **state)
{
	_buf_ struct buf data = {0}, records = {0};
	struct line line;
	int64_t last = 0;

	(void)state;
	/* an a, then characters of two bytes: the limit falls into one */
	buf_chr(&data, 'a');
	while (data.len < LINE_TEXT_MAX + 3)
		buf_str(&data, "\xc3\xa4");
	assert_int_equal(line_split(data.data, data.len, false, NS, &last, &records, 1 << 20),
			 LINE_TEXT_MAX - 1);
	assert_true(line_parse(records.data, records.len - 1, &line));
	assert_int_equal(line.flag, LINE_PARTIAL);
	assert_int_equal(line.len, LINE_TEXT_MAX - 1);
	/* exactly the limit and a newline is a whole line; without newline it waits */
	buf_reset(&data);
	buf_reset(&records);
	for (size_t i = 0; i < LINE_TEXT_MAX; i++)
		buf_chr(&data, 'b');
	assert_int_equal(line_split(data.data, data.len, false, NS, &last, &records, 1 << 20), 0);
	buf_chr(&data, '\n');
	assert_int_equal(line_split(data.data, data.len, false, NS, &last, &records, 1 << 20),
			 data.len);
	assert_true(line_parse(records.data, records.len - 1, &line));
	assert_int_equal(line.flag, LINE_FULL);
	/* continuation bytes only: cut at the limit all the same */
	buf_reset(&data);
	buf_reset(&records);
	for (size_t i = 0; i < LINE_TEXT_MAX + 9; i++)
		buf_chr(&data, '\x80');
	assert_int_equal(line_split(data.data, data.len, false, NS, &last, &records, 1 << 20),
			 LINE_TEXT_MAX);
}

static void output_is_taken_in_bounded_batches(void **state)
{
	_buf_ struct buf data = {0};
	int64_t last = 0;
	size_t at = 0, batches = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_chr(&data, '\n');
	while (at < data.len) {
		_buf_ struct buf records = {0};

		at += line_split(data.data + at, data.len - at, false, NS, &last, &records, 4096);
		assert_true(records.len <= 4096 + LINE_PREFIX_LEN + 1);
		batches++;
	}
	assert_in_range(batches, 80, 90);
}

static void times_rise_until_the_clock_is_set_back(void **state)
{
	static const struct {
		int64_t now, want;
	} rows[] = {
		{1000 * NS, 1000 * NS}, {1000 * NS, 1000 * NS + 1}, {1000 * NS - 5, 1000 * NS + 2},
		{1001 * NS, 1001 * NS}, {500 * NS, 500 * NS},       {500 * NS, 500 * NS + 1},
	};
	int64_t last = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_buf_ struct buf b = {0};
		struct line line;

		line_split("x\n", 2, false, rows[i].now, &last, &b, 100);
		assert_true(line_parse(b.data, b.len - 1, &line));
		assert_true(line.time == rows[i].want);
	}
}

static void markers_are_not_from_the_unit(void **state)
{
	_buf_ struct buf b = {0};
	int64_t last = 0;
	struct line line;

	(void)state;
	line_add_dropped(&b, UINT64_MAX, NS, &last);
	assert_true(line_parse(b.data, b.len - 1, &line));
	assert_int_equal(line.flag, LINE_MARKER);
	assert_memory_equal(line.text, "18446744073709551615 bytes dropped", line.len);
	/* a unit that prints a marker gets an F before it */
	expect_split("5 bytes dropped\n", false, 16, "F(5 bytes dropped)");
}

static void records_of_no_kind_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"2026-11-24T03:31:13.123456789Z",
		"2026-11-24T03:31:13.123456789Z F",
		"2026-11-24T03:31:13.123456789Z X text",
		"2026-11-24T03:31:13.123456789ZF  text",
		"2026-11-24T03:31:13.123456789Z Ftext",
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(line_parse(rows[i], strlen(rows[i]), &line));
	assert_true(line_parse("2026-11-24T03:31:13.123456789Z F ", 33, &line));
	assert_int_equal(line.len, 0);
}

static void points_in_time_are_read(void **state)
{
	const int64_t now = 1795491987LL * NS + 5;
	static const struct {
		const char *text;
		int64_t want; /* ns, or before now if negative; 1 = refused */
	} rows[] = {
		{"90s", -90 * NS},
		{"10m", -600 * NS},
		{"2h", -7200 * NS},
		{"3d", -3 * 86400 * NS},
		{"1w", -7 * 86400 * NS},
		{"0s", -0},
		{"100000000w", 0},
		{"@0", 0},
		{"@1795491987", 1795491987LL * NS},
		{"1970-01-02", 86400 * NS},
		{"1970-01-01T00:00:01", NS},
		{"1970-01-01 00:00:01", NS},
		{"1970-01-01T00:00:01.5Z", NS + NS / 2},
		{"1970-01-01T02:00:01+02:00", NS},
		{"1970-01-01T00:00:01-00:30", 1801 * NS},
		{"1970-01-01T00:00:01+02:00", 0},
		{"2024-02-29", 1709164800LL * NS},
		{"", 1},
		{"m", 1},
		{"10", 1},
		{"10x", 1},
		{"-5m", 1},
		{"@", 1},
		{"@x", 1},
		{"@-5", 1},
		{"@99999999999999", 1},
		{"2026-1-1", 1},
		{"2026-01-01T", 1},
		{"2026-01-01T12", 1},
		{"2026-01-01T12:00:00.", 1},
		{"2026-01-01T12:00:00+1", 1},
		{"yesterday", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = -7, want = rows[i].want;
		bool ok = line_parse_since(rows[i].text, now, &got);

		if (ok != (want != 1))
			fail_msg("\"%s\"", rows[i].text);
		if (!strcmp(rows[i].text, "0s") || want < 0)
			want += now;
		if (ok && got != want)
			fail_msg("\"%s\" is %lld", rows[i].text, (long long)got);
	}
}

static void options_are_read(void **state)
{
	static const char *const bad[] = {"size",    "size=",      "size=1",
					  "size=2G", "size=1X",    "size=-1",
					  "files=0", "files=1001", "colour=1",
					  "",        "size=1M M",  "rate=99999999999999999999"};
	struct rotate_options o = rotate_defaults;
	struct fail f = {0};

	(void)state;
	assert_int_equal(rotate_option(&o, "size=64K", &f), 0);
	assert_int_equal(o.size, 64 << 10);
	assert_int_equal(rotate_option(&o, "size=1G", &f), 0);
	assert_int_equal(rotate_option(&o, "files=1", &f), 0);
	assert_int_equal(rotate_option(&o, "rate=0", &f), 0);
	assert_true(o.size == 1u << 30 && o.files == 1 && o.rate == 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(rotate_option(&o, bad[i], &f), -EINVAL);
	assert_true(o.size == 1u << 30 && o.files == 1 && o.rate == 0);
}

static void files_have_numbers_that_sort(void **state)
{
	static const char *const bad[] = {"current",
					  "1.log",
					  "0000000001.logx",
					  "0000000001.gz",
					  "00000000012.log",
					  "-000000001.log",
					  "",
					  ".log"};
	uint64_t numbers[] = {5, 3, 9, 1};
	char name[ROTATE_NAME_MAX];

	(void)state;
	rotate_name(name, 42);
	assert_string_equal(name, "0000000042.log");
	assert_int_equal(rotate_number(name), 42);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(rotate_number(bad[i]), 0);
	assert_int_equal(rotate_surplus(numbers, 4, 3), 1);
	assert_true(numbers[0] == 1 && numbers[1] == 3 && numbers[2] == 5 && numbers[3] == 9);
	assert_int_equal(rotate_surplus(numbers, 4, 4), 0);
	assert_int_equal(rotate_surplus(numbers, 4, 0), 4);
	assert_int_equal(rotate_surplus(NULL, 0, 0), 0);
}

static void a_file_never_grows_past_its_size(void **state)
{
	struct rotate_options o = {.size = 100};

	(void)state;
	assert_false(rotate_due(&o, 0, 100));
	assert_false(rotate_due(&o, 60, 40));
	assert_true(rotate_due(&o, 60, 41));
	assert_true(rotate_due(&o, 100, 1));
}

static void a_flood_is_cut_to_its_rate(void **state)
{
	struct rotate_budget b = {0};
	const uint64_t rate = 1 << 20, step = 64 << 10;
	uint64_t written = 0, changes = 0;
	bool was = false;

	(void)state;
	/* 100 seconds, an offer of 64 KiB each millisecond */
	for (int64_t ms = 0; ms < 100000; ms++) {
		bool dropping = rotate_dropping(&b, rate, ms * 1000000);

		changes += dropping != was;
		was = dropping;
		if (dropping)
			continue;
		rotate_spend(&b, step);
		written += step;
	}
	/* two seconds' worth at once, and a batch too much each time the bucket runs dry */
	assert_in_range(written, 99 * rate, 108 * rate);
	assert_in_range(changes, 100, 220); /* two markers a second at most */
}

static void a_quiet_unit_is_never_cut(void **state)
{
	struct rotate_budget b = {0};

	(void)state;
	for (int64_t s = 0; s < 1000; s++) {
		assert_false(rotate_dropping(&b, 1000, s * NS));
		rotate_spend(&b, 999);
	}
	for (int i = 0; i < 100; i++) { /* rate 0: no bound */
		assert_false(rotate_dropping(&b, 0, 0));
		rotate_spend(&b, UINT64_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_agree_with_the_calendar),
		cmocka_unit_test(what_is_no_stamp_is_refused),
		cmocka_unit_test(output_is_split_at_newlines),
		cmocka_unit_test(long_lines_are_cut_between_characters),
		cmocka_unit_test(output_is_taken_in_bounded_batches),
		cmocka_unit_test(times_rise_until_the_clock_is_set_back),
		cmocka_unit_test(markers_are_not_from_the_unit),
		cmocka_unit_test(records_of_no_kind_are_refused),
		cmocka_unit_test(points_in_time_are_read),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(files_have_numbers_that_sort),
		cmocka_unit_test(a_file_never_grows_past_its_size),
		cmocka_unit_test(a_flood_is_cut_to_its_rate),
		cmocka_unit_test(a_quiet_unit_is_never_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
