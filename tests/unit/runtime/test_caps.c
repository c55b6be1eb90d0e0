/* SPDX-License-Identifier: Apache-2.0 */
/* Capability sets: Podman's default, and what adding and dropping makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/caps.h"

static uint64_t make(const char *adds, const char *drops, bool mapped, int *ret)
{
	const char *const texts[2] = {adds, drops};
	struct strlist lists[2] = {0};
	uint64_t mask = 0;

	for (int i = 0; i < 2; i++) {
		char *copy = strdup(texts[i]), *save = NULL;

		for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
			assert_int_equal(strlist_add(&lists[i], w), 0);
		free(copy);
	}
	*ret = caps_make(&lists[0], &lists[1], mapped, &mask, NULL);
	strlist_done(&lists[0]);
	strlist_done(&lists[1]);
	return mask;
}

static void check(const char *adds, const char *drops, const char *want)
{
	struct buf b = {0};
	int r;
	uint64_t mask = make(adds, drops, true, &r), again;

	assert_int_equal(r, 0);
	caps_print(mask, &b);
	assert_string_equal(b.data ? b.data : "", want);
	assert_int_equal(caps_parse(b.data ? b.data : "", &again), 0);
	assert_true(again == mask);
	buf_done(&b);
}

static void default_is_podmans_eleven(void **state)
{
	(void)state;
	check("", "",
	      "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,"
	      "sys_chroot,setfcap");
}

static void names_with_and_without_prefix_in_any_case(void **state)
{
	(void)state;
	check("net_raw CAP_Net_Admin", "all", "net_admin,net_raw");
}

static void drop_all_leaves_what_is_added(void **state)
{
	(void)state;
	check("", "ALL", "");
	check("CHOWN", "all", "chown");
	check("CHOWN", "CHOWN all", "");
}

static void all_is_all(void **state)
{
	int r;

	(void)state;
	assert_true(make("all", "", true, &r) == CAPS_BIT(41) - 1);
	assert_int_equal(r, 0);
	assert_true(make("all", "SYS_ADMIN", false, &r) == ((CAPS_BIT(41) - 1) & ~CAPS_BIT(21)));
}

static void unknown_name_is_refused(void **state)
{
	int r;

	(void)state;
	make("CAP_WIZARD", "", true, &r);
	assert_int_equal(r, -EINVAL);
	make("", "CAP_", true, &r);
	assert_int_equal(r, -EINVAL);
}

static void one_without_effect_is_refused(void **state)
{
	int r;

	(void)state;
	make("SYS_TIME", "", true, &r);
	assert_int_equal(r, -EINVAL);
	make("SYS_TIME", "", false, &r);
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_is_podmans_eleven),
		cmocka_unit_test(names_with_and_without_prefix_in_any_case),
		cmocka_unit_test(drop_all_leaves_what_is_added),
		cmocka_unit_test(all_is_all),
		cmocka_unit_test(unknown_name_is_refused),
		cmocka_unit_test(one_without_effect_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
