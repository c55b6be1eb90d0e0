/* SPDX-License-Identifier: Apache-2.0 */
/* Verb table, arguments, suggestions, tables, and what reaches a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/run_text.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/verbs.h"

static void every_verb_is_complete_and_unique(void **state)
{
	(void)state;
	for (const struct verb *v = verbs; v->name; v++) {
		size_t n = 0;

		assert_non_null(v->run);
		assert_non_null(v->usage);
		assert_true(strlen(v->help) > 10);
		assert_ptr_equal(verb_find(v->name), v);
		for (const struct verb_option *o = v->options; o->name; o++, n++) {
			assert_non_null(o->help);
			for (const struct verb_option *other = v->options; other != o; other++) {
				assert_string_not_equal(o->name, other->name);
				assert_false(o->letter && o->letter == other->letter);
			}
		}
		assert_true(n < ARGS_OPTIONS_MAX);
	}
	assert_null(verb_find("no-such-verb"));
}

static void misspelled_verbs_are_guessed(void **state)
{
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{"staus", "status"},  {"statsu", "status"},   {"pss", "ps"},
		{"logz", "logs"},     {"restrat", "restart"}, {"power-off", "poweroff"},
		{"relaod", "reload"}, {"shutdownnow", NULL},  {"xyzzy", NULL},
		{"Stop", "stop"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct verb *guess = verb_guess(rows[i].typed);

		if (!rows[i].meant)
			assert_null(guess);
		else
			assert_string_equal(guess->name, rows[i].meant);
	}
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("abc", "abc"), 0);
	assert_int_equal(suggest_distance("ab", "ba"), 1);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("a", "0123456789012345678901234567890123456789"), 40);
}

static int parse(const char *verb, const char *line, struct args *a, struct fail *f)
{
	static char text[500];
	static char *argv[32];
	int argc = 1;

	argv[0] = (char *)verb;
	strcpy(text, line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return args_parse(verb_find(verb), argc, argv, a, f);
}

static void options_have_all_the_usual_forms(void **state)
{
	static const char *const forms[] = {
		"-f -n 5 web",      "-fn5 web",   "--follow --lines=5 web",
		"--lines 5 web -f", "web -n5 -f", "-n 5 -f -- web",
	};
	struct args a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		assert_int_equal(parse("logs", forms[i], &a, NULL), 0);
		assert_true(args_has(&a, "follow"));
		assert_false(args_has(&a, "json"));
		assert_string_equal(args_value(&a, "lines"), "5");
		assert_int_equal(a.n_words, 1);
		assert_string_equal(a.words[0], "web");
		assert_null(a.words[1]);
	}
	assert_int_equal(parse("stop", "-- -web a --json", &a, NULL), 0);
	assert_int_equal(a.n_words, 3);
	assert_string_equal(a.words[0], "-web");
	assert_false(args_has(&a, "json"));
	assert_int_equal(parse("stop", "-", &a, NULL), 0);
	assert_string_equal(a.words[0], "-");
}

static void wrong_arguments_are_told(void **state)
{
	static const struct {
		const char *verb, *line, *text;
	} rows[] = {
		{"logs", "", "logs needs UNIT"},
		{"logs", "a b", "logs does not know what to do with \"b\""},
		{"logs", "--nope a", "logs has no option --nope"},
		{"logs", "-x a", "logs has no option -x"},
		{"logs", "a -n", "-n needs a value: N"},
		{"logs", "a --lines", "--lines needs a value: N"},
		{"logs", "a --follow=1", "--follow takes no value"},
		{"ps", "web", "ps does not know what to do with \"web\""},
		{"start", "", "start needs UNIT..."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fail f = {0};
		struct args a;

		assert_int_equal(parse(rows[i].verb, rows[i].line, &a, &f), -EINVAL);
		assert_string_equal(f.text, rows[i].text);
	}
}

static void numbers_are_checked(void **state)
{
	static const char *const bad[] = {"", "x", "1x", "-1", "11", "99999999999999999999", " "};
	int64_t n = 0;

	(void)state;
	assert_int_equal(args_number("10", "--lines", 0, 10, &n, NULL), 0);
	assert_int_equal(n, 10);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(args_number(bad[i], "--lines", 0, 10, &n, NULL), -EINVAL);
}

static void terminals_are_safe_from_text(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *want;
	} rows[] = {
		{"plain \xc3\xa4 \xe2\x82\xac", 12, "plain \xc3\xa4 \xe2\x82\xac"},
		{"\x1b]0;title\x07", 10, "\\x1b]0;title\\x07"},
		{"a\nb\rc\bd\0e", 9, "a\\x0ab\\x0dc\\x08d\\x00e"},
		{"\x7f", 1, "\\x7f"},
		{"\xc2\x9b"
		 "31m",
		 5, "\\x9b31m"}, /* C1 control sequence introducer */
		{"\x9b", 1, "\\x9b"},
		{"\xff\xfe", 2, "\\xff\\xfe"},
		{"\xe2\x80\xae"
		 "gpj.exe",
		 10, "\\u{202e}gpj.exe"}, /* right-to-left override */
		{"\xe2\x80\x8b", 3, "\\u{200b}"},
		{"\xef\xbb\xbf", 3, "\\u{feff}"},
		{"\xf3\xa0\x81\x81", 4, "\\u{e0041}"}, /* tag characters */
		{"back\\slash", 10, "back\\slash"},
		{"\xe2\x82", 2, "\\xe2\\x82"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_buf_ struct buf b = {0};

		text_escape(&b, rows[i].in, rows[i].len, false);
		assert_string_equal(b.data, rows[i].want);
	}
}

static void tabs_stay_where_they_may(void **state)
{
	_buf_ struct buf with = {0}, without = {0};

	(void)state;
	text_escape(&with, "a\tb", 3, true);
	text_escape(&without, "a\tb", 3, false);
	assert_string_equal(with.data, "a\tb");
	assert_string_equal(without.data, "a\\x09b");
}

/* No byte string of up to three bytes gets a control character through. */
static void no_three_bytes_get_through(void **state)
{
	(void)state;
	for (unsigned a = 0x80; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			char in[3] = {(char)a, (char)b, 'x'};
			_buf_ struct buf out = {0};

			text_escape(&out, in, 3, false);
			for (size_t i = 0; i < out.len; i++) {
				unsigned char c = (unsigned char)out.data[i];

				assert_true(c >= 0x20 && c != 0x7f);
				assert_false(c == 0xc2 && (unsigned char)out.data[i + 1] < 0xa0);
			}
		}
}

static void durations_and_sizes_are_for_people(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} times[] = {{-5, "0s"},   {0, "0s"},    {59, "59s"},     {60, "1m"},    {200, "3m 20s"},
		     {3600, "1h"}, {3659, "1h"}, {3660, "1h 1m"}, {86400, "1d"}, {100000, "1d 3h"}};
	static const struct {
		int64_t bytes;
		const char *want;
	} sizes[] = {{0, "0 B"},
		     {1023, "1023 B"},
		     {1024, "1.0 KiB"},
		     {1536, "1.5 KiB"},
		     {1 << 20, "1.0 MiB"},
		     {(1 << 20) - 1, "1023.9 KiB"},
		     {3435973837, "3.2 GiB"},
		     {INT64_MAX, "8191.9 PiB"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		_buf_ struct buf b = {0};

		text_duration(&b, times[i].seconds);
		assert_string_equal(b.data, times[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_buf_ struct buf b = {0};

		text_bytes(&b, sizes[i].bytes);
		assert_string_equal(b.data, sizes[i].want);
	}
}

static void a_table_is_aligned(void **state)
{
	static const char *const headings[] = {"UNIT", "STATE", "PORTS"};
	_buf_ struct buf b = {0};
	struct table t;

	(void)state;
	table_init(&t, headings, 3);
	table_add(&t, "web.container", TABLE_PLAIN);
	table_add(&t, "up", TABLE_GOOD);
	table_add(&t, "0.0.0.0:8080->80/tcp", TABLE_PLAIN);
	table_add(&t, "\xc3\xa4", TABLE_PLAIN);
	table_add(&t, NULL, TABLE_PLAIN);
	table_add(&t, "", TABLE_PLAIN);
	table_print(&t, 0, false, &b);
	assert_string_equal(b.data, "UNIT           STATE  PORTS\n"
				    "web.container  up     0.0.0.0:8080->80/tcp\n"
				    "\xc3\xa4              -      -\n");
	buf_reset(&b);
	table_print(&t, 29, true, &b);
	assert_string_equal(b.data,
			    "UNIT        STATE  PORTS\n"
			    "web.conta\xe2\x80\xa6  \x1b[32mup\x1b[0m     0.0.0.0:8\xe2\x80\xa6\n"
			    "\xc3\xa4           -      -\n");
	for (size_t width = 1; width < 50; width++) {
		buf_reset(&b);
		table_print(&t, width, false, &b);
		for (char *line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(width < 5 || text_width(line, strlen(line)) <= width);
	}
	table_done(&t);
}

static void a_cell_cannot_break_out_of_its_table(void **state)
{
	static const char *const headings[] = {"STATUS"};
	_buf_ struct buf b = {0};
	struct table t;

	(void)state;
	table_init(&t, headings, 1);
	table_add(&t, "ok\nroot  up\x1b[2J", TABLE_PLAIN);
	table_print(&t, 0, false, &b);
	assert_string_equal(b.data, "STATUS\nok\\x0aroot  up\\x1b[2J\n");
	table_done(&t);
}

static const char *one_variable(const char *name)
{
	return strcmp(name, "HERE") ? NULL : "its value";
}

static void a_run_is_the_text_of_a_unit(void **state)
{
	char *argv[] = {"run",
			"--rm",
			"-it",
			"-e",
			"A=1 \"2\" %n $X \\",
			"-e",
			"HERE",
			"-e",
			"NOT",
			"-v",
			"data:/data",
			"--entrypoint",
			"a\"b$",
			"--cpus=1.5",
			"--device-read-bps=/dev/vda:1mb",
			"--device-write-iops",
			"/srv/a b:50",
			"--init",
			"localhost/x",
			"sh",
			"-c",
			"echo $X 100%\n",
			NULL};
	_buf_ struct buf b = {0};
	struct fail f = {0};
	struct args a;

	(void)state;
	assert_int_equal(args_parse(verb_find("run"), ARRAY_LEN(argv) - 1, argv, &a, &f), 0);
	assert_int_equal(run_text(&a, "try", one_variable, &b, &f), 0);
	assert_string_equal(b.data, "# made by orlop run, gone with the unit\n"
				    "[Container]\n"
				    "Image=localhost/x\n"
				    "ContainerName=try\n"
				    "PodmanArgs=\"--cpus=1.5\"\n"
				    "PodmanArgs=\"--device-read-bps=/dev/vda:1mb\"\n"
				    "PodmanArgs=\"--device-write-iops=/srv/a b:50\"\n"
				    "Entrypoint=[\"a\\\"b$$\"]\n"
				    "Environment=\"A=1 \\\"2\\\" %%n $X \\\\\"\n"
				    "Environment=\"HERE=its value\"\n"
				    "RunInit=true\n"
				    "Volume=data:/data\n"
				    "Exec=\"sh\" \"-c\" \"echo $$X 100%%\\x0a\"\n"
				    "[Service]\n"
				    "Restart=no\n");
}

static void a_value_is_never_another_key(void **state)
{
	static const char *const bad[] = {"/a:/a\nUserNS=host", "/a:/a\\", "/a:/a\r", "/a\x7f:/a"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *argv[] = {"run", "-v", (char *)bad[i], "x", NULL};
		_buf_ struct buf b = {0};
		struct fail f = {0};
		struct args a;

		assert_int_equal(args_parse(verb_find("run"), 4, argv, &a, &f), 0);
		assert_true(run_text(&a, "try", one_variable, &b, &f) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_is_complete_and_unique),
		cmocka_unit_test(misspelled_verbs_are_guessed),
		cmocka_unit_test(options_have_all_the_usual_forms),
		cmocka_unit_test(wrong_arguments_are_told),
		cmocka_unit_test(numbers_are_checked),
		cmocka_unit_test(terminals_are_safe_from_text),
		cmocka_unit_test(tabs_stay_where_they_may),
		cmocka_unit_test(no_three_bytes_get_through),
		cmocka_unit_test(durations_and_sizes_are_for_people),
		cmocka_unit_test(a_table_is_aligned),
		cmocka_unit_test(a_cell_cannot_break_out_of_its_table),
		cmocka_unit_test(a_run_is_the_text_of_a_unit),
		cmocka_unit_test(a_value_is_never_another_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
