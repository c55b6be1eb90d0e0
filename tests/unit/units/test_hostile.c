/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that want to cost more than their size: time that grows with a square, memory that grows with a
 * product, units that make more units. Each was a hang or an exhausted machine once; each has to end
 * with a message for its unit, while a unit beside it loads. Processor time is bounded far above
 * what is needed and far below what it was.
 */
#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "tests/unit/units/load_text.h"

#define SECONDS_MAX 20 /* of this process; the sanitizers and a loaded machine are in it */

static const char good[] = "[Container]\nImage=localhost/good\n";

/* `times` copies of a line behind a head. */
static char *many(const char *head, const char *line, size_t times)
{
	_buf_ struct buf b = {0};
	char *text;

	buf_str(&b, head);
	for (size_t i = 0; i < times; i++)
		buf_str(&b, line);
	assert_false(b.bad);
	text = b.data;
	b = (struct buf){0};
	return text;
}

static clock_t started;

static int start_clock(void **state)
{
	(void)state;
	started = clock();
	return 0;
}

static int stop_clock(void **state)
{
	(void)state;
	if (clock() - started > (clock_t)SECONDS_MAX * CLOCKS_PER_SEC)
		fail_msg("took %ld s", (long)((clock() - started) / CLOCKS_PER_SEC));
	return 0;
}

/* Loads it beside a good unit; the text is freed. */
static struct unit_set *load(const char *name, char *text)
{
	struct unit_set *set = load_files(name, text, "/u/good.container", good, NULL);

	free(text);
	assert_int_equal(get(set, "good.container")->state, UNIT_OK);
	return set;
}

static void expect_limit(struct unit_set *set, const char *name)
{
	assert_int_equal(get(set, name)->state, UNIT_REJECTED);
	assert_non_null(find_diag(set, U_LIMIT));
	unit_set_free(set);
}

/* D32. */
static void a_file_of_nothing_but_mistakes(void **state)
{
	struct unit_set *set = load("/u/x.container", many(good, "x\n", 500000));

	(void)state;
	assert_true(set->n_diags <= LIMIT_UNIT_MISTAKES + 1);
	assert_non_null(strstr(find_diag(set, U_LIMIT)->message, "499900 more mistakes"));
	expect_limit(set, "x.container");
}

static void wrong_values_without_end(void **state)
{
	struct unit_set *set = load("/u/x.container",
				    many(good, "AddCapability=A B C D E F G H\n", 4000));

	(void)state;
	assert_true(set->n_diags <= LIMIT_UNIT_MISTAKES + 1);
	expect_limit(set, "x.container");
}

static void names_of_missing_units_without_end(void **state)
{
	struct unit_set *set = load("/u/x.container",
				    many("[Container]\nImage=localhost/x\n[Unit]\n",
					 "Requires=a.container b.volume c.pod\n", 1300));

	(void)state;
	assert_int_equal(get(set, "x.container")->state, UNIT_REJECTED);
	assert_true(set->n_diags <= 2 * LIMIT_UNIT_MISTAKES + 2);
	unit_set_free(set);
}

static void a_continued_line_over_the_limit_that_ends_with_the_file(void **state)
{
	struct unit_set *set = load("/u/x.container", many("[Container]\nImage=localhost/x\nExec=a",
							   "aaaaaaaaaaaaaaaa \\\n", 5000));

	(void)state;
	expect_limit(set, "x.container");
}

static void a_continued_line_with_a_name_on_each(void **state)
{
	struct unit_set *set =
		load("/u/x.container",
		     many("[Container]\nImage=localhost/x\n[Unit]\nAfter=a.b ", "a.b \\\n", 13000));

	(void)state;
	expect_limit(set, "x.container");
}

static char *disks(unsigned n)
{
	_buf_ struct buf b = {0};
	char *text;

	buf_fmt(&b, "%s[Service]\n", good);
	for (unsigned i = 0; i < n; i++)
		buf_fmt(&b, "IOReadBandwidthMax=/dev/vda 1M\nIOReadBandwidthMax=/dev/%u 1M\n", i);
	assert_false(b.bad);
	text = b.data;
	b = (struct buf){0};
	return text;
}

static void more_disks_than_a_key_may_be_about(void **state)
{
	struct unit_set *set = load("/u/x.container", disks(LIMIT_UNIT_DISKS));

	(void)state;
	expect_limit(set, "x.container");
	/* a path that is written again is one */
	set = load("/u/x.container", disks(LIMIT_UNIT_DISKS - 1));
	assert_int_equal(get(set, "x.container")->state, UNIT_OK);
	assert_int_equal(get(set, "x.container")->exec->limits.io_max[IO_READ_BANDWIDTH].n,
			 LIMIT_UNIT_DISKS);
	unit_set_free(set);
}

static void a_template_whose_instances_name_two_more(void **state)
{
	struct unit_set *set = load_files(
		"/u/foo@.container",
		"[Unit]\nRequires=foo@%i0.container foo@%i1.container\n[Container]\nImage=localhost/x\n",
		"/u/x.container", "[Unit]\nAfter=foo@a.container\n[Container]\nImage=localhost/x\n",
		"/u/good.container", good, NULL);

	(void)state;
	assert_int_equal(get(set, "good.container")->state, UNIT_OK);
	assert_int_equal(get(set, "x.container")->state, UNIT_OK);
	assert_true(set->n <= LIMIT_UNIT_INSTANCES + 20);
	assert_non_null(find_diag(set, U_NO_UNIT));
	assert_non_null(strstr(find_diag(set, U_NO_UNIT)->hint, "instances already"));
	unit_set_free(set);
}

static void all_ports_a_thousand_times(void **state)
{
	struct unit_set *set = load("/u/x.container",
				    many(good, "PublishPort=1-65535:1-65535\n", 1000));

	(void)state;
	assert_true(get(set, "x.container")->container->n_ports <= LIMIT_UNIT_PORTS);
	expect_limit(set, "x.container");
}

static void a_range_of_ports_as_telephones_need_it_is_fine(void **state)
{
	struct unit_set *set = load_container("PublishPort=10000-20000:10000-20000/udp\n");

	(void)state;
	assert_no_error(set);
	assert_int_equal(get(set, "x.container")->container->n_ports, 10001);
	unit_set_free(set);
}

static void a_variable_that_is_filled_in_again_and_again(void **state)
{
	char *value = many("[Service]\nEnvironment=X=", "0123456789", 6000);
	char *text = many(value, "", 1), *whole;

	(void)state;
	free(value);
	value = many("\n[Container]\nImage=localhost/x\n",
		     "Label=a=${X}${X}${X}${X} b=${X}${X}${X}${X}\n", 1000);
	whole = many(text, value, 1);
	free(value);
	free(text);
	expect_limit(load("/u/x.container", whole), "x.container");
}

static void a_variable_that_splits_into_more_words_again_and_again(void **state)
{
	char *text = many("[Service]\nEnvironment=\"X=", "a ", 30000), *value, *whole;

	(void)state;
	value = many("\"\n[Container]\nImage=localhost/x\nExec=", " $X", 20000);
	whole = many(text, value, 1);
	free(value);
	free(text);
	expect_limit(load("/u/x.container", whole), "x.container");
}

static void a_hundred_thousand_variables_backwards(void **state)
{
	_buf_ struct buf b = {0};
	char *text;

	(void)state;
	buf_str(&b, good);
	for (int i = 100000; i > 0; i--)
		buf_fmt(&b, "%sV%06d=", i % 5000 == 0 ? "\nEnvironment=" : " ", i);
	text = b.data;
	b = (struct buf){0};
	expect_limit(load("/u/x.container", text), "x.container");
}

static void more_keys_than_a_unit_may_have_in_its_drop_ins(void **state)
{
	char *text = many("[Container]\n", "AddHost=a:192.0.2.1\n", 3000);
	struct unit_set *set = load_files("/u/x.container", good, "/u/x.container.d/1.conf", text,
					  "/u/x.container.d/2.conf", text, "/u/good.container",
					  good, NULL);

	(void)state;
	free(text);
	expect_limit(set, "x.container");
}

/* Sets of many files, by name and text. */
struct many_files {
	struct unit_file *files;
	size_t n;
};

static void add_file(struct many_files *m, char *path, const char *text)
{
	if (!(m->n & (m->n - 1))) /* room doubles */
		m->files = realloc(m->files, (m->n ? 2 * m->n : 1) * sizeof(*m->files));
	assert_non_null(m->files);
	m->files[m->n++] = (struct unit_file){.path = path, .data = text, .len = strlen(text)};
}

static struct unit_set *load_many(struct many_files *m)
{
	struct units_input in = {.files = m->files, .n_files = m->n};
	struct unit_set *set = NULL;

	assert_int_equal(units_load(&in, &set, NULL), 0);
	return set;
}

static void free_many(struct many_files *m)
{
	for (size_t i = 0; i < m->n; i++)
		free((char *)m->files[i].path);
	free(m->files);
}

static char *path_of(const char *before, int i, const char *after)
{
	_buf_ struct buf b = {0};
	char *path;

	buf_fmt(&b, "/u/%s%d%s", before, i, after);
	path = b.data;
	b = (struct buf){0};
	return path;
}

static void fifty_thousand_drop_ins_of_one_unit(void **state)
{
	struct many_files m = {0};
	struct unit_set *set;

	(void)state;
	add_file(&m, path_of("x", 1, ".container"), good);
	for (int i = 0; i < 50000; i++)
		add_file(&m, path_of("x1.container.d/", 50000 - i, ".conf"), "[Unit]\n");
	set = load_many(&m);
	assert_int_equal(get(set, "x1.container")->n_sources, 50001);
	unit_set_free(set);
	free_many(&m);
}

static void ten_thousand_cycles_of_two(void **state)
{
	struct many_files m = {0};
	struct unit_set *set;
	static char text[2][10000][80];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(text[0][i], 80, "[Unit]\nAfter=b%d.service\n[Service]\nExecStart=/bin/a\n",
			 i);
		snprintf(text[1][i], 80, "[Unit]\nAfter=a%d.service\n[Service]\nExecStart=/bin/a\n",
			 i);
		add_file(&m, path_of("a", i, ".service"), text[0][i]);
		add_file(&m, path_of("b", i, ".service"), text[1][i]);
	}
	set = load_many(&m);
	assert_int_equal(set->n_errors, 20000);
	unit_set_free(set);
	free_many(&m);
}

static void one_cycle_of_twenty_thousand(void **state)
{
	struct many_files m = {0};
	struct unit_set *set;
	static char text[20000][80];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(text[i], 80, "[Unit]\nAfter=a%d.service\n[Service]\nExecStart=/bin/a\n",
			 (i + 1) % 20000);
		add_file(&m, path_of("a", i, ".service"), text[i]);
	}
	set = load_many(&m);
	assert_int_equal(set->n_errors, 20000);
	/* One text for all of them. */
	assert_ptr_equal(set->diags[0]->hint, set->diags[19999]->hint);
	unit_set_free(set);
	free_many(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_clock, stop_clock)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_of_nothing_but_mistakes),
		TEST(wrong_values_without_end),
		TEST(names_of_missing_units_without_end),
		TEST(a_continued_line_over_the_limit_that_ends_with_the_file),
		TEST(a_continued_line_with_a_name_on_each),
		TEST(more_disks_than_a_key_may_be_about),
		TEST(a_template_whose_instances_name_two_more),
		TEST(all_ports_a_thousand_times),
		TEST(a_range_of_ports_as_telephones_need_it_is_fine),
		TEST(a_variable_that_is_filled_in_again_and_again),
		TEST(a_variable_that_splits_into_more_words_again_and_again),
		TEST(a_hundred_thousand_variables_backwards),
		TEST(more_keys_than_a_unit_may_have_in_its_drop_ins),
		TEST(fifty_thousand_drop_ins_of_one_unit),
		TEST(ten_thousand_cycles_of_two),
		TEST(one_cycle_of_twenty_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
