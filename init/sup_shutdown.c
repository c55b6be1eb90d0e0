/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * The way down: everything is wanted down and stops in its order; with the last tenth of the time (at most 10 s)
 * all that is left is killed; when the time is over, the machine goes down without it. These deadlines
 * are no unit's, and nothing pushes them back.
 */
#include "init/sup_core.h"

#define SUP_TICK (5 * SEC)

static void tell(struct sup *sup, enum sup_shutdown_step step)
{
	sup_act(sup, ACTION_SHUTDOWN, NULL)->code = step;
}

static void begin(struct sup *sup)
{
	uint64_t all = sup->limits.shutdown_nsec, last = all / 10 < 10 * SEC ? all / 10 : 10 * SEC;

	sup->shutdown_tick = sup->now + SUP_TICK;
	sup->shutdown_end = sup->now + all;
	sup->shutdown_kill = sup->shutdown_end - last;
	tell(sup, SUP_SHUTDOWN_BEGUN);
	job_stop_all(sup);
}

static void force(struct sup *sup)
{
	if (sup->forced)
		return;
	sup->forced = true;
	tell(sup, SUP_SHUTDOWN_KILLING);
	for_each_unit (u, sup)
		sup_queue(sup, u);
}

void shutdown_request(struct sup *sup, enum sup_shutdown kind, bool at_once, uint32_t token)
{
	if (kind <= SUP_RUNNING || kind >= SUP_SHUTDOWN__N) {
		sup_reply(sup, token, 2, "unknown kind of shutdown");
		return;
	}
	/* The last word counts: a poweroff may become a reboot while it is not over. */
	if (!sup->shutdown) {
		sup->shutdown = kind;
		begin(sup);
	}
	sup->shutdown = kind;
	sup_reply(sup, token, 0, "%s", sup_shutdown_names[kind]);
	if (at_once) {
		force(sup);
		sup->shutdown_end = sup->now;
	}
}

void shutdown_timer(struct sup *sup)
{
	if (!sup->shutdown || sup->shutdown_said || !sup_room(sup))
		return;
	if (sup->now >= sup->shutdown_kill)
		force(sup);
	if (sup->now >= sup->shutdown_tick) {
		sup->shutdown_tick = sup->now + SUP_TICK;
		tell(sup, SUP_SHUTDOWN_WAITING);
	}
}

static bool waits_for(const struct sup_unit *u)
{
	return u->used && !unit_is(u, STATE_OVER);
}

/* Who disabled something a moment ago is told how that ended; the shell has a deadline for it. */
static bool saves(const struct sup *sup)
{
	for_each_unit (u, sup)
		if (u->saving)
			return true;
	return false;
}

void shutdown_check(struct sup *sup)
{
	if (!sup->shutdown || sup->shutdown_said)
		return;
	if ((sup->n_busy || saves(sup)) && sup->now < sup->shutdown_end)
		return;
	sup->shutdown_said = true;
	tell(sup, SUP_SHUTDOWN_DOWN);
}

uint64_t shutdown_next(const struct sup *sup)
{
	uint64_t next = sup->shutdown_tick;

	if (!sup->shutdown || sup->shutdown_said)
		return SUP_NEVER;
	if (!sup->forced && sup->shutdown_kill < next)
		next = sup->shutdown_kill;
	return sup->shutdown_end < next ? sup->shutdown_end : next;
}

void shutdown_by_policy(struct sup *sup, const struct sup_unit *u, enum policy_action action)
{
	static const struct {
		enum sup_shutdown kind;
		bool at_once;
	} kinds[POLICY_ACTION__N] = {
		[POLICY_ACTION_REBOOT] = {SUP_REBOOT, false},
		[POLICY_ACTION_REBOOT_FORCE] = {SUP_REBOOT, true},
		[POLICY_ACTION_REBOOT_IMMEDIATE] = {SUP_REBOOT, true},
		[POLICY_ACTION_POWEROFF] = {SUP_POWEROFF, false},
		[POLICY_ACTION_POWEROFF_FORCE] = {SUP_POWEROFF, true},
		[POLICY_ACTION_POWEROFF_IMMEDIATE] = {SUP_POWEROFF, true},
	};

	if ((unsigned)action >= POLICY_ACTION__N || !kinds[action].kind || sup->shutdown)
		return;
	sup_log(sup, u, "%s: %s, as its unit file says", u->name,
		sup_shutdown_names[kinds[action].kind]);
	shutdown_request(sup, kinds[action].kind, kinds[action].at_once, 0);
}

enum sup_shutdown sup_shutdown_kind(const struct sup *sup)
{
	return sup->shutdown;
}

uint64_t sup_shutdown_deadline(const struct sup *sup)
{
	return sup->shutdown ? sup->shutdown_end : SUP_NEVER;
}

size_t sup_shutdown_waits(const struct sup *sup, uint32_t *ret_ids, size_t max)
{
	size_t n = 0;

	for_each_unit (u, sup) {
		if (!waits_for(u))
			continue;
		if (n < max)
			ret_ids[n] = unit_id(sup, u);
		n++;
	}
	return n;
}
