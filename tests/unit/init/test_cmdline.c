/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/cmdline.h"

static void test_words(void **state)
{
	struct host_options o;

	(void)state;
	cmdline_parse(&o, "console=ttyS0 quiet orlop.control=virtio orlop.address=127.0.0.1 "
			  "orlop.hostname=\"my box\" orlop.watchdog=30 panic=10\n");
	assert_true(o.control_virtio);
	assert_false(o.rescue);
	assert_string_equal(o.address, "127.0.0.1");
	assert_string_equal(o.hostname, "my box");
	assert_int_equal(o.watchdog, 30);
	assert_string_equal(o.unknown, "");
}

static void test_nothing(void **state)
{
	struct host_options o;

	(void)state;
	cmdline_parse(&o, "");
	assert_false(o.control_virtio || o.rescue || o.address[0] || o.hostname[0] || o.unknown[0]);
	cmdline_parse(&o, "rescue orlop control=virtio xorlop.rescue");
	assert_false(o.control_virtio || o.rescue || o.unknown[0]);
}

static void test_unknown(void **state)
{
	static const char *const lines[][2] = {
		{"orlop.nonsense", "orlop.nonsense"},
		{"orlop.control=serial", "orlop.control"},
		{"orlop.rescue=1", "orlop.rescue"},
		{"orlop.watchdog=ten", "orlop.watchdog"},
		{"orlop.watchdog=", "orlop.watchdog"},
		{"orlop.hostname", "orlop.hostname"},
		{"orlop.", "orlop."},
	};
	struct host_options o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		cmdline_parse(&o, lines[i][0]);
		assert_string_equal(o.unknown, lines[i][1]);
	}
	cmdline_parse(&o, "orlop.net=static orlop.disk=none");
	assert_string_equal(o.unknown, "");
}

static void test_long(void **state)
{
	char *line = malloc(20000);
	struct host_options o;

	(void)state;
	memset(line, 'a', 19999);
	line[19999] = '\0';
	cmdline_parse(&o, line);
	assert_string_equal(o.unknown, "");
	memcpy(line, "orlop.hostname=", strlen("orlop.hostname="));
	cmdline_parse(&o, line);
	assert_string_equal(o.hostname, "");
	assert_string_equal(o.unknown, "orlop.hostname");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
