/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "init/rules.h"

static void no_cell_is_undecided(void **state)
{
	int holes = 0;

	(void)state;
	for (int s = 0; s < SUP_STATE__N; s++)
		for (int c = CUE_NONE + 1; c < CUE__N; c++)
			if (rules[s][c].alts[0].verdict == RULE_HOLE) {
				print_error("hole: %s x %s\n", sup_state_names[s], cue_names[c]);
				holes++;
			}
	assert_int_equal(holes, 0);
}

/* A cell that acts ends in an alternative without a guard: there is always an answer. */
static void every_cell_has_an_answer(void **state)
{
	(void)state;
	for (int s = 0; s < SUP_STATE__N; s++)
		for (int c = CUE_NONE + 1; c < CUE__N; c++) {
			const struct rule *alts = rules[s][c].alts;
			int last = 0;

			while (last + 1 < RULE_ALTS && alts[last + 1].verdict)
				last++;
			if (alts[last].when)
				fail_msg("%s x %s: the last alternative has a guard",
					 sup_state_names[s], cue_names[c]);
			for (int i = 0; i < last; i++)
				if (!alts[i].when)
					fail_msg("%s x %s: alternative %d hides the others",
						 sup_state_names[s], cue_names[c], i + 1);
		}
}

static bool reaches(enum sup_state from, enum sup_state to)
{
	bool seen[SUP_STATE__N] = {false}, more = true;

	seen[from] = true;

	while (more) {
		more = false;
		for (int s = 0; s < SUP_STATE__N; s++)
			for (int c = 0; seen[s] && c < CUE__N; c++)
				for (int i = 0; i < RULE_ALTS; i++) {
					const struct rule *r = &rules[s][c].alts[i];

					if (r->verdict != RULE_GO || seen[r->next])
						continue;
					seen[r->next] = more = true;
				}
	}
	return seen[to];
}

static void from_every_state_down_and_up_can_be_reached(void **state)
{
	(void)state;
	for (int s = 0; s < SUP_STATE__N; s++) {
		assert_true(reaches((enum sup_state)s, SUP_DOWN));
		assert_true(reaches((enum sup_state)s, SUP_UP));
		assert_true(reaches(SUP_DOWN, (enum sup_state)s));
	}
}

/* A state that is left only by what others do has a name that says so; all others have a deadline. */
static void every_wait_has_a_deadline(void **state)
{
	static const bool rests[SUP_STATE__N] = {
		[SUP_DOWN] = true, [SUP_FAILED] = true, [SUP_WAITING] = true,
		[SUP_UP] = true,   [SUP_DONE] = true,
	};

	(void)state;
	for (int s = 0; s < SUP_STATE__N; s++)
		assert_int_equal(rules[s][CUE_DEADLINE].alts[0].verdict,
				 rests[s] ? RULE_NEVER : RULE_GO);
}

static void every_name_has_a_text(void **state)
{
	(void)state;
	for (int i = 0; i < SUP_STATE__N; i++)
		assert_non_null(sup_state_names[i]);
	for (int i = 0; i < CUE__N; i++)
		assert_non_null(cue_names[i]);
	for (int i = 0; i < SUP_RESULT__N; i++)
		assert_non_null(sup_result_names[i]);
	for (int i = 0; i < SUP_WANT__N; i++)
		assert_non_null(sup_want_names[i]);
	for (int i = 0; i < EVENT_KIND__N; i++)
		assert_non_null(event_names[i]);
	for (int i = 0; i < ACTION_KIND__N; i++)
		assert_non_null(action_names[i]);
	for (int i = 0; i < SUP_HELPER__N; i++)
		assert_non_null(sup_helper_names[i]);
	for (int i = 0; i < SUP_HEALTH__N; i++)
		assert_non_null(sup_health_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cell_is_undecided),
		cmocka_unit_test(every_cell_has_an_answer),
		cmocka_unit_test(from_every_state_down_and_up_can_be_reached),
		cmocka_unit_test(every_wait_has_a_deadline),
		cmocka_unit_test(every_name_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
