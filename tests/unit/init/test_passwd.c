/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "init/passwd.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "rootling:x:7:8::/:/bin/sh\n"
			     "dhcpcd:x:100:101:DHCP client:/var/lib/dhcpcd:/bin/false\n"
			     "short:x:5\n"
			     "odd:x:12a:3::/:\n"
			     "last:x:65534:65533::/:/bin/false";
static const char group[] = "root:x:0:\ntty:x:5:a,b\nlast:x:9";

static void test_users(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	assert_true(passwd_user(passwd, "root", &uid, &gid));
	assert_int_equal(uid, 0);
	assert_int_equal(gid, 0);
	assert_true(passwd_user(passwd, "dhcpcd", &uid, &gid));
	assert_int_equal(uid, 100);
	assert_int_equal(gid, 101);
	assert_true(passwd_user(passwd, "last", &uid, &gid));
	assert_int_equal(gid, 65533);
	assert_true(passwd_user(passwd, "1000", &uid, &gid));
	assert_int_equal(uid, 1000);
	assert_false(passwd_user(passwd, "roo", &uid, &gid));
	assert_false(passwd_user(passwd, "nobody", &uid, &gid));
	assert_false(passwd_user(passwd, "short", &uid, &gid));
	assert_false(passwd_user(passwd, "odd", &uid, &gid));
	assert_false(passwd_user(passwd, "", &uid, &gid));
	assert_false(passwd_user("", "root", &uid, &gid));
	assert_false(passwd_user(passwd, "4294967295", &uid, &gid));
}

static void test_groups(void **state)
{
	gid_t gid = 1;

	(void)state;
	assert_true(passwd_group(group, "tty", &gid));
	assert_int_equal(gid, 5);
	assert_true(passwd_group(group, "last", &gid));
	assert_int_equal(gid, 9);
	assert_false(passwd_group(group, "x", &gid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
