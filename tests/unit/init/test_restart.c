/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "init/restart.h"

#define CODE(c) ((c) << 8)
#define DUMPED  0x80

/* The whole table: a row for each result, a column for each Restart=, in the order of the enum:
 * no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always. Y = started again. */
static const struct {
	enum sup_result result;
	const char *columns;
} table[] = {
	/* clang-format off */
	/*                    no suc fai abn wat abo alw */
	{ SUP_SUCCESS,     "-  Y   -   -   -   -   Y" },
	{ SUP_EXIT_CODE,   "-  -   Y   -   -   -   Y" },
	{ SUP_SIGNAL,      "-  -   Y   Y   -   Y   Y" },
	{ SUP_CORE_DUMP,   "-  -   Y   Y   -   Y   Y" },
	{ SUP_TIMEOUT,     "-  -   Y   Y   -   -   Y" },
	{ SUP_WATCHDOG,    "-  -   Y   Y   Y   -   Y" },
	{ SUP_OOM_KILL,    "-  -   Y   Y   -   -   Y" },
	{ SUP_RESOURCES,   "-  -   Y   Y   -   -   Y" },
	{ SUP_PROTOCOL,    "-  -   Y   Y   -   -   Y" },
	{ SUP_UNHEALTHY,   "-  -   Y   Y   Y   -   Y" },
	{ SUP_SKIP,        "-  -   -   -   -   -   -" },
	{ SUP_START_LIMIT, "-  -   -   -   -   -   -" },
	{ SUP_DEPENDENCY,  "-  -   -   -   -   -   -" },
	{ SUP_CONFIG,      "-  -   -   -   -   -   -" },
	/* clang-format on */
};

static bool cell(size_t row, enum policy_restart column)
{
	const char *at = table[row].columns;

	for (int i = 0; i < (int)column; i++)
		at += strcspn(at, " ") + strspn(at + strcspn(at, " "), " ");
	return *at == 'Y';
}

/* C20. */
static void every_cell_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(sizeof(table) / sizeof(table[0]), SUP_RESULT__N);
	for (size_t row = 0; row < SUP_RESULT__N; row++)
		for (int restart = 0; restart < POLICY_RESTART__N; restart++) {
			struct unit_policy p = {.restart = (enum policy_restart)restart};
			bool got = restart_wanted(&p, table[row].result, false, 0);

			if (got != cell(row, p.restart))
				fail_msg("%s with restart %d: %d",
					 sup_result_names[table[row].result], restart, got);
		}
}

/* C20: Every Restart= x every result x an exit that is in no set, in Prevent, in Force, in both. */
static void prevent_beats_force_beats_the_table(void **state)
{
	(void)state;
	for (size_t row = 0; row < SUP_RESULT__N; row++)
		for (int restart = 0; restart < POLICY_RESTART__N; restart++)
			for (int sets = 0; sets < 4; sets++) {
				struct unit_policy p = {.restart = (enum policy_restart)restart};
				bool never = table[row].result >= SUP_SKIP;
				bool want = sets & 1   ? false
					    : sets & 2 ? !never
						       : cell(row, p.restart);

				p.restart_prevent.codes[0] = sets & 1 ? 1 << 7 : 0;
				p.restart_force.codes[0] = sets & 2 ? 1 << 7 : 0;
				assert_int_equal(
					restart_wanted(&p, table[row].result, true, CODE(7)), want);
				/* another exit is in no set */
				assert_int_equal(
					restart_wanted(&p, table[row].result, true, CODE(8)),
					cell(row, p.restart));
				/* no exit: the sets do not matter */
				assert_int_equal(
					restart_wanted(&p, table[row].result, false, CODE(7)),
					cell(row, p.restart));
			}
}

static void the_sets_name_signals_as_shells_do(void **state)
{
	struct unit_policy p = {.restart = POLICY_RESTART_ALWAYS};

	(void)state;
	p.restart_prevent.codes[143 / 64] = 1ull << 143 % 64;
	assert_false(restart_wanted(&p, SUP_SUCCESS, true, SIGTERM));
	assert_false(restart_wanted(&p, SUP_EXIT_CODE, true, CODE(143)));
	memset(&p.restart_prevent, 0, sizeof(p.restart_prevent));
	p.restart_prevent.signals = 1ull << SIGTERM;
	assert_false(restart_wanted(&p, SUP_SUCCESS, true, SIGTERM));
	assert_false(restart_wanted(&p, SUP_EXIT_CODE, true, CODE(143)));
	assert_true(restart_wanted(&p, SUP_EXIT_CODE, true, CODE(15)));
}

static void what_an_exit_means(void **state)
{
	static const struct {
		int status;
		bool oom;
		enum sup_result plain, oneshot;
	} exits[] = {
		{CODE(0), false, SUP_SUCCESS, SUP_SUCCESS},
		{CODE(1), false, SUP_EXIT_CODE, SUP_EXIT_CODE},
		{CODE(143), false, SUP_EXIT_CODE, SUP_EXIT_CODE},
		{CODE(255), false, SUP_EXIT_CODE, SUP_EXIT_CODE},
		{SIGHUP, false, SUP_SUCCESS, SUP_SIGNAL},
		{SIGINT, false, SUP_SUCCESS, SUP_SIGNAL},
		{SIGTERM, false, SUP_SUCCESS, SUP_SIGNAL},
		{SIGPIPE, false, SUP_SUCCESS, SUP_SIGNAL},
		{SIGKILL, false, SUP_SIGNAL, SUP_SIGNAL},
		{SIGKILL, true, SUP_OOM_KILL, SUP_OOM_KILL},
		{SIGTERM, true, SUP_SUCCESS, SUP_SIGNAL},
		{CODE(0), true, SUP_SUCCESS, SUP_SUCCESS},
		{SIGSEGV, false, SUP_SIGNAL, SUP_SIGNAL},
		{SIGSEGV | DUMPED, false, SUP_CORE_DUMP, SUP_CORE_DUMP},
		{SIGABRT | DUMPED, false, SUP_CORE_DUMP, SUP_CORE_DUMP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct unit_policy p = {.type = POLICY_TYPE_NOTIFY};

		assert_int_equal(exit_result(&p, exits[i].status, exits[i].oom), exits[i].plain);
		p.type = POLICY_TYPE_ONESHOT;
		assert_int_equal(exit_result(&p, exits[i].status, exits[i].oom), exits[i].oneshot);
	}
}

/* C20. */
static void success_exit_status_makes_it_clean(void **state)
{
	struct unit_policy p = {.type = POLICY_TYPE_ONESHOT};

	(void)state;
	p.success.codes[0] = 1ull << 42;
	p.success.signals = 1ull << SIGKILL;
	assert_int_equal(exit_result(&p, CODE(42), false), SUP_SUCCESS);
	assert_int_equal(exit_result(&p, CODE(41), false), SUP_EXIT_CODE);
	assert_int_equal(exit_result(&p, SIGKILL, false), SUP_SUCCESS);
	assert_int_equal(exit_result(&p, CODE(137), false), SUP_SUCCESS);
	assert_int_equal(exit_result(&p, SIGKILL, true), SUP_OOM_KILL);
}

/* E36. */
static void an_unhealthy_unit_does_what_it_says(void **state)
{
	struct unit_policy p = {.restart = POLICY_RESTART_NO,
				.on_unhealthy = POLICY_HEALTH_RESTART};

	(void)state;
	assert_true(restart_wanted(&p, SUP_UNHEALTHY, true, SIGTERM));
	p.restart = POLICY_RESTART_ALWAYS;
	p.on_unhealthy = POLICY_HEALTH_STOP;
	assert_false(restart_wanted(&p, SUP_UNHEALTHY, true, SIGTERM));
	p.on_unhealthy = POLICY_HEALTH_KILL;
	assert_true(restart_wanted(&p, SUP_UNHEALTHY, true, SIGKILL));
}

/* --- delays ----------------------------------------------------------------------------------- */

/* C21. */
static void doubles_to_a_minute_and_never_gives_up(void **state)
{
	struct unit_policy p = {.restart_doubles = true,
				.restart_usec = 100000,
				.restart_max_delay_usec = 60000000};
	uint64_t want = 100000000ull;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(restart_delay(&p, i), want);
		want = want * 2 > 60000000000ull ? 60000000000ull : want * 2;
	}
	assert_int_equal(restart_delay(&p, UINT32_MAX), 60000000000ull);
}

static void a_written_delay_stays(void **state)
{
	struct unit_policy p = {.restart_usec = 5000000, .restart_max_delay_usec = POLICY_INFINITY};

	(void)state;
	assert_int_equal(restart_delay(&p, 0), 5000000000ull);
	assert_int_equal(restart_delay(&p, 50), 5000000000ull);
	p.restart_steps = 4; /* without RestartMaxDelaySec= it means nothing */
	assert_int_equal(restart_delay(&p, 50), 5000000000ull);
	p.restart_usec = 0;
	assert_int_equal(restart_delay(&p, 50), RESTART_DELAY_MIN);
	p.restart_usec = POLICY_INFINITY;
	assert_int_equal(restart_delay(&p, 0), UINT64_MAX);
}

/* The curve is the one whose logarithm is a straight line: d(i)^n = first^(n-i) * last^i. That is checked in
 * logarithms of its own making, so that nothing is shared with the code under test. */
static double log_of(double x)
{
	double sum = 0, y;
	int e = 0;

	while (x > 1.5)
		x /= 2, e++;
	y = (x - 1) / (x + 1);
	for (int k = 0; k < 60; k++) {
		double term = y;

		for (int j = 0; j < k; j++)
			term *= y * y;
		sum += term / (2 * k + 1);
	}
	return 2 * sum + e * 0.693147180559945309417;
}

static double exp_of(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 200; k++) {
		term *= x / k;
		sum += term;
	}
	return sum;
}

/* C22. */
static void the_curve_is_systemds_within_a_millisecond(void **state)
{
	static const uint64_t firsts[] = {100000, 1000000, 123456, 5000000};
	static const uint64_t lasts[] = {60000000, 10000000, 3600000000, 7000001};

	(void)state;
	for (uint32_t steps = 1; steps <= 64; steps++)
		for (int k = 0; k < 4; k++) {
			struct unit_policy p = {.restart_usec = firsts[k],
						.restart_steps = steps,
						.restart_max_delay_usec = lasts[k]};
			uint64_t before = 0;

			assert_int_equal(restart_delay(&p, 0), firsts[k] * 1000);
			assert_int_equal(restart_delay(&p, steps), lasts[k] * 1000);
			assert_int_equal(restart_delay(&p, steps + 9), lasts[k] * 1000);
			for (uint32_t i = 0; i <= steps; i++) {
				double want = (double)firsts[k] *
					      exp_of(log_of((double)lasts[k] / (double)firsts[k]) *
						     i / steps);
				double got = (double)restart_delay(&p, i) / 1000;

				if (got - want > 1000 || want - got > 1000)
					fail_msg("steps %u i %u: %f us, not %f", steps, i, got,
						 want);
				assert_true(restart_delay(&p, i) >= before);
				before = restart_delay(&p, i);
			}
		}
}

/* --- the start limit -------------------------------------------------------------------------- */

/* C23. */
static void the_burst_fills_a_window_that_passes(void **state)
{
	struct unit_policy p = {.start_limit_burst = 5, .start_limit_interval_usec = 10000000};
	struct start_limit limit = {0};
	uint64_t now = 1000000000ull;

	(void)state;
	for (int i = 0; i < 5; i++, now += 100000000) {
		assert_false(start_limit_hit(&p, &limit, now));
		start_limit_count(&p, &limit, now);
	}
	assert_true(start_limit_hit(&p, &limit, now));
	assert_true(start_limit_hit(&p, &limit, 1000000000ull + 9999999999ull));
	assert_false(start_limit_hit(&p, &limit, 1000000000ull + 10000000000ull));
	p.start_limit_burst = 0;
	assert_false(start_limit_hit(&p, &limit, now));
	p.start_limit_burst = 5;
	p.start_limit_interval_usec = 0;
	assert_false(start_limit_hit(&p, &limit, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(prevent_beats_force_beats_the_table),
		cmocka_unit_test(the_sets_name_signals_as_shells_do),
		cmocka_unit_test(what_an_exit_means),
		cmocka_unit_test(success_exit_status_makes_it_clean),
		cmocka_unit_test(an_unhealthy_unit_does_what_it_says),
		cmocka_unit_test(doubles_to_a_minute_and_never_gives_up),
		cmocka_unit_test(a_written_delay_stays),
		cmocka_unit_test(the_curve_is_systemds_within_a_millisecond),
		cmocka_unit_test(the_burst_fills_a_window_that_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
