/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which address: properties that must hold for any set of units, and the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netcfg/lease.h"

static struct ip ip(const char *s)
{
	struct ip a = {0};

	assert_true(ip_parse(s, &a));
	return a;
}

static struct lease_pool pool(const char *subnet, const char *range)
{
	struct ip none = {0};
	struct ip_prefix p;
	struct lease_pool ret;

	assert_true(ip_prefix_parse(subnet, &p));
	assert_int_equal(lease_pool_init(&ret, &p, &none, range, NULL), 0);
	return ret;
}

static const char *text(const struct ip *a)
{
	static char ret[4][IP_TEXT_MAX];
	static int n;

	n = (n + 1) % 4;
	return ip_text(a, ret[n]);
}

#define MANY 2000
static char names[MANY][32];
static struct lease_want wants[MANY];

static void make_wants(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "unit-%zu.container", i);
		wants[i] = (struct lease_want){.unit = names[i]};
	}
}

static int by_address(const void *a, const void *b)
{
	const struct lease_want *x = a, *y = b;

	return memcmp(x->got.b, y->got.b, 16);
}

static void everybody_has_an_address_of_the_pool_and_no_two_the_same(void **state)
{
	(void)state;
	const char *subnets[] = {"10.88.0.0/16", "10.89.0.0/21", "fd00:1::/64"};

	for (size_t s = 0; s < ARRAY_LEN(subnets); s++) {
		struct lease_pool p = pool(subnets[s], "");

		make_wants(MANY);
		assert_int_equal(lease_assign(&p, wants, MANY, NULL, 0), 0);
		qsort(wants, MANY, sizeof(wants[0]), by_address);
		for (size_t i = 0; i < MANY; i++) {
			uint64_t at = ip_prefix_offset(&p.subnet, &wants[i].got);

			assert_true(ip_in_prefix(&wants[i].got, &p.subnet));
			assert_true(at >= p.first && at <= p.last);
			assert_false(ip_equal(&wants[i].got, &p.gateway));
			assert_true(i == 0 || !ip_equal(&wants[i].got, &wants[i - 1].got));
		}
	}
}

static void the_order_of_units_does_not_matter(void **state)
{
	(void)state;
	struct lease_pool p = pool("10.89.0.0/24", "");
	struct lease_want other[200];

	make_wants(200);
	for (size_t i = 0; i < 200; i++)
		other[i] = (struct lease_want){.unit = names[(i * 77 + 13) % 200]};
	assert_int_equal(lease_assign(&p, wants, 200, NULL, 0), 0);
	assert_int_equal(lease_assign(&p, other, 200, NULL, 0), 0);
	for (size_t i = 0; i < 200; i++)
		assert_true(ip_equal(&other[i].got, &wants[(i * 77 + 13) % 200].got));
}

static void a_lease_is_kept_whoever_comes(void **state)
{
	(void)state;
	struct lease_pool p = pool("10.89.0.0/24", "");
	struct lease_held held[50];

	make_wants(250);
	assert_int_equal(lease_assign(&p, wants + 200, 50, NULL, 0), 0);
	for (size_t i = 0; i < 50; i++)
		held[i] = (struct lease_held){names[200 + i], wants[200 + i].got};
	for (size_t i = 0; i < 250; i++)
		wants[i] = (struct lease_want){.unit = names[i]};
	assert_int_equal(lease_assign(&p, wants, 250, held, 50), 0);
	for (size_t i = 0; i < 50; i++)
		assert_string_equal(text(&wants[200 + i].got), text(&held[i].ip));
}

static void the_lease_of_an_absent_unit_goes_last_and_the_oldest_first(void **state)
{
	(void)state;
	/* .1 is the gateway: .2 - .6 are left */
	struct lease_pool p = pool("10.89.0.0/29", "");
	const struct lease_held held[] = {{"new", ip("10.89.0.3")}, {"old", ip("10.89.0.5")}};

	make_wants(4);
	assert_int_equal(lease_assign(&p, wants, 3, held, 2), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_string_not_equal(text(&wants[i].got), "10.89.0.3");
		assert_string_not_equal(text(&wants[i].got), "10.89.0.5");
	}
	make_wants(4);
	assert_int_equal(lease_assign(&p, wants, 4, held, 2), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_not_equal(text(&wants[i].got), "10.89.0.3");
}

static void a_full_network_says_so(void **state)
{
	(void)state;
	struct lease_pool p = pool("10.89.0.0/29", "");
	size_t without = 0;

	make_wants(7);
	assert_int_equal(lease_assign(&p, wants, 7, NULL, 0), 0);
	for (size_t i = 0; i < 7; i++)
		if (!wants[i].got.family) {
			assert_non_null(strstr(wants[i].problem, "no address is left"));
			without++;
		}
	assert_int_equal(without, 2);
}

static void fixed_addresses_win_and_are_checked(void **state)
{
	(void)state;
	struct lease_pool p = pool("10.89.0.0/24", "10.89.0.128/25");
	const struct lease_held held[] = {{"c", ip("10.89.0.200")}};
	struct lease_want w[] = {
		{.unit = "a", .fixed = ip("10.89.0.7")},
		{.unit = "b", .fixed = ip("10.89.0.200")},
		{.unit = "c"},
		{.unit = "d", .fixed = ip("10.89.0.7")},
		{.unit = "e", .fixed = ip("10.89.0.1")},
		{.unit = "f", .fixed = ip("10.89.0.255")},
		{.unit = "g", .fixed = ip("10.89.1.1")},
		{.unit = "h", .fixed = ip("fd00::1")},
		{.unit = "i", .fixed = ip("10.89.0.0")},
	};

	assert_int_equal(lease_assign(&p, w, ARRAY_LEN(w), held, 1), 0);
	assert_string_equal(text(&w[0].got), "10.89.0.7");
	assert_string_equal(text(&w[1].got), "10.89.0.200");
	assert_int_equal(w[2].got.family, 4);
	assert_true(w[2].got.b[3] >= 128 && w[2].got.b[3] != 200);
	assert_string_equal(w[3].problem, "10.89.0.7 is the address of a");
	for (size_t i = 4; i < ARRAY_LEN(w); i++) {
		assert_int_equal(w[i].got.family, 0);
		assert_true(w[i].problem[0]);
	}
}

static void ranges_are_read(void **state)
{
	(void)state;
	struct lease_pool p = pool("10.89.0.0/16", "10.89.3.10-10.89.3.12");
	struct ip none = {0};
	struct ip_prefix subnet;
	const char *bad[] = {"10.90.0.0/24", "10.89.0.9-10.89.0.3", "x", "10.89.0.1-", "-",
			     "1-2-3"};

	make_wants(4);
	assert_int_equal(lease_assign(&p, wants, 4, NULL, 0), 0);
	assert_int_equal(p.first, 3 * 256 + 10);
	assert_int_equal(p.last, 3 * 256 + 12);
	assert_true(ip_prefix_parse("10.89.0.0/16", &subnet));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(lease_pool_init(&p, &subnet, &none, bad[i], NULL), -EINVAL);
}

static void the_file_comes_back_as_it_was_written(void **state)
{
	(void)state;
	static const char written[] =
		"network lan 10.89.0.0/24 fd12::/64\nlease lan web.container 10.89.0.9 fd12::9\n"
		"network v4 10.89.1.0/24 -\nlease v4 a.container 10.89.1.2 -\n"
		"lease lan gone.container 10.89.0.8 -\n";
	struct lease_file file;
	_buf_ struct buf b = {0};

	assert_int_equal(lease_parse(written, strlen(written), &file, NULL), 0);
	assert_int_equal(file.n, 5);
	assert_int_equal(file.bad, 0);
	lease_format(&file, &b);
	assert_string_equal(strchr(b.data, '\n') + 1, written);
	lease_done(&file);
}

static void a_bad_line_is_left_out_and_counted(void **state)
{
	(void)state;
	static const char bad[] = "lease lan web.container 10.89.0.9\n"        /* a word too few */
				  "lease lan web.container 10.89.0.9 - -\n"    /* one too many */
				  "lease lan web.container fd12::9 -\n"        /* wrong family */
				  "lease  web.container 10.89.0.9 -\n"         /* an empty word */
				  "lease lan ok.container 10.89.0.10 -\n"      /* good */
				  "network lan 10.89.0.0 -\nnonsense\n\n# x\n" /* two bad ones */
				  "lease lan cut.container 10.89.0.11 -";      /* cut off */
	struct lease_file file;

	assert_int_equal(lease_parse(bad, sizeof(bad) - 1, &file, NULL), 0);
	assert_int_equal(file.n, 1);
	assert_string_equal(file.items[0].unit, "ok.container");
	assert_int_equal(file.bad, 7);
	lease_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_has_an_address_of_the_pool_and_no_two_the_same),
		cmocka_unit_test(the_order_of_units_does_not_matter),
		cmocka_unit_test(a_lease_is_kept_whoever_comes),
		cmocka_unit_test(the_lease_of_an_absent_unit_goes_last_and_the_oldest_first),
		cmocka_unit_test(a_full_network_says_so),
		cmocka_unit_test(fixed_addresses_win_and_are_checked),
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(the_file_comes_back_as_it_was_written),
		cmocka_unit_test(a_bad_line_is_left_out_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
