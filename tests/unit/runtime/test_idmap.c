/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of the container as the host calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/idmap.h"

static void ids_of_the_host(void **state)
{
	static const struct {
		const char *map;
		uint32_t id;
		int64_t outside;
	} rows[] = {
		{"host", 0, 0},
		{"host", 70000, 70000},
		{"0:524288:65536", 0, 524288},
		{"0:524288:65536", 65535, 589823},
		{"0:524288:65536", 65536, -1},
		{"0:100:10,1000:7:2", 9, 109},
		{"0:100:10,1000:7:2", 10, -1},
		{"0:100:10,1000:7:2", 1001, 8},
		{"0:100:10,1000:7:2", 1002, -1},
		{"", 0, -1},
		{"0", 0, -1},
		{"0:1", 0, -1},
		{"5:1:1x,0:1:1", 0, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (idmap_outside(rows[i].map, rows[i].id) != rows[i].outside)
			fail_msg("%s: %u is %lld", rows[i].map, rows[i].id,
				 (long long)idmap_outside(rows[i].map, rows[i].id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
