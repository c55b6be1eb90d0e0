/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random worlds. SIM_SEEDS=N runs N of them (3000) from SIM_FIRST (1); SIM_ALL=1 does not stop at the first
 * that breaks. SIM_SEED=X runs that one and prints all that happened, with SIM_WANTS=1 also every
 * unit's state and want after each step.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>

#include "tests/sim/init/world.h"

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

/* C27, C23, B17. */
static void random_worlds_keep_the_invariants(void **state)
{
	static struct world w;
	uint64_t first = number("SIM_FIRST", 1), n = number("SIM_SEEDS", 3000);
	uint64_t broken = 0, steps = 0, keep_going = number("SIM_ALL", 0);

	(void)state;
	mallopt(M_MMAP_THRESHOLD, 1 << 26); /* a core is made for every seed: no mmap each time */
	mallopt(M_TRIM_THRESHOLD, 1 << 26);
	if (getenv("SIM_SEED"))
		first = number("SIM_SEED", 1), n = 1;
	for (uint64_t seed = first; seed < first + n; seed++) {
		bool good = world_run(&w, seed, getenv("SIM_SEED") ? stdout : NULL);

		steps += w.steps;
		if (good)
			continue;
		if (broken++ < 10)
			printf("seed %" PRIu64 ": %s\n", seed, w.broken);
		if (!keep_going)
			break;
	}
	printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " steps, %" PRIu64 " broken\n", n,
	       first, steps, broken);
	if (broken && !getenv("SIM_SEED"))
		printf("replay: SIM_SEED=N build/tests/sim/init/test_random\n");
	assert_int_equal(broken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds_keep_the_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
