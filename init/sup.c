/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* The step: an event in, facts corrected, the queue run to quiet, actions out. */
#include "init/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A deadline that is noticed this late says that nobody was there to keep it (suspend, a stopped VM). */
#define SUP_LATE (2 * SEC)

const uint8_t state_traits[SUP_STATE__N] = {
	[SUP_DOWN] = STATE_OVER,
	[SUP_FAILED] = STATE_OVER,
	[SUP_WAITING] = 0,
	[SUP_PRE] = STATE_LIVE | STATE_STARTING,
	[SUP_STARTING] = STATE_LIVE | STATE_STARTING,
	[SUP_EXECING] = STATE_LIVE | STATE_STARTING,
	[SUP_READYING] = STATE_LIVE | STATE_STARTING,
	[SUP_POST] = STATE_LIVE | STATE_STARTING,
	[SUP_UP] = STATE_LIVE | STATE_UP,
	[SUP_DONE] = STATE_LIVE | STATE_UP,
	[SUP_STOP_CMD] = STATE_LIVE | STATE_ENDING,
	[SUP_STOPPING] = STATE_LIVE | STATE_ENDING,
	[SUP_ENDING] = STATE_LIVE | STATE_ENDING,
	[SUP_STUCK] = STATE_ENDING | STATE_OVER,
	[SUP_CLEANING] = STATE_LIVE | STATE_ENDING,
	[SUP_BACKOFF] = 0,
};

struct sup *sup_new(const struct sup_limits *limits)
{
	struct sup *sup = calloc(1, sizeof(*sup));

	if (!sup)
		return NULL;
	if (limits)
		sup->limits = *limits;
	if (!sup->limits.shutdown_nsec)
		sup->limits.shutdown_nsec = 90 * SEC;
	if (!sup->limits.kill_nsec)
		sup->limits.kill_nsec = 10 * SEC;
	if (!sup->limits.cleanup_nsec)
		sup->limits.cleanup_nsec = 20 * SEC;
	if (!sup->limits.probes)
		sup->limits.probes = 16;
	sup->shutdown_tick = sup->shutdown_kill = sup->shutdown_end = SUP_NEVER;
	return sup;
}

struct sup *sup_free(struct sup *sup)
{
	if (!sup)
		return NULL;
	for_each_unit (u, sup) {
		free(u->name);
		free(u->refused);
	}
	free(sup->units);
	free(sup->deps);
	free(sup->by_name);
	free(sup->heap.items);
	free(sup->queue);
	free(sup->stack);
	free(sup);
	return NULL;
}

/* --- what goes out ------------------------------------------------------------------------------ */

struct action *sup_act(struct sup *sup, enum action_kind kind, const struct sup_unit *u)
{
	/* sup_room() keeps this from being full; the last place is given up rather than memory. */
	struct action *a =
		&sup->actions[sup->n_actions < SUP_ACTIONS ? sup->n_actions++ : SUP_ACTIONS - 1];

	*a = (struct action){.kind = kind, .unit = u ? unit_id(sup, u) : SUP_NONE};
	return a;
}

void sup_log(struct sup *sup, const struct sup_unit *u, const char *fmt, ...)
{
	struct action *a = sup_act(sup, ACTION_LOG, u);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

void sup_reply(struct sup *sup, uint32_t token, int code, const char *fmt, ...)
{
	struct action *a;
	va_list ap;

	if (!token)
		return;
	a = sup_act(sup, ACTION_REPLY, NULL);
	a->token = token;
	a->code = code;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

void text_set(char *to, size_t size, const char *from)
{
	size_t len = from ? strnlen(from, size - 1) : 0;

	if (from && from[len]) /* cut: not in the middle of a UTF-8 character */
		while (len && ((unsigned char)from[len] & 0xc0) == 0x80)
			len--;
	if (len)
		memcpy(to, from, len);
	to[len] = '\0';
}

/* --- the queue -------------------------------------------------------------------------------- */

void sup_queue(struct sup *sup, struct sup_unit *u)
{
	if (u->queued || !u->used)
		return;
	u->queued = true;
	sup->queue[(sup->queue_at + sup->queue_len++) % sup->n] = unit_id(sup, u);
}

void sup_queue_neighbours(struct sup *sup, struct sup_unit *u)
{
	for_each_dep (d, sup, u)
		sup_queue(sup, &sup->units[d->to]);
}

void sup_count_busy(struct sup *sup)
{
	sup->n_busy = 0;
	for_each_unit (u, sup)
		sup->n_busy += !unit_is(u, STATE_OVER);
}

/* --- the state -------------------------------------------------------------------------------- */

/* After the watchdog's SIGABRT it may have something to write that is worth more time, or less. */
static uint64_t stop_time(const struct sup_unit *u)
{
	if (u->caused && u->result == SUP_WATCHDOG && u->policy.abort_timeout_usec)
		return u->policy.abort_timeout_usec;
	return u->policy.stop_timeout_usec;
}

static uint64_t state_deadline(const struct sup *sup, const struct sup_unit *u)
{
	switch (u->state) {
	case SUP_DOWN:
	case SUP_FAILED:
	case SUP_WAITING:
	case SUP_UP:
	case SUP_DONE:
	case SUP_STATE__N: return SUP_NEVER;
	case SUP_PRE:
	case SUP_STARTING:
	case SUP_EXECING:
	case SUP_READYING:
	case SUP_POST:
	case SUP_BACKOFF: return u->start_deadline;
	case SUP_STOP_CMD:
	case SUP_STOPPING: return deadline_in(sup, stop_time(u));
	case SUP_ENDING: return sup->now + sup->limits.kill_nsec;
	case SUP_STUCK: return sup->now + 60 * SEC;
	case SUP_CLEANING: return sup->now + sup->limits.cleanup_nsec;
	}
	return SUP_NEVER;
}

static void came_up(struct sup *sup, struct sup_unit *u)
{
	if (u->has & HAS_MAIN && u->policy.watchdog_usec)
		timer_arm(sup, u, TIMER_WATCHDOG, deadline_in(sup, u->policy.watchdog_usec));
	if (u->has & HAS_MAIN && u->policy.runtime_max_usec)
		timer_arm(sup, u, TIMER_RUNTIME, deadline_in(sup, u->policy.runtime_max_usec));
	job_unit_up(sup, u);
}

static void runs_no_more(struct sup *sup, struct sup_unit *u)
{
	timer_disarm(sup, u, TIMER_WATCHDOG);
	timer_disarm(sup, u, TIMER_RUNTIME);
	health_end(sup, u);
	if (u->reload_token)
		sup_reply(sup, u->reload_token, 1, "%s ended while it was reloaded", u->name);
	u->reload_token = 0;
}

/* Who waits for it must look at all edges again: this one may have failed for good. */
static void unit_over(struct sup *sup, struct sup_unit *u)
{
	for_each_dep (d, sup, u)
		sup->units[d->to].blocker = UINT32_MAX;
	job_unit_over(sup, u);
}

void unit_set_state(struct sup *sup, struct sup_unit *u, enum sup_state state, const char *why)
{
	enum sup_state from = u->state;
	bool was_up = unit_is(u, STATE_UP);
	struct action *a = sup_act(sup, ACTION_STATE, u);

	sup->n_busy -= !unit_is(u, STATE_OVER);
	u->state = state;
	sup->n_busy += !unit_is(u, STATE_OVER);
	u->since = sup->now;
	a->from = from;
	a->to = state;
	a->result = u->result;
	a->seq = ++sup->seq;
	text_set(a->text, sizeof(a->text), why);
	/* CLEANING's helpers bring their own deadlines; one that is armed by an effect stays. */
	timer_arm(sup, u, TIMER_STATE, state_deadline(sup, u));
	if (unit_is(u, STATE_UP) && !was_up)
		came_up(sup, u);
	if (!unit_is(u, STATE_UP | STATE_STARTING))
		runs_no_more(sup, u);
	if (was_up && !unit_is(u, STATE_UP))
		job_unit_not_up(sup, u);
	if (unit_is(u, STATE_OVER))
		unit_over(sup, u);
	sup_queue(sup, u);
	sup_queue_neighbours(sup, u);
}

/* --- time ------------------------------------------------------------------------------------- */

static const enum cue timer_cues[TIMER__N] = {
	[TIMER_STATE] = CUE_DEADLINE,
	[TIMER_RUNTIME] = CUE_RUNTIME,
	[TIMER_WATCHDOG] = CUE_WATCHDOG,
};

/* CLOCK_BOOTTIME goes on while the machine sleeps; a unit that slept with it has not missed its
 * deadline. Time that nobody had is given back, and a second for what waits in the sockets. */
static void forgive_sleep(struct sup *sup)
{
	uint64_t next = timer_next(sup);

	if (sup->now > next && sup->now - next > SUP_LATE)
		timer_shift_all(sup, sup->now - next + SEC);
}

static void serve_timers(struct sup *sup)
{
	struct sup_unit *u;
	enum sup_timer timer;

	while (sup_room(sup) && timer_pop(sup, &u, &timer)) {
		if (timer == TIMER_PROBE)
			health_timer(sup, u);
		else
			rule_fire(sup, u, timer_cues[timer], NULL);
	}
	shutdown_timer(sup);
}

/* --- the step --------------------------------------------------------------------------------- */

/* True: the queue is empty. */
static bool run_to_quiet(struct sup *sup)
{
	while (sup->queue_len) {
		struct sup_unit *u = &sup->units[sup->queue[sup->queue_at]];
		enum cue cue;

		if (!sup_room(sup))
			return false;
		cue = cue_due(sup, u);
		if (cue) {
			rule_fire(sup, u, cue, NULL);
			continue;
		}
		u->queued = false;
		sup->queue_at = (sup->queue_at + 1) % sup->n;
		sup->queue_len--;
	}
	return true;
}

static void forget(struct sup *sup, struct sup_unit *u)
{
	uint32_t id = unit_id(sup, u), at = 0;

	text_set(sup_act(sup, ACTION_FORGOTTEN, u)->text, sizeof(sup->actions[0].text), u->name);
	for (int t = 0; t < TIMER__N; t++)
		timer_disarm(sup, u, t);
	while (at < sup->n_names && sup->by_name[at] != id)
		at++;
	memmove(&sup->by_name[at], &sup->by_name[at + 1],
		(sup->n_names - at - 1) * sizeof(*sup->by_name));
	sup->n_names--;
	free(u->name);
	free(u->refused);
	*u = (struct sup_unit){0};
}

static bool forget_leavers(struct sup *sup)
{
	for_each_unit (u, sup) {
		if (!u->leaving || (u->state != SUP_DOWN && u->state != SUP_FAILED) || u->has ||
		    u->saving) /* somebody waits to hear how that ends */
			continue;
		if (!sup_room(sup))
			return false;
		forget(sup, u);
		sup->leavers--;
	}
	return true;
}

bool sup_step(struct sup *sup, const struct event *event, uint64_t now)
{
	sup->n_actions = 0;
	if (event)
		now = event->now;
	if (now > sup->now)
		sup->now = now;
	forgive_sleep(sup); /* before new deadlines are set, which have not slept */
	if (event)
		event_take(sup, event);
	/* what has happened goes before what is late */
	if (!run_to_quiet(sup))
		return true;
	serve_timers(sup);
	if (!run_to_quiet(sup) || timer_next(sup) <= sup->now)
		return true;
	waiters_serve(sup);
	if (sup->leavers && !forget_leavers(sup))
		return true;
	shutdown_check(sup);
	return false;
}

const struct action *sup_actions(const struct sup *sup, size_t *ret_n)
{
	*ret_n = sup->n_actions;
	return sup->actions;
}

uint64_t sup_next_deadline(const struct sup *sup)
{
	uint64_t a = timer_next(sup), b = shutdown_next(sup);

	return a < b ? a : b;
}
