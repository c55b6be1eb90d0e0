/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/policy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/loader.h"
#include "units/value.h"

#define SEC UINT64_C(1000000)

const char *const policy_restart_names[POLICY_RESTART__N] = {
	[POLICY_RESTART_NO] = "no",
	[POLICY_RESTART_ON_SUCCESS] = "on-success",
	[POLICY_RESTART_ON_FAILURE] = "on-failure",
	[POLICY_RESTART_ON_ABNORMAL] = "on-abnormal",
	[POLICY_RESTART_ON_WATCHDOG] = "on-watchdog",
	[POLICY_RESTART_ON_ABORT] = "on-abort",
	[POLICY_RESTART_ALWAYS] = "always",
};
const char *const policy_type_names[POLICY_TYPE__N] = {
	[POLICY_TYPE_SIMPLE] = "simple", [POLICY_TYPE_EXEC] = "exec",
	[POLICY_TYPE_NOTIFY] = "notify", [POLICY_TYPE_ONESHOT] = "oneshot",
	[POLICY_TYPE_NONE] = "none",
};
const char *const policy_ready_names[POLICY_READY__N] = {
	[POLICY_READY_NOW] = "now",       [POLICY_READY_EXEC] = "exec",
	[POLICY_READY_NOTIFY] = "notify", [POLICY_READY_HEALTHY] = "healthy",
	[POLICY_READY_EXIT] = "exit",
};
const char *const policy_health_names[POLICY_HEALTH__N] = {
	[POLICY_HEALTH_NONE] = "none",
	[POLICY_HEALTH_KILL] = "kill",
	[POLICY_HEALTH_RESTART] = "restart",
	[POLICY_HEALTH_STOP] = "stop",
};
const char *const policy_oom_names[POLICY_OOM__N] = {
	[POLICY_OOM_STOP] = "stop",
	[POLICY_OOM_CONTINUE] = "continue",
	[POLICY_OOM_KILL] = "kill",
};
const char *const policy_action_names[POLICY_ACTION__N] = {
	[POLICY_ACTION_NONE] = "none",
	[POLICY_ACTION_REBOOT] = "reboot",
	[POLICY_ACTION_REBOOT_FORCE] = "reboot-force",
	[POLICY_ACTION_REBOOT_IMMEDIATE] = "reboot-immediate",
	[POLICY_ACTION_POWEROFF] = "poweroff",
	[POLICY_ACTION_POWEROFF_FORCE] = "poweroff-force",
	[POLICY_ACTION_POWEROFF_IMMEDIATE] = "poweroff-immediate",
};

/* The index of value in names; `otherwise` if it is NULL or not there. */
static int index_of(const char *const *names, int n, const char *value, int otherwise)
{
	for (int i = 0; value && i < n; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	return otherwise;
}

void policy_defaults(struct unit_policy *p)
{
	*p = (struct unit_policy){
		.type = POLICY_TYPE_NONE,
		.restart_doubles = true,
		.restart_usec = SEC / 10,
		.restart_max_delay_usec = 60 * SEC,
		.restart_reset_usec = 10 * SEC,
		.start_limit_interval_usec = 10 * SEC,
		.start_timeout_usec = 90 * SEC,
		.stop_timeout_usec = 90 * SEC,
		.oom = POLICY_OOM_KILL,
		.starts_with_pod = true,
	};
	p->success.codes[0] = 1;
	p->success.signals = UINT64_C(1) << SIGHUP | UINT64_C(1) << SIGINT |
			     UINT64_C(1) << SIGTERM | UINT64_C(1) << SIGPIPE;
}

static uint64_t usec_or(struct number n, uint64_t otherwise)
{
	if (!n.set)
		return otherwise;
	return n.value < 0 ? POLICY_INFINITY : (uint64_t)n.value;
}

/* A timeout of 0 is none, as in systemd. */
static uint64_t timeout_or(struct number n, uint64_t otherwise)
{
	uint64_t usec = usec_or(n, otherwise);

	return usec ? usec : POLICY_INFINITY;
}

static void set_exits(struct policy_exits *set, const struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		value_exit_status(list->items[i].value, set);
}

static enum policy_action action_of(struct text word)
{
	return (enum policy_action)index_of(policy_action_names, POLICY_ACTION__N, word.value,
					    POLICY_ACTION_NONE);
}

static void set_restart(struct compile *x, struct unit_policy *p, const struct unit_service *s)
{
	const struct unit *u = compile_conv(x)->unit;
	int restart = index_of(policy_restart_names, POLICY_RESTART__N, s->restart.value, -1);

	p->restart = restart < 0 ? POLICY_RESTART_NO : (enum policy_restart)restart;
	if (restart < 0 && s->restart.value) { /* the one other word that is let through */
		p->restart = POLICY_RESTART_ALWAYS;
		compile_report(
			x, DIAG_WARNING, SECTION_SERVICE, "Restart", U_CHOICE, "write always",
			"Restart=unless-stopped is taken for always: a stop by hand always wins");
	}
	if (p->type == POLICY_TYPE_ONESHOT &&
	    (p->restart == POLICY_RESTART_ALWAYS || p->restart == POLICY_RESTART_ON_SUCCESS))
		compile_report(x, DIAG_ERROR, SECTION_SERVICE, "Restart", U_CONFLICT,
			       "write on-failure", "Restart=%s with Type=oneshot would never end",
			       s->restart.value);
	p->restart_doubles = !s->restart_usec.set && !s->restart_steps.set &&
			     !s->restart_max_delay_usec.set;
	p->restart_usec = usec_or(s->restart_usec, p->restart_usec);
	p->restart_direct = s->restart_mode.value && !strcmp(s->restart_mode.value, "direct");
	p->restart_steps = s->restart_steps.set ? (uint32_t)s->restart_steps.value : 0;
	if (!p->restart_doubles)
		p->restart_max_delay_usec = usec_or(s->restart_max_delay_usec, p->restart_usec);
	if (s->restart_steps.set != s->restart_max_delay_usec.set)
		compile_report(
			x, DIAG_WARNING, SECTION_SERVICE,
			s->restart_steps.set ? "RestartSteps" : "RestartMaxDelaySec", U_CONFLICT,
			NULL,
			"RestartSteps= and RestartMaxDelaySec= have no effect without each other");
	set_exits(&p->success, &s->success_exit_status);
	set_exits(&p->restart_prevent, &s->restart_prevent_exit_status);
	set_exits(&p->restart_force, &s->restart_force_exit_status);
	/* Giving up is what somebody must ask for. */
	if (u->start_limit_burst.set)
		p->start_limit_burst = (uint32_t)u->start_limit_burst.value;
	else if (u->start_limit_interval_usec.set && u->start_limit_interval_usec.value)
		p->start_limit_burst = 5;
	p->start_limit_interval_usec = usec_or(u->start_limit_interval_usec,
					       p->start_limit_interval_usec);
	if (p->start_limit_interval_usec == 0)
		p->start_limit_burst = 0;
	p->start_limit_action = action_of(u->start_limit_action);
	p->failure_action = action_of(u->failure_action);
	p->success_action = action_of(u->success_action);
}

static struct policy_probe probe(const struct text_list *cmd, struct number interval,
				 struct number timeout, struct number retries,
				 uint32_t default_retries)
{
	return (struct policy_probe){
		.on = cmd->n > 0,
		.interval_usec = usec_or(interval, 30 * SEC),
		.timeout_usec = usec_or(timeout, 30 * SEC),
		.retries = retries.set ? (uint32_t)retries.value : default_retries,
		.successes = 1,
	};
}

static void set_container(struct unit_policy *p, const struct unit_container *c)
{
	bool notify = false;

	if (p->type != POLICY_TYPE_NOTIFY)
		; /* oneshot: up when it has ended */
	else if (c->notify.value && strcmp(c->notify.value, "healthy") == 0)
		p->ready = POLICY_READY_HEALTHY;
	else if (c->notify.value && !value_bool(c->notify.value, &notify) && notify)
		p->ready = POLICY_READY_NOTIFY;
	p->health = probe(&c->health_cmd, c->health_interval, c->health_timeout, c->health_retries,
			  3);
	p->health.start_period_usec = usec_or(c->health_start_period, 0);
	p->startup = probe(&c->health_startup_cmd, c->health_startup_interval,
			   c->health_startup_timeout, c->health_startup_retries, 0);
	if (c->health_startup_success.value > 1)
		p->startup.successes = (uint32_t)c->health_startup_success.value;
	p->on_unhealthy = (enum policy_health_action)index_of(policy_health_names, POLICY_HEALTH__N,
							      c->health_on_failure.value,
							      POLICY_HEALTH_NONE);
	p->stop_signal = (int)c->stop_signal.value;
	p->reload_signal = (int)c->reload_signal.value;
	p->starts_with_pod = tri_or(c->start_with_pod, true);
}

/* Podman waits StopTimeout= (10 s), and TimeoutStopSec= bounds that. Whoever wrote only the latter
 * meant the time that a database gets: it is given. */
static uint64_t container_stop_timeout(const struct unit_container *c, const struct unit_service *s)
{
	uint64_t outer = timeout_or(s->stop_timeout_usec, POLICY_INFINITY), own = 10 * SEC;

	if (c->stop_timeout.set)
		own = (uint64_t)c->stop_timeout.value * SEC;
	else if (s->stop_timeout_usec.set)
		return outer;
	return own < outer ? own : outer;
}

static void set_runtime_max(struct compile *x, struct unit_policy *p, const struct unit_service *s)
{
	p->runtime_max_usec = usec_or(s->runtime_max_usec, 0);
	if (p->runtime_max_usec == POLICY_INFINITY)
		p->runtime_max_usec = 0;
	if (p->runtime_max_usec && p->type == POLICY_TYPE_ONESHOT) {
		p->runtime_max_usec = 0;
		compile_report(
			x, DIAG_WARNING, SECTION_SERVICE, "RuntimeMaxSec", U_NO_EFFECT,
			"use TimeoutStartSec=", "RuntimeMaxSec= has no effect with Type=oneshot");
	}
}

void finish_policy(struct compile *x)
{
	static const enum policy_ready ready[POLICY_TYPE__N] = {
		[POLICY_TYPE_SIMPLE] = POLICY_READY_NOW,
		[POLICY_TYPE_EXEC] = POLICY_READY_EXEC,
		[POLICY_TYPE_NOTIFY] = POLICY_READY_NOTIFY,
		[POLICY_TYPE_ONESHOT] = POLICY_READY_EXIT,
		[POLICY_TYPE_NONE] = POLICY_READY_NOW,
	};
	struct unit *u = compile_conv(x)->unit;
	struct unit_policy *p = &u->policy;
	const struct unit_service *s = u->exec;
	int type = u->kind == UNIT_CONTAINER ? POLICY_TYPE_NOTIFY
		   : u->kind == UNIT_SERVICE ? POLICY_TYPE_SIMPLE
					     : POLICY_TYPE_NONE;

	policy_defaults(p);
	if (type != POLICY_TYPE_NONE)
		type = index_of(policy_type_names, POLICY_TYPE__N, s->type.value, type);
	p->type = (enum policy_type)type;
	/* A container is up when its program runs, unless Notify= says more. */
	p->ready = u->kind == UNIT_CONTAINER && p->type == POLICY_TYPE_NOTIFY ? POLICY_READY_EXEC
									      : ready[type];
	p->remain_after_exit = tri_or(s->remain_after_exit, false);
	set_restart(x, p, s);
	p->start_timeout_usec = timeout_or(s->start_timeout_usec, type == POLICY_TYPE_ONESHOT
									  ? POLICY_INFINITY
									  : p->start_timeout_usec);
	p->stop_timeout_usec = timeout_or(s->stop_timeout_usec, p->stop_timeout_usec);
	if (s->abort_timeout_usec.set)
		p->abort_timeout_usec = timeout_or(s->abort_timeout_usec, 0);
	p->watchdog_usec = usec_or(s->watchdog_usec, 0);
	if (p->watchdog_usec == POLICY_INFINITY)
		p->watchdog_usec = 0;
	set_runtime_max(x, p, s);
	p->oom = (enum policy_oom)index_of(policy_oom_names, POLICY_OOM__N, s->oom_policy.value,
					   POLICY_OOM_KILL);
	if (u->kind == UNIT_SERVICE)
		p->stop_signal = (int)s->kill_signal.value;
	if (u->kind == UNIT_CONTAINER) {
		set_container(p, u->container);
		p->stop_timeout_usec = container_stop_timeout(u->container, s);
	}
	if (u->kind == UNIT_NETWORK)
		p->network_on_demand = tri_or(u->network->network_delete_on_stop, false);
	if (u->kind == UNIT_POD) {
		p->pod_stops_with_members = !u->pod->exit_policy.value ||
					    strcmp(u->pod->exit_policy.value, "stop") == 0;
		if (u->pod->stop_timeout.set)
			p->stop_timeout_usec = (uint64_t)u->pod->stop_timeout.value * SEC;
		else if (!s->stop_timeout_usec.set)
			p->stop_timeout_usec = 10 * SEC;
		if (!s->restart.value) /* as Quadlet writes it into a pod's service */
			p->restart = POLICY_RESTART_ON_FAILURE;
	}
}
