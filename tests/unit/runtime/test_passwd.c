/* SPDX-License-Identifier: Apache-2.0 */
/* Who a container runs as: names, numbers, and what hostile files and words must not become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "runtime/passwd.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "root2:x:0:0::/r2:/bin/sh\n"
			     "1000:x:0:0::/evil:/bin/sh\n"
			     "app:x:1000:1001::/home/app:/bin/sh\n"
			     "app:x:0:0::/second:/bin/sh\n"
			     "broken\n"
			     "short:x:5\n"
			     "minus:x:-1:0::/:\n"
			     "max:x:4294967295:0::/:";
static const char group[] = "root:x:0:\n"
			    "audio:x:29:www,app\n"
			    "video:x:44:app\n"
			    "prefix:x:45:apple,ap\n"
			    "app:x:1001:\n";

static int resolve(const char *user, const char *add, struct passwd_user *u)
{
	return passwd_resolve(user, add, passwd, group, u, NULL);
}

static void nobody_said_is_root(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("", "", &u), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(u.gid, 0);
	assert_string_equal(u.home, "/root");
}

static void name_gives_ids_home_and_groups(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("app", "", &u), 0);
	assert_int_equal(u.uid, 1000);
	assert_int_equal(u.gid, 1001);
	assert_string_equal(u.home, "/home/app");
	assert_int_equal(u.n_groups, 2);
	assert_int_equal(u.groups[0], 29);
	assert_int_equal(u.groups[1], 44);
}

static void digits_are_a_number_whatever_the_file_calls_a_user(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("1000", "", &u), 0);
	assert_int_equal(u.uid, 1000);
	assert_string_equal(u.home, "/home/app");
}

static void unknown_number_is_itself_with_group_0(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("4711", "", &u), 0);
	assert_int_equal(u.uid, 4711);
	assert_int_equal(u.gid, 0);
	assert_int_equal(u.n_groups, 0);
	assert_string_equal(u.home, "/");
}

static void explicit_group_leaves_memberships_out(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("app:audio", "", &u), 0);
	assert_int_equal(u.gid, 29);
	assert_int_equal(u.n_groups, 0);
	assert_int_equal(resolve("app:77", "audio,88,88", &u), 0);
	assert_int_equal(u.gid, 77);
	assert_int_equal(u.n_groups, 2);
	assert_int_equal(u.groups[1], 88);
}

static void malformed_words_are_refused(void **state)
{
	static const char *const bad[] = {"1000x",
					  "-1",
					  "4294967295",
					  "4294967296",
					  "0x0",
					  "1000:",
					  "+1",
					  " 1",
					  "1 ",
					  ":",
					  ":0",
					  "app:",
					  "app:-1",
					  "99999999999999999999",
					  "app:4294967295"};
	struct passwd_user u;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(resolve(bad[i], "", &u), -EINVAL);
}

static void unknown_names_and_bad_lines_are_refused(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(resolve("nobody", "", &u), -ENOENT);
	assert_int_equal(resolve("broken", "", &u), -ENOENT);
	assert_int_equal(resolve("minus", "", &u), -ENOENT);
	assert_int_equal(resolve("max", "", &u), -ENOENT);
	assert_int_equal(resolve("app:nogroup", "", &u), -ENOENT);
	assert_int_equal(resolve("short", "", &u), 0);
	assert_int_equal(u.uid, 5);
}

static void empty_files_do(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(passwd_resolve("", "", "", "", &u, NULL), 0);
	assert_int_equal(u.uid, 0);
	assert_string_equal(u.home, "/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_said_is_root),
		cmocka_unit_test(name_gives_ids_home_and_groups),
		cmocka_unit_test(digits_are_a_number_whatever_the_file_calls_a_user),
		cmocka_unit_test(unknown_number_is_itself_with_group_0),
		cmocka_unit_test(explicit_group_leaves_memberships_out),
		cmocka_unit_test(malformed_words_are_refused),
		cmocka_unit_test(unknown_names_and_bad_lines_are_refused),
		cmocka_unit_test(empty_files_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
