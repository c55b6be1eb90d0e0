/* SPDX-License-Identifier: Apache-2.0 */
/* slice: where a unit's cgroup is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "init/slice.h"

static void places(void **state)
{
	static const struct {
		const char *slice, *service, *place;
	} rows[] = {
		{NULL, "web", "web"},
		{"media.slice", "web", "media.slice/web"},
		{"a-b-c.slice", "db.service", "a.slice/a-b.slice/a-b-c.slice/db.service"},
		{"a.b.slice", ".slice", "a.b.slice/.slice"},
		{NULL, "x.slice", NULL},
		{"media.slice", "x.slice", NULL},
	};
	char place[SLICE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(slice_place(rows[i].slice, rows[i].service, place),
				 rows[i].place != NULL);
		if (rows[i].place)
			assert_string_equal(place, rows[i].place);
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	char slice[212], place[SLICE_PATH_MAX];

	(void)state;
	memset(slice, '-', sizeof(slice));
	for (size_t i = 0; i < 200; i += 2)
		slice[i] = 'a';
	strcpy(slice + 199, ".slice");
	assert_false(slice_place(slice, "web", place));
}

static void slices_and_units(void **state)
{
	(void)state;
	assert_true(slice_is_one("a.slice"));
	assert_false(slice_is_one(".slice"));
	assert_false(slice_is_one("a.slice.service"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(slices_and_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
