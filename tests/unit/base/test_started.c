/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/started.h"

/* The name comes from who types `orlop exec`: no other file of the host is read for it. */
static void a_name_leads_nowhere_else(void **state)
{
	static const char *const names[] = {"", ".", "..", "../network", "web/../x", "/etc/passwd"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fail f = {0};
		char *data = NULL;
		size_t len;

		assert_int_equal(started_read(names[i], STARTED_SPEC, &data, &len, &f), -EINVAL);
		assert_non_null(strstr(f.text, "is no unit"));
		assert_null(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_leads_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
