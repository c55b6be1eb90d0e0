/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/init/drive.h"

#include <string.h>

void drive_init(struct drive *d)
{
	memset(d, 0, sizeof(*d));
	d->now = 1000ull * 1000000000;
	d->sup = sup_new(NULL);
	assert_non_null(d->sup);
}

void drive_done(struct drive *d)
{
	sup_free(d->sup);
	buf_done(&d->trace);
}

uint32_t drive_unit(struct drive *d, const char *name, enum unit_kind kind)
{
	struct unit_policy *p = &d->policies[d->n];

	assert_true(d->n < DRIVE_MAX);
	*p = (struct unit_policy){
		.type = POLICY_TYPE_EXEC,
		.ready = POLICY_READY_EXEC,
		.restart_doubles = true,
		.restart_usec = 100000,
		.restart_max_delay_usec = 60000000,
		.restart_reset_usec = 10000000,
		.start_limit_interval_usec = 10000000,
		.start_timeout_usec = 90000000,
		.stop_timeout_usec = 10000000,
		.oom = POLICY_OOM_KILL,
	};
	d->configs[d->n] = (struct sup_unit_config){
		.name = name, .kind = kind, .policy = p, .edges = d->edges[d->n], .hash = 1};
	return (uint32_t)d->n++;
}

void drive_edge(struct drive *d, uint32_t from, enum dep_kind kind, uint32_t to)
{
	assert_true(d->configs[from].n_edges < DRIVE_MAX);
	d->edges[from][d->configs[from].n_edges++] = (struct sup_edge){kind, to};
}

static void add_action(struct drive *d, const struct action *a)
{
	struct sup_unit_info info = {.name = ""};

	if (a->kind == ACTION_STATE || a->kind == ACTION_LOG)
		return;
	if (d->trace.len)
		buf_str(&d->trace, "; ");
	buf_str(&d->trace, action_names[a->kind]);
	if (sup_unit_info(d->sup, a->unit, &info))
		buf_fmt(&d->trace, " %s", info.name);
	if (a->kind == ACTION_REPLY)
		buf_fmt(&d->trace, " %u %d", a->token, a->code);
	if (a->kind == ACTION_RUN_HELPER)
		buf_fmt(&d->trace, " %s", sup_helper_names[a->code]);
	if (a->kind == ACTION_SIGNAL_MAIN || a->kind == ACTION_SHUTDOWN ||
	    a->kind == ACTION_SAVE_INTENT)
		buf_fmt(&d->trace, " %d", a->code);
}

static void step(struct drive *d, const struct event *e)
{
	bool more = true;

	for (int i = 0; more; i++) {
		const struct action *a;
		size_t n;

		assert_true(i < 1000);
		more = sup_step(d->sup, i ? NULL : e, d->now);
		a = sup_actions(d->sup, &n);
		for (size_t j = 0; j < n; j++)
			add_action(d, &a[j]);
	}
}

void drive_load(struct drive *d)
{
	assert_int_equal(sup_load(d->sup, d->configs, d->n, false, NULL), 0);
	step(d, NULL);
}

void drive_send(struct drive *d, const struct event *e)
{
	struct event event = *e;

	event.now = d->now;
	step(d, &event);
}

void drive_event(struct drive *d, enum event_kind kind, uint32_t unit, int code)
{
	drive_send(d, &(struct event){.kind = kind, .unit = unit, .code = code});
}

void drive_wait(struct drive *d, uint64_t msec)
{
	uint64_t end = d->now + msec * 1000000;

	while (sup_next_deadline(d->sup) <= end) {
		uint64_t next = sup_next_deadline(d->sup);

		d->now = next > d->now ? next : d->now;
		drive_event(d, EVENT_TIMER, SUP_NONE, 0);
	}
	d->now = end;
}

void drive_run(struct drive *d, uint32_t unit)
{
	drive_event(d, EVENT_CLONED, unit, 100);
	drive_event(d, EVENT_EXECED, unit, 0);
}

void drive_exit(struct drive *d, uint32_t unit, int wait_status)
{
	drive_event(d, EVENT_EXITED, unit, wait_status);
	drive_event(d, EVENT_CGROUP_EMPTY, unit, 0);
}

enum sup_state drive_state(struct drive *d, uint32_t unit)
{
	struct sup_unit_info info;

	assert_true(sup_unit_info(d->sup, unit, &info));
	return info.state;
}

void drive_expect(struct drive *d, const char *text)
{
	assert_string_equal(d->trace.data ? d->trace.data : "", text);
	buf_reset(&d->trace);
}
