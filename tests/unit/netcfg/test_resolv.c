/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf from its parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netcfg/resolv.h"

static void parts_become_one(void **state)
{
	static const struct {
		const char *parts, *want;
	} cases[] = {
		{"", ""},
		{"nameserver 192.0.2.1\n", "nameserver 192.0.2.1\n"},
		{"search a b\nnameserver ::1\n\nsearch b c\nnameserver 192.0.2.1\nnameserver ::1\n",
		 "search a b c\nnameserver ::1\nnameserver 192.0.2.1\n"},
		{"nameserver 192.0.2.1\nnameserver 192.0.2.11\nnameserver 192.0.2.1",
		 "nameserver 192.0.2.1\nnameserver 192.0.2.11\n"},
		{"# comment\noptions x\n  nameserver 192.0.2.1\nsearchy\nnameserver\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = {0};

		resolv_merge(cases[i].parts, &b);
		assert_false(b.bad);
		assert_string_equal(b.data ? b.data : "", cases[i].want);
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_become_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
