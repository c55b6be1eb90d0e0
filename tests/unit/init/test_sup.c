/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/init/drive.h"

#include <signal.h>

static void starts_in_order_and_stops_in_reverse(void **state)
{
	struct drive d;
	uint32_t target, db, web;

	(void)state;
	drive_init(&d);
	target = drive_unit(&d, "default.target", UNIT_TARGET);
	db = drive_unit(&d, "db.container", UNIT_CONTAINER);
	web = drive_unit(&d, "web.container", UNIT_CONTAINER);
	drive_edge(&d, target, DEP_WANTS, web);
	drive_edge(&d, web, DEP_REQUIRES, db);
	drive_edge(&d, web, DEP_AFTER, db);
	drive_load(&d);
	drive_send(&d, &(struct event){.kind = EVENT_START, .unit = target, .token = 7});
	drive_expect(&d, "spawn-container db.container");
	assert_state(&d, web, "waiting");
	drive_run(&d, db);
	drive_expect(&d, "spawn-container web.container");
	assert_state(&d, target, "waiting");
	drive_run(&d, web);
	drive_expect(&d, "reply 7 0");
	assert_state(&d, target, "up");

	drive_event(&d, EVENT_SHUTDOWN, SUP_NONE, SUP_POWEROFF);
	drive_expect(&d, "shutdown 0; signal-main web.container 0");
	drive_exit(&d, web, SIGNAL_STATUS(SIGTERM));
	drive_expect(&d,
		     "cg-kill web.container; cg-remove web.container; signal-main db.container 0");
	drive_exit(&d, db, EXIT_STATUS(0));
	drive_expect(&d, "cg-kill db.container; cg-remove db.container; shutdown 3");
	drive_send(&d, &(struct event){.kind = EVENT_START, .unit = db, .token = 8});
	drive_expect(&d, "reply 8 5");
	drive_done(&d);
}

/* C21. */
static void restarts_with_doubling_delay(void **state)
{
	static const uint64_t delays[] = {100,  200,   400,   800,   1600,  3200,
					  6400, 12800, 25600, 51200, 60000, 60000};
	struct drive d;
	uint32_t web;

	(void)state;
	drive_init(&d);
	web = drive_unit(&d, "web.container", UNIT_CONTAINER);
	d.policies[web].restart = POLICY_RESTART_ALWAYS;
	drive_load(&d);
	drive_event(&d, EVENT_START, web, 0);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		drive_expect(&d, "spawn-container web.container");
		drive_run(&d, web);
		drive_exit(&d, web, EXIT_STATUS(1));
		drive_expect(&d, "cg-kill web.container; cg-remove web.container");
		drive_wait(&d, delays[i] - 1);
		assert_state(&d, web, "backoff");
		drive_wait(&d, 1);
	}
	drive_run(&d, web);
	drive_wait(&d, 10000); /* a long run starts over */
	drive_exit(&d, web, EXIT_STATUS(1));
	drive_wait(&d, 100);
	assert_state(&d, web, "starting");
	drive_done(&d);
}

static void a_stop_wins_over_the_backoff(void **state)
{
	struct drive d;
	uint32_t web;

	(void)state;
	drive_init(&d);
	web = drive_unit(&d, "web.container", UNIT_CONTAINER);
	d.policies[web].restart = POLICY_RESTART_ALWAYS;
	drive_load(&d);
	drive_event(&d, EVENT_START, web, 0);
	drive_run(&d, web);
	drive_exit(&d, web, EXIT_STATUS(1));
	drive_expect(
		&d,
		"spawn-container web.container; cg-kill web.container; cg-remove web.container");
	drive_send(&d, &(struct event){.kind = EVENT_STOP, .unit = web, .token = 3});
	drive_expect(&d, "run-helper web.container net-down");
	drive_event(&d, EVENT_HELPER_DONE, web, 0);
	drive_expect(&d, "reply 3 0");
	drive_wait(&d, 3600000);
	assert_state(&d, web, "down");
	drive_expect(&d, "");
	drive_done(&d);
}

static void ignored_term_ends_in_cgroup_kill(void **state)
{
	struct drive d;
	uint32_t web;

	(void)state;
	drive_init(&d);
	web = drive_unit(&d, "web.container", UNIT_CONTAINER);
	drive_load(&d);
	drive_event(&d, EVENT_START, web, 0);
	drive_run(&d, web);
	drive_expect(&d, "spawn-container web.container");
	drive_event(&d, EVENT_STOP, web, 0);
	drive_expect(&d, "signal-main web.container 0");
	drive_wait(&d, 10000);
	drive_expect(&d, "cg-kill web.container");
	drive_event(&d, EVENT_EXITED, web, SIGNAL_STATUS(SIGKILL));
	assert_state(&d, web, "ending"); /* populated still */
	drive_event(&d, EVENT_CGROUP_EMPTY, web, 0);
	assert_state(&d, web, "cleaning");
	drive_event(&d, EVENT_HELPER_DONE, web, 0);
	assert_state(&d, web, "down");
	drive_done(&d);
}

static void a_failing_step_is_told(void **state)
{
	struct sup_unit_info info;
	struct drive d;
	uint32_t web;

	(void)state;
	drive_init(&d);
	web = drive_unit(&d, "web.container", UNIT_CONTAINER);
	drive_load(&d);
	drive_send(&d, &(struct event){.kind = EVENT_START, .unit = web, .token = 3});
	drive_send(&d, &(struct event){.kind = EVENT_START_FAILED,
				       .unit = web,
				       .code = 2,
				       .step = "overlay",
				       .text = "no such layer"});
	drive_event(&d, EVENT_HELPER_DONE, web, 0);
	assert_state(&d, web, "failed");
	assert_true(sup_unit_info(d.sup, web, &info));
	assert_string_equal(info.step, "overlay");
	assert_string_equal(info.text, "no such layer");
	assert_int_equal(info.error, 2);
	assert_int_equal(info.result, SUP_RESOURCES);
	drive_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_in_order_and_stops_in_reverse),
		cmocka_unit_test(restarts_with_doubling_delay),
		cmocka_unit_test(a_stop_wins_over_the_backoff),
		cmocka_unit_test(ignored_term_ends_in_cgroup_kill),
		cmocka_unit_test(a_failing_step_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
