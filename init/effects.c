/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Guards and effects: the words that the rules are written in. */
#include "init/rules.h"

#include <signal.h>

/* --- guards: they look and change nothing ------------------------------------------------------- */

#define GUARD(name_, expression)                                                   \
	static bool holds_##name_(const struct sup *sup, const struct sup_unit *u) \
	{                                                                          \
		(void)sup;                                                         \
		return (expression);                                               \
	}                                                                          \
	const struct guard guard_##name_ = {#name_, holds_##name_};

static bool ready_at_exec(const struct sup_unit *u)
{
	switch (u->policy.ready) {
	case POLICY_READY_NOW:
	case POLICY_READY_EXEC:
	case POLICY_READY__N: return true;
	case POLICY_READY_NOTIFY: return u->ready;
	case POLICY_READY_HEALTHY: return !u->policy.health.on;
	case POLICY_READY_EXIT: return false;
	}
	return true;
}

static bool failing(const struct sup_unit *u)
{
	return u->caused && u->result != SUP_SUCCESS && u->result != SUP_SKIP;
}

static bool oneshot(const struct sup_unit *u)
{
	return u->policy.type == POLICY_TYPE_ONESHOT;
}

GUARD(is_passive, u->kind != UNIT_CONTAINER && u->kind != UNIT_SERVICE && u->kind != UNIT_NETWORK)
GUARD(limit_hit, start_limit_hit(&u->policy, &u->limit, sup->now))
GUARD(has_pre, u->has_pre)
GUARD(ready_now, u->policy.ready == POLICY_READY_NOW)
GUARD(ready_now_post, u->policy.ready == POLICY_READY_NOW && u->has_post)
GUARD(ready_exec, ready_at_exec(u))
GUARD(ready_exec_post, ready_at_exec(u) && u->has_post)
GUARD(waits_ready, u->policy.ready == POLICY_READY_NOTIFY)
GUARD(waits_ready_post, u->policy.ready == POLICY_READY_NOTIFY && u->has_post)
GUARD(waits_health, u->policy.ready == POLICY_READY_HEALTHY)
GUARD(waits_health_post, u->policy.ready == POLICY_READY_HEALTHY && u->has_post)
GUARD(main_lives, u->has &HAS_MAIN)
GUARD(main_lives_stop_cmd, u->has &HAS_MAIN && u->has_stop_cmd && !(u->has & HAS_HELPER))
GUARD(done_stop_cmd, u->has_stop_cmd && !(u->has & HAS_HELPER))
GUARD(nothing_left, !u->has)
GUARD(exit_unknown, u->has &HAS_STARTER)
GUARD(exit_finishes, oneshot(u) && exit_result(&u->policy, u->wait_status, u->oom) == SUP_SUCCESS)
GUARD(finished_post,
      u->finished && !u->caused && u->has_post && !u->posted && u->want == SUP_WANT_UP)
GUARD(finished_remains,
      u->want == SUP_WANT_UP && u->finished && !u->caused && u->policy.remain_after_exit)
GUARD(wanted_again, u->want == SUP_WANT_AGAIN)
GUARD(comes_back, unit_comes_back(sup, u))
/* A stop on request is no failure, whatever the exit was. */
GUARD(has_failed, failing(u) && (u->want == SUP_WANT_UP || u->result == SUP_DEPENDENCY ||
				 u->result == SUP_START_LIMIT))
GUARD(helper_killed, u->helper_killed)
GUARD(oom_continue, u->policy.oom == POLICY_OOM_CONTINUE)
GUARD(oom_stop, u->policy.oom == POLICY_OOM_STOP)
GUARD(unhealthy_none, u->policy.on_unhealthy == POLICY_HEALTH_NONE)
GUARD(unhealthy_kill, u->policy.on_unhealthy == POLICY_HEALTH_KILL)

/* --- effects ---------------------------------------------------------------------------------- */

#define EFFECT(name_)                                                                              \
	static void run_##name_(struct sup *sup, struct sup_unit *u, const struct cue_data *data); \
	const struct effect effect_##name_ = {#name_, run_##name_};                                \
	static void run_##name_(struct sup *sup __attribute__((unused)), struct sup_unit *u,       \
				const struct cue_data *data __attribute__((unused)))

/* The first cause of an end is its result: what follows from it is not. */
static void cause(struct sup_unit *u, enum sup_result result)
{
	if (u->caused)
		return;
	u->caused = true;
	u->result = result;
}

static void say(struct sup_unit *u, int error, const char *step, const char *text)
{
	u->error = error;
	text_set(u->step, sizeof(u->step), step);
	text_set(u->text, sizeof(u->text), text);
}

EFFECT(begin)
{
	u->caused = u->ready = u->finished = u->posted = u->execed = u->exited = u->oom = false;
	u->run_since = u->ran = 0;
	u->blocker = UINT32_MAX;
	u->helper_killed = false;
}

EFFECT(count_start)
{
	start_limit_count(&u->policy, &u->limit, sup->now);
	u->start_deadline = deadline_in(sup, u->policy.start_timeout_usec);
	say(u, 0, "", "");
}

/* A pod is passive, yet its first member makes namespaces that are to go with it. */
EFFECT(owe_namespaces)
{
	if (u->kind == UNIT_POD)
		u->owes |= OWES_NET_DOWN;
}

static void helper(struct sup *sup, struct sup_unit *u, enum sup_helper which)
{
	sup_act(sup, ACTION_RUN_HELPER, u)->code = which;
	u->has |= HAS_HELPER;
	u->helper = which;
	u->helper_killed = false;
}

EFFECT(spawn)
{
	if (u->kind == UNIT_NETWORK) {
		/* nothing of its own: orlop-net sets up all of them (CUE_NET_UP), but for those on demand */
		if (!u->policy.network_on_demand)
			return;
		helper(sup, u, SUP_HELPER_NET_UP);
		u->owes |= OWES_NET_DOWN;
		return;
	}
	sup_act(sup, u->kind == UNIT_CONTAINER ? ACTION_SPAWN_CONTAINER : ACTION_SPAWN_SERVICE, u);
	u->has |= HAS_STARTER;
	u->owes |= OWES_CGROUP | (u->kind == UNIT_CONTAINER ? OWES_NET_DOWN : 0) |
		   (u->has_stop_post ? OWES_STOP_POST : 0);
}

EFFECT(run_pre)
{
	helper(sup, u, SUP_HELPER_PRE);
	u->has |= HAS_CGROUP; /* they may leave processes there */
	u->owes |= OWES_CGROUP | (u->has_stop_post ? OWES_STOP_POST : 0);
}

EFFECT(run_post)
{
	helper(sup, u, SUP_HELPER_POST);
	u->posted = true;
	u->has |= HAS_CGROUP;
}

EFFECT(run_stop)
{
	helper(sup, u, SUP_HELPER_STOP);
	u->has |= HAS_CGROUP;
}

EFFECT(run_reload)
{
	if (!u->has_reload) {
		sup_reply(sup, data->token, 1, "%s has no way to be reloaded", u->name);
		return;
	}
	if (u->has & HAS_HELPER) {
		sup_reply(sup, data->token, 1, "%s is being reloaded already", u->name);
		return;
	}
	u->reload_token = data->token;
	helper(sup, u, SUP_HELPER_RELOAD);
}

/* One debt after the other. */
EFFECT(run_cleaner)
{
	uint32_t debt = unit_debt(sup, u);

	if (debt & OWES_STOP_POST) {
		helper(sup, u, SUP_HELPER_STOP_POST);
		u->has |= HAS_CGROUP;
		timer_arm(sup, u, TIMER_STATE, deadline_in(sup, u->policy.stop_timeout_usec));
	} else if (debt & OWES_CGROUP) {
		sup_act(sup, ACTION_CG_REMOVE, u);
		u->owes &= ~(uint32_t)OWES_CGROUP;
	} else if (debt & OWES_NET_DOWN) {
		helper(sup, u, SUP_HELPER_NET_DOWN);
		timer_arm(sup, u, TIMER_STATE, sup->now + sup->limits.cleanup_nsec);
	}
}

EFFECT(note_start_failed)
{
	if (u->caused)
		return; /* it was cancelled: that says nothing */
	cause(u, SUP_RESOURCES);
	say(u, data->code, data->step && *data->step ? data->step : "start", data->text);
}

EFFECT(note_finished)
{
	u->finished = true;
}

EFFECT(note_ready)
{
	u->ready = true;
}

EFFECT(note_oom)
{
	u->oom = true;
	sup_log(sup, u, "%s: out of memory%s", u->name, data->flag ? " (of the host)" : "");
}

static void judge(struct sup_unit *u)
{
	if (u->exited)
		cause(u, exit_result(&u->policy, u->wait_status, u->oom));
}

EFFECT(judge_exit)
{
	judge(u);
}

/* Whoever ends before it was ready has not kept its word, even with exit code 0. */
EFFECT(judge_unready_exit)
{
	if (!u->caused && !oneshot(u) &&
	    exit_result(&u->policy, u->wait_status, u->oom) == SUP_SUCCESS) {
		cause(u, SUP_PROTOCOL);
		say(u, 0, "ready", "it ended before it was ready");
	}
	judge(u);
}

EFFECT(cause_stop)
{
	cause(u, SUP_SUCCESS);
}

EFFECT(cause_timeout)
{
	if (!u->caused)
		say(u, 0, sup_state_names[u->state],
		    u->state == SUP_UP ? "RuntimeMaxSec= is over" : "TimeoutStartSec= is over");
	cause(u, SUP_TIMEOUT);
}

EFFECT(cause_watchdog)
{
	cause(u, SUP_WATCHDOG);
}

EFFECT(cause_oom)
{
	cause(u, SUP_OOM_KILL);
}

EFFECT(cause_unhealthy)
{
	cause(u, SUP_UNHEALTHY);
}

EFFECT(cause_limit)
{
	cause(u, SUP_START_LIMIT);
	say(u, 0, "", "started too often (StartLimitBurst=)");
	shutdown_by_policy(sup, u, u->policy.start_limit_action);
}

EFFECT(cause_dependency)
{
	cause(u, SUP_DEPENDENCY);
	for_each_dep (d, sup, u)
		if (d->out & DEP_STRONG && !unit_is(&sup->units[d->to], STATE_UP)) {
			say(u, 0, "", sup->units[d->to].name);
			return;
		}
}

EFFECT(cause_config)
{
	u->caused = true;
	u->result = SUP_CONFIG;
	say(u, 0, "", u->refused);
}

EFFECT(clear_result)
{
	u->caused = false;
	u->result = SUP_SUCCESS;
	say(u, 0, "", "");
}

EFFECT(cause_skip)
{
	cause(u, SUP_SKIP);
	say(u, 0, sup_helper_names[u->helper], data->text);
}

EFFECT(cause_helper)
{
	if (!u->caused)
		say(u, 0, sup_helper_names[u->helper], data->text);
	cause(u, SUP_EXIT_CODE);
}

EFFECT(cause_network)
{
	cause(u, SUP_RESOURCES);
	say(u, 0, "network", sup->net_text);
}

EFFECT(start_health)
{
	health_begin(sup, u);
}

static void signal_main(struct sup *sup, struct sup_unit *u, int signal)
{
	if (u->has & HAS_MAIN)
		sup_act(sup, ACTION_SIGNAL_MAIN, u)->code = signal;
}

EFFECT(signal_stop)
{
	signal_main(sup, u, u->policy.stop_signal);
}

EFFECT(signal_abort)
{
	signal_main(sup, u, SIGABRT);
}

EFFECT(signal_asked)
{
	signal_main(sup, u, data->code);
	sup_reply(sup, data->token, 0, "signal %d sent", data->code);
}

EFFECT(kill_helper)
{
	if (!(u->has & HAS_HELPER))
		return;
	sup_act(sup, ACTION_KILL_HELPER, u);
	u->helper_killed = true;
	if (u->state == SUP_CLEANING) {
		sup_log(sup, u, "%s: %s takes too long, killed", u->name,
			sup_helper_names[u->helper]);
		timer_arm(sup, u, TIMER_STATE, sup->now + sup->limits.kill_nsec);
	}
}

EFFECT(end_all)
{
	if (u->has & HAS_STARTER)
		sup_act(sup, ACTION_CANCEL_START, u);
	if (u->has & HAS_HELPER) {
		sup_act(sup, ACTION_KILL_HELPER, u);
		u->helper_killed = true;
	}
	if (u->has & (HAS_CGROUP | HAS_MAIN | HAS_STARTER))
		sup_act(sup, ACTION_CG_KILL, u);
}

/* As end_all, but what the start helper has to say is waited for: it may know the step that failed. */
EFFECT(end_rest)
{
	uint32_t starter = u->has & HAS_STARTER;

	u->has &= ~(uint32_t)HAS_STARTER;
	run_end_all(sup, u, data);
	u->has |= starter;
}

/* CG_CHECK: should the news that the cgroup is empty have been missed, this finds it. */
EFFECT(kill_again)
{
	run_end_all(sup, u, data);
	sup_act(sup, ACTION_CG_CHECK, u);
	timer_arm(sup, u, TIMER_STATE, sup->now + 60 * SEC);
}

EFFECT(hold)
{
	job_hold(sup, u);
}

EFFECT(again)
{
	job_again(sup, u);
}

/* A run that was long enough wipes out what was before it. */
EFFECT(backoff)
{
	uint64_t enough = u->policy.restart_reset_usec;

	if (enough != POLICY_INFINITY && u->ran >= enough * USEC && u->execed)
		u->failures = 0;
	u->start_deadline = sup->now + restart_delay(&u->policy, u->failures);
	if (u->start_deadline < sup->now)
		u->start_deadline = SUP_NEVER - 1;
	if (u->failures < UINT32_MAX)
		u->failures++;
	u->restarts++;
}

/* own: of itself, not because somebody wants it down; only that has consequences. */
static void end_for_good(struct sup *sup, struct sup_unit *u, bool own, enum dep_kind then,
			 enum policy_action action)
{
	job_give_up(sup, u);
	if (!own)
		return;
	for_each_dep (d, sup, u)
		if (d->out & DEP(then))
			job_start(sup, &sup->units[d->to], START_TRIGGER);
	shutdown_by_policy(sup, u, action);
}

EFFECT(fail)
{
	end_for_good(sup, u, u->want == SUP_WANT_UP, DEP_ON_FAILURE, u->policy.failure_action);
}

EFFECT(finish)
{
	cause(u, SUP_SUCCESS);
	end_for_good(sup, u, u->want == SUP_WANT_UP && u->result != SUP_SKIP, DEP_ON_SUCCESS,
		     u->policy.success_action);
}

EFFECT(forgive)
{
	u->owes = 0;
}

EFFECT(tell_reload)
{
	if (data->code)
		sup_log(sup, u, "%s: reload failed: %s", u->name, data->text ? data->text : "");
	sup_reply(sup, u->reload_token, data->code != 0, "%s",
		  data->code ? (data->text ? data->text : "reload failed") : "reloaded");
	u->reload_token = 0;
}

EFFECT(refuse_kill)
{
	sup_reply(sup, data->token, 3, "%s is not running (%s)", u->name,
		  sup_state_names[u->state]);
}

EFFECT(refuse_reload)
{
	sup_reply(sup, data->token, 3, "%s is not up (%s)", u->name, sup_state_names[u->state]);
}

EFFECT(say_stuck)
{
	sup_log(sup, u,
		"%s: does not die although killed; it will not be started again until it is gone",
		u->name);
}

EFFECT(say_unhealthy)
{
	sup_log(sup, u, "%s: unhealthy", u->name);
}
