/* SPDX-License-Identifier: Apache-2.0 */
/* The image's config and the unit's wishes, merged by Docker's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "runtime/merge.h"

static struct container_spec spec;
static struct image image;
static struct process process;

static void add(struct strlist *list, const char *word)
{
	assert_int_equal(strlist_add(list, word), 0);
}

static int setup(void **state)
{
	(void)state;
	add(&image.entrypoint, "/entry");
	add(&image.cmd, "cmd");
	add(&image.env, "PATH=/image");
	add(&image.env, "A=image");
	spec.name = strdup("box");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	process_done(&process);
	image_done(&image);
	spec_done(&spec);
	return 0;
}

static void merged(const char *argv)
{
	char text[256] = {0};

	assert_int_equal(process_merge(&process, &spec, &image, NULL), 0);
	for (size_t i = 0; i < process.argv.n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, process.argv.items[i]);
	}
	assert_string_equal(text, argv);
}

static void image_alone(void **state)
{
	(void)state;
	merged("/entry cmd");
	assert_string_equal(process.workdir, "/");
	assert_string_equal(process.user, "");
}

static void exec_replaces_the_command(void **state)
{
	(void)state;
	add(&spec.exec, "mine");
	merged("/entry mine");
}

static void entrypoint_drops_the_command(void **state)
{
	(void)state;
	spec.entrypoint_set = true;
	add(&spec.entrypoint, "/other");
	merged("/other");
}

static void empty_entrypoint_leaves_exec(void **state)
{
	(void)state;
	spec.entrypoint_set = true;
	add(&spec.exec, "/bin/sh");
	merged("/bin/sh");
}

static void later_environment_wins(void **state)
{
	(void)state;
	add(&spec.env, "A=unit");
	add(&spec.env, "B=1");
	add(&spec.env, "B=2");
	merged("/entry cmd");
	assert_string_equal(env_get(&process.env, "PATH"), "/image");
	assert_string_equal(env_get(&process.env, "A"), "unit");
	assert_string_equal(env_get(&process.env, "B"), "2");
	assert_string_equal(env_get(&process.env, "HOSTNAME"), "box");
	assert_null(env_get(&process.env, "HOME"));
	assert_int_equal(process.env.n, 5);
}

static void malformed_assignments_of_an_image_are_left_out(void **state)
{
	(void)state;
	add(&image.env, "NOTHING");
	add(&image.env, "=x");
	merged("/entry cmd");
	assert_null(env_get(&process.env, "NOTHING"));
	assert_null(env_get(&process.env, ""));
}

static void signals(void **state)
{
	static const struct {
		const char *text;
		int number;
	} cases[] = {{"SIGTERM", 15},  {"term", 15},       {"9", 9},
		     {"SIGRTMIN", 34}, {"RTMIN+3", 37},    {"SIGRTMAX-1", 63},
		     {"", 0},          {"SIGNOTHING", 0},  {"65", 0},
		     {"-1", 0},        {"SIGRTMIN+31", 0}, {"15x", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(signal_parse(cases[i].text), cases[i].number);
}

static void stop_signal_of_the_image_unless_the_unit_has_one(void **state)
{
	(void)state;
	image.stop_signal = strdup("SIGQUIT");
	merged("/entry cmd");
	assert_int_equal(process.stop_signal, 3);
	process_done(&process);
	spec.stop_signal = 2;
	merged("/entry cmd");
	assert_int_equal(process.stop_signal, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(image_alone),
		T(exec_replaces_the_command),
		T(entrypoint_drops_the_command),
		T(empty_entrypoint_leaves_exec),
		T(later_environment_wins),
		T(malformed_assignments_of_an_image_are_left_out),
		T(signals),
		T(stop_signal_of_the_image_unless_the_unit_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
