/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* An event corrects the facts and becomes a cue for the rules, or, as a request, changes what is wanted. */
#include "init/rules.h"

/* --- events: requests ------------------------------------------------------------------------- */

static bool refuse(struct sup *sup, const struct sup_unit *u, const struct event *e)
{
	if (sup->shutdown) {
		sup_reply(sup, e->token, 5, "refused: shutting down (%s)",
			  sup_shutdown_names[sup->shutdown]);
		return true;
	}
	if (u->leaving) {
		sup_reply(sup, e->token, 5, "refused: %s has no unit file any more", u->name);
		return true;
	}
	if (u->refused) {
		sup_reply(sup, e->token, 5, "refused: %s: %s", u->name, u->refused);
		return true;
	}
	return false;
}

static void on_start(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (refuse(sup, u, e) || !waiter_add(sup, e->token, u, GOAL_UP))
		return;
	job_start(sup, u, START_BY_HAND);
	rule_fire(sup, u, CUE_HURRY, NULL);
}

static void on_stop(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!waiter_add(sup, e->token, u, GOAL_DOWN))
		return;
	job_stop(sup, u, true);
}

static void on_restart(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (refuse(sup, u, e) || !waiter_add(sup, e->token, u, GOAL_UP))
		return;
	job_restart(sup, u);
	rule_fire(sup, u, CUE_HURRY, NULL);
}

static void on_cue(struct sup *sup, struct sup_unit *u, const struct event *e, enum cue cue)
{
	struct cue_data data = {e->code, e->flag, e->token, e->step, e->text};

	rule_fire(sup, u, cue, &data);
}

/* One step far: what is reloaded because of another does not pass it on. Who asked hears of the unit that was
 * named, not of the others. */
static void on_reload(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (refuse(sup, u, e))
		return;
	on_cue(sup, u, e, CUE_RELOAD);
	if (u->state != SUP_UP)
		return;
	for_each_dep (d, sup, u) {
		struct sup_unit *v = &sup->units[d->to];

		if (((d->out & DEP(DEP_RELOAD_TO)) || (d->in & DEP(DEP_RELOAD_FROM))) &&
		    v->state == SUP_UP && v->has_reload)
			rule_fire(sup, v, CUE_RELOAD, NULL);
	}
}

static void on_kill(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	on_cue(sup, u, e, CUE_KILL);
}

static void on_reset(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	u->failures = u->restarts = 0;
	u->limit = (struct start_limit){0};
	if (u->state == SUP_FAILED && !u->refused) {
		u->result = SUP_SUCCESS;
		unit_set_state(sup, u, SUP_DOWN, "reset");
	}
	sup_reply(sup, e->token, 0, "reset");
}

static void save_intent(struct sup *sup, struct sup_unit *u)
{
	u->saving = true;
	u->saved_disabled = u->disabled;
	sup_act(sup, ACTION_SAVE_INTENT, u)->code = !u->disabled;
}

static void on_enable(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	bool disable = e->kind == EVENT_DISABLE;

	if (!waiter_add(sup, e->token, u, disable ? GOAL_DISABLED : GOAL_ENABLED))
		return;
	u->disabled = disable;
	if (!u->saving)
		save_intent(sup, u);
}

/* One at a time for a unit. Who changed their mind meanwhile is next. */
static void on_intent_saved(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!u->saving)
		return;
	u->saving = false;
	u->save_error = e->code;
	text_set(u->save_text, sizeof(u->save_text), e->text);
	if (u->disabled != u->saved_disabled)
		save_intent(sup, u);
}

/* --- events: the world ------------------------------------------------------------------------ */

/* What the core does not know to exist cannot have ended: a stray event is dropped. */
static bool had(struct sup *sup, struct sup_unit *u, const struct event *e, uint32_t what)
{
	if (u->has & what) {
		u->has &= ~what;
		return true;
	}
	sup_log(sup, u, "%s: stray event %s in state %s, ignored", u->name, event_names[e->kind],
		sup_state_names[u->state]);
	return false;
}

/* Whoever has looked is believed, as the kernel does not tell again what was read: nothing else may come. A main
 * process that is dead and not reaped does not count there; it is waited for by itself (HAS_MAIN). */
static void note_populated(struct sup_unit *u, bool populated)
{
	if (populated)
		u->has |= HAS_CGROUP;
	else
		u->has &= ~(uint32_t)HAS_CGROUP;
}

static void on_cloned(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!(u->has & HAS_STARTER) || u->has & HAS_MAIN) {
		had(sup, u, e, 0);
		return;
	}
	u->has |= HAS_MAIN | HAS_CGROUP;
	u->pid = e->code;
	on_cue(sup, u, e, CUE_CLONED);
}

static void on_execed(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!had(sup, u, e, HAS_STARTER))
		return;
	if (u->has & HAS_MAIN)
		u->run_since = sup->now;
	u->execed = true;
	on_cue(sup, u, e, CUE_EXECED);
}

static void on_start_failed(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!had(sup, u, e, HAS_STARTER))
		return;
	note_populated(u, e->flag);
	on_cue(sup, u, e, CUE_START_FAILED);
}

static void on_exited(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!had(sup, u, e, HAS_MAIN))
		return;
	u->exited = u->ever_exited = true;
	u->wait_status = e->code;
	u->oom = u->oom || e->flag;
	u->ran = u->run_since ? sup->now - u->run_since : 0;
	u->run_since = 0;
	u->pid = 0;
	on_cue(sup, u, e, CUE_EXITED);
}

static void on_cgroup_empty(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	(void)sup;
	(void)e;
	u->has &= ~(uint32_t)HAS_CGROUP;
}

static void on_oom(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	on_cue(sup, u, e, CUE_OOM);
}

static void pay(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (u->helper == SUP_HELPER_STOP_POST)
		u->owes &= ~OWES_STOP_POST;
	if (u->helper == SUP_HELPER_NET_DOWN)
		u->owes &= ~OWES_NET_DOWN, u->outdated = false;
	if (e->code && e->code != SUP_SKIP_CODE && u->helper != SUP_HELPER_RELOAD)
		sup_log(sup, u, "%s: %s failed with %d%s%s", u->name, sup_helper_names[u->helper],
			e->code, e->text && *e->text ? ": " : "", e->text ? e->text : "");
}

static void on_helper_done(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (!had(sup, u, e, HAS_HELPER))
		return;
	note_populated(u, e->flag);
	pay(sup, u, e);
	on_cue(sup, u, e,
	       e->code == 0               ? CUE_HELPER_OK
	       : e->code == SUP_SKIP_CODE ? CUE_HELPER_SKIP
					  : CUE_HELPER_BAD);
	u->helper = u->has & HAS_HELPER ? u->helper : SUP_HELPER_NONE;
}

static void on_probe_done(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	enum cue cue;

	if (!had(sup, u, e, HAS_PROBE))
		return;
	cue = health_done(sup, u, e->code);
	if (cue)
		on_cue(sup, u, e, cue);
}

static void on_ready(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	on_cue(sup, u, e, CUE_READY);
}

static void on_notify(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	if (e->kind == EVENT_NOTIFY_STATUS)
		text_set(u->status, sizeof(u->status), e->text);
	if (e->kind == EVENT_NOTIFY_WATCHDOG && u->deadline[TIMER_WATCHDOG] != SUP_NEVER)
		timer_arm(sup, u, TIMER_WATCHDOG, deadline_in(sup, u->policy.watchdog_usec));
	if (e->kind == EVENT_NOTIFY_TRIGGER && u->state == SUP_UP && u->has & HAS_MAIN)
		on_cue(sup, u, e, CUE_WATCHDOG);
}

/* Only a deadline that the unit itself has to keep, and never beyond what shutdown allows. */
static void on_extend(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	uint64_t later = e->nsec > SUP_NEVER - 1 - sup->now ? SUP_NEVER - 1 : sup->now + e->nsec;

	if (!unit_is(u, STATE_STARTING) && u->state != SUP_STOPPING && u->state != SUP_STOP_CMD)
		return;
	if (u->deadline[TIMER_STATE] == SUP_NEVER || u->deadline[TIMER_STATE] >= later)
		return;
	timer_arm(sup, u, TIMER_STATE, later);
	if (unit_is(u, STATE_STARTING))
		u->start_deadline = later;
}

static void on_main(struct sup *sup, struct sup_unit *u, const struct event *e)
{
	(void)sup;
	if (u->has & HAS_MAIN)
		u->pid = e->code;
}

static void on_network(struct sup *sup, const struct event *e)
{
	sup->net = e->code ? NET_FAILED : NET_UP;
	text_set(sup->net_text, sizeof(sup->net_text), e->text);
	for_each_unit (u, sup) {
		if (u->kind != UNIT_NETWORK)
			continue;
		/* A failed set-up that works at last brings what had waited for it. */
		if (!e->code && u->state == SUP_FAILED && u->result == SUP_RESOURCES)
			job_start(sup, u, START_AGAIN);
		sup_queue(sup, u);
	}
}

static void (*const unit_events[EVENT_KIND__N])(struct sup *, struct sup_unit *,
						const struct event *) = {
	[EVENT_START] = on_start,
	[EVENT_STOP] = on_stop,
	[EVENT_RESTART] = on_restart,
	[EVENT_RELOAD] = on_reload,
	[EVENT_KILL] = on_kill,
	[EVENT_RESET_FAILED] = on_reset,
	[EVENT_ENABLE] = on_enable,
	[EVENT_DISABLE] = on_enable,
	[EVENT_INTENT_SAVED] = on_intent_saved,
	[EVENT_CLONED] = on_cloned,
	[EVENT_EXECED] = on_execed,
	[EVENT_START_FAILED] = on_start_failed,
	[EVENT_EXITED] = on_exited,
	[EVENT_CGROUP_EMPTY] = on_cgroup_empty,
	[EVENT_OOM] = on_oom,
	[EVENT_HELPER_DONE] = on_helper_done,
	[EVENT_PROBE_DONE] = on_probe_done,
	[EVENT_READY] = on_ready,
	[EVENT_NOTIFY_STOPPING] = on_notify,
	[EVENT_NOTIFY_STATUS] = on_notify,
	[EVENT_NOTIFY_WATCHDOG] = on_notify,
	[EVENT_NOTIFY_TRIGGER] = on_notify,
	[EVENT_NOTIFY_EXTEND] = on_extend,
	[EVENT_NOTIFY_MAIN] = on_main,
};

void event_take(struct sup *sup, const struct event *e)
{
	if (e->kind == EVENT_SHUTDOWN)
		shutdown_request(sup, (enum sup_shutdown)e->code, e->flag, e->token);
	else if (e->kind == EVENT_NETWORK)
		on_network(sup, e);
	else if ((unsigned)e->kind < EVENT_KIND__N && unit_events[e->kind] && e->unit < sup->n &&
		 sup->units[e->unit].used) {
		unit_events[e->kind](sup, &sup->units[e->unit], e);
		sup_queue(sup, &sup->units[e->unit]); /* that may have been the last of it */
	}
}
