/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * Health probes: never two at once for a unit, never more than limits.probes at once for all; each has a
 * time limit. The startup probe runs first, if there is one, and the real one only after it succeeded.
 * TIMER_PROBE is the next probe, or the time limit of the one that runs.
 */
#include "init/sup_core.h"

#define FIRST_PROBE 1000000ull /* usec */

static const struct policy_probe *probe_of(const struct sup_unit *u)
{
	return u->probe_startup ? &u->policy.startup : &u->policy.health;
}

static void next_probe(struct sup *sup, struct sup_unit *u)
{
	timer_arm(sup, u, TIMER_PROBE, deadline_in(sup, probe_of(u)->interval_usec));
}

/* Somebody may wait for the first success: the first probe does not wait for a whole interval. */
static void first_probe(struct sup *sup, struct sup_unit *u)
{
	uint64_t interval = probe_of(u)->interval_usec;

	if (interval != POLICY_INFINITY)
		timer_arm(sup, u, TIMER_PROBE,
			  deadline_in(sup, interval < FIRST_PROBE ? interval : FIRST_PROBE));
}

void health_begin(struct sup *sup, struct sup_unit *u)
{
	u->probe_failures = u->probe_successes = 0;
	u->probe_startup = u->policy.startup.on;
	u->health = SUP_HEALTH_NONE;
	if (!u->policy.health.on && !u->policy.startup.on)
		return;
	u->health = SUP_HEALTH_STARTING;
	first_probe(sup, u);
}

void health_end(struct sup *sup, struct sup_unit *u)
{
	timer_disarm(sup, u, TIMER_PROBE);
	u->health = SUP_HEALTH_NONE;
	if (u->has & HAS_PROBE && !u->probe_killed) {
		sup_act(sup, ACTION_KILL_PROBE, u);
		u->probe_killed = true;
	}
}

static void run_probe(struct sup *sup, struct sup_unit *u)
{
	sup_act(sup, ACTION_RUN_PROBE, u)->code = u->probe_startup;
	u->has |= HAS_PROBE;
	u->probe_killed = false;
	sup->probes++;
	timer_arm(sup, u, TIMER_PROBE, deadline_in(sup, probe_of(u)->timeout_usec));
}

void health_timer(struct sup *sup, struct sup_unit *u)
{
	if (u->health == SUP_HEALTH_NONE)
		return;
	if (u->has & HAS_PROBE) {
		/* Too slow, or one of an earlier run that is not reaped yet. Its end comes as an event. */
		if (!u->probe_killed)
			sup_act(sup, ACTION_KILL_PROBE, u);
		u->probe_killed = true;
		return;
	}
	if (sup->probes >= sup->limits.probes) {
		timer_arm(sup, u, TIMER_PROBE, sup->now + 100 * MSEC);
		return;
	}
	run_probe(sup, u);
}

static enum cue healthy(struct sup_unit *u)
{
	u->probe_failures = 0;
	if (u->probe_startup) {
		if (++u->probe_successes < u->policy.startup.successes)
			return CUE_NONE;
		u->probe_startup = false;
		if (u->policy.health.on)
			return CUE_NONE; /* healthy is what the real one says */
	}
	u->health = SUP_HEALTHY;
	return CUE_HEALTHY;
}

static enum cue unhealthy(const struct sup *sup, struct sup_unit *u)
{
	const struct policy_probe *probe = probe_of(u);
	uint64_t grace = probe->start_period_usec;

	u->probe_successes = 0;
	if (u->health == SUP_HEALTH_STARTING && u->run_since && grace &&
	    (grace > UINT64_MAX / USEC || sup->now - u->run_since < grace * USEC))
		return CUE_NONE;
	if (u->probe_failures < UINT32_MAX)
		u->probe_failures++;
	if (!probe->retries || u->probe_failures < probe->retries)
		return CUE_NONE;
	if (u->health == SUP_UNHEALTHY_NOW)
		return CUE_NONE; /* told already */
	u->health = SUP_UNHEALTHY_NOW;
	return CUE_UNHEALTHY;
}

enum cue health_done(struct sup *sup, struct sup_unit *u, int code)
{
	bool killed = u->probe_killed;
	enum cue cue;

	sup->probes--;
	u->probe_killed = false;
	if (u->health == SUP_HEALTH_NONE)
		return CUE_NONE; /* its run is over */
	cue = code == 0 && !killed ? healthy(u) : unhealthy(sup, u);
	next_probe(sup, u);
	return cue;
}
