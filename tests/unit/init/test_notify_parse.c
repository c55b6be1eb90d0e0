/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "init/notify_parse.h"

static struct notify_message parse(const char *text)
{
	struct notify_message m;

	notify_parse(&m, text, strlen(text));
	return m;
}

static void test_lines(void **state)
{
	struct notify_message m = parse("READY=1\nSTATUS=serving 3 clients\nMAINPID=12\n");

	(void)state;
	assert_true(m.ready && m.has_status);
	assert_false(m.stopping || m.watchdog || m.trigger || m.has_extend);
	assert_string_equal(m.status, "serving 3 clients");
	assert_int_equal(m.main_pid, 12);
	m = parse("STOPPING=1\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000");
	assert_true(m.stopping && m.watchdog && m.has_extend);
	assert_int_equal(m.extend_usec, 30000000);
	assert_true(parse("WATCHDOG=trigger").trigger);
}

static void test_nonsense(void **state)
{
	char longer[1000];
	struct notify_message m;

	(void)state;
	m = parse("READY=0\nREADY=12\nXREADY=1\nready=1\n\n=\nEXTEND_TIMEOUT_USEC=\n");
	assert_false(m.ready || m.has_extend);
	m = parse("EXTEND_TIMEOUT_USEC=99999999999999999999999\n");
	assert_false(m.has_extend);
	m = parse("EXTEND_TIMEOUT_USEC=-1");
	assert_false(m.has_extend);
	assert_int_equal(parse("MAINPID=-1\nMAINPID=4294967297\nMAINPID=x").main_pid, 0);
	m = parse("STATUS=a\x1b[2Jb");
	assert_string_equal(m.status, "a?[2Jb");
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "STATUS=", 7);
	notify_parse(&m, longer, sizeof(longer)); /* no NUL, no newline */
	assert_int_equal(strlen(m.status), sizeof(m.status) - 1);
	notify_parse(&m, "", 0);
	assert_false(m.ready);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
