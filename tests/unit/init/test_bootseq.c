/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "init/bootseq.h"

static void test_order(void **state)
{
	struct bootseq seq = {0};

	(void)state;
	assert_int_equal(bootseq_next(&seq, 10), BOOT_DISK);
	assert_int_equal(bootseq_next(&seq, 11), BOOT_STEP__N); /* everything else needs it */
	bootseq_over(&seq, BOOT_DISK, BOOT_DONE, 20);
	assert_int_equal(bootseq_next(&seq, 20), BOOT_STORE);
	assert_int_equal(bootseq_next(&seq, 20), BOOT_STEP__N);
	bootseq_over(&seq, BOOT_STORE, BOOT_DONE, 21);
	/* side by side */
	assert_int_equal(bootseq_next(&seq, 21), BOOT_HOST);
	assert_int_equal(bootseq_next(&seq, 21), BOOT_IMAGES);
	assert_int_equal(bootseq_next(&seq, 21), BOOT_NETWORK);
	assert_int_equal(bootseq_next(&seq, 21), BOOT_STEP__N);
	bootseq_over(&seq, BOOT_HOST, BOOT_DONE, 22);
	bootseq_over(&seq, BOOT_NETWORK, BOOT_DONE, 23);
	assert_int_equal(bootseq_next(&seq, 23), BOOT_STEP__N);
	bootseq_over(&seq, BOOT_IMAGES, BOOT_DONE, 24);
	assert_int_equal(bootseq_next(&seq, 24), BOOT_UNITS);
	assert_false(bootseq_finished(&seq));
	bootseq_over(&seq, BOOT_UNITS, BOOT_LATE, 25);
	assert_int_equal(bootseq_next(&seq, 25), BOOT_CONSOLE);
	bootseq_over(&seq, BOOT_CONSOLE, BOOT_DONE, 26);
	assert_true(bootseq_finished(&seq));
	assert_int_equal(seq.begun[BOOT_DISK], 10);
	assert_int_equal(seq.over[BOOT_DISK], 20);
}

/* Whatever goes wrong, in whichever order, every step comes to run once. */
static void test_failures(void **state)
{
	static const enum boot_outcome outcomes[] = {BOOT_DONE, BOOT_FAILED, BOOT_LATE};

	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		struct bootseq seq = {0};
		unsigned begun[BOOT_STEP__N] = {0}, running[BOOT_STEP__N], n = 0, rest = seed;

		for (int guard = 0; !bootseq_finished(&seq); guard++) {
			enum boot_step step;
			unsigned pick;

			assert_true(guard < 100);
			while ((step = bootseq_next(&seq, 0)) != BOOT_STEP__N) {
				begun[step]++;
				running[n++] = step;
			}
			assert_true(n > 0);
			pick = rest % n;
			rest = rest * 1103515245 + 12345;
			bootseq_over(&seq, running[pick], outcomes[rest / 65536 % 3], 1);
			bootseq_over(&seq, running[pick], BOOT_DONE,
				     2); /* a second word is ignored */
			assert_int_equal(seq.over[running[pick]], 1);
			running[pick] = running[--n];
		}
		for (int step = 0; step < BOOT_STEP__N; step++)
			assert_int_equal(begun[step], 1);
	}
}

static void test_skip(void **state)
{
	struct bootseq seq = {0};

	(void)state;
	bootseq_skip(&seq, BOOT_DISK);
	assert_int_equal(bootseq_next(&seq, 1), BOOT_STORE);
	bootseq_over(&seq, BOOT_DISK, BOOT_FAILED, 2);
	assert_int_equal(seq.outcome[BOOT_DISK], BOOT_SKIPPED);
}

static void test_names(void **state)
{
	(void)state;
	for (int step = 0; step < BOOT_STEP__N; step++)
		assert_non_null(boot_step_names[step]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
