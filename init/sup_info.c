/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Names and looks: nothing here changes anything. */
#include "init/sup_core.h"

const char *const sup_state_names[SUP_STATE__N] = {
	[SUP_DOWN] = "down",         [SUP_FAILED] = "failed",     [SUP_WAITING] = "waiting",
	[SUP_PRE] = "start-pre",     [SUP_STARTING] = "starting", [SUP_EXECING] = "execing",
	[SUP_READYING] = "readying", [SUP_POST] = "start-post",   [SUP_UP] = "up",
	[SUP_DONE] = "done",         [SUP_STOP_CMD] = "stop-cmd", [SUP_STOPPING] = "stopping",
	[SUP_ENDING] = "ending",     [SUP_STUCK] = "stuck",       [SUP_CLEANING] = "cleaning",
	[SUP_BACKOFF] = "backoff",
};

const char *const sup_want_names[SUP_WANT__N] = {
	[SUP_WANT_DOWN] = "down",
	[SUP_WANT_UP] = "up",
	[SUP_WANT_AGAIN] = "restart",
	[SUP_WANT_HELD] = "held",
};

const char *const sup_result_names[SUP_RESULT__N] = {
	[SUP_SUCCESS] = "success",
	[SUP_EXIT_CODE] = "exit-code",
	[SUP_SIGNAL] = "signal",
	[SUP_CORE_DUMP] = "core-dump",
	[SUP_TIMEOUT] = "timeout",
	[SUP_WATCHDOG] = "watchdog",
	[SUP_OOM_KILL] = "oom-kill",
	[SUP_RESOURCES] = "resources",
	[SUP_PROTOCOL] = "protocol",
	[SUP_UNHEALTHY] = "unhealthy",
	[SUP_SKIP] = "skip",
	[SUP_START_LIMIT] = "start-limit-hit",
	[SUP_DEPENDENCY] = "dependency",
	[SUP_CONFIG] = "config",
};

const char *const sup_health_names[SUP_HEALTH__N] = {
	[SUP_HEALTH_NONE] = "none",
	[SUP_HEALTH_STARTING] = "starting",
	[SUP_HEALTHY] = "healthy",
	[SUP_UNHEALTHY_NOW] = "unhealthy",
};

const char *const sup_helper_names[SUP_HELPER__N] = {
	[SUP_HELPER_NONE] = "none",       [SUP_HELPER_PRE] = "start-pre",
	[SUP_HELPER_POST] = "start-post", [SUP_HELPER_STOP] = "stop-cmd",
	[SUP_HELPER_RELOAD] = "reload",   [SUP_HELPER_STOP_POST] = "stop-post",
	[SUP_HELPER_NET_UP] = "net-up",   [SUP_HELPER_NET_DOWN] = "net-down",
};

const char *const sup_shutdown_names[SUP_SHUTDOWN__N] = {
	[SUP_RUNNING] = "running",
	[SUP_POWEROFF] = "poweroff",
	[SUP_REBOOT] = "reboot",
	[SUP_HALT] = "halt",
};

const char *const event_names[EVENT_KIND__N] = {
	[EVENT_NONE] = "none",
	[EVENT_START] = "start",
	[EVENT_STOP] = "stop",
	[EVENT_RESTART] = "restart",
	[EVENT_RELOAD] = "reload",
	[EVENT_KILL] = "kill",
	[EVENT_RESET_FAILED] = "reset-failed",
	[EVENT_ENABLE] = "enable",
	[EVENT_DISABLE] = "disable",
	[EVENT_INTENT_SAVED] = "intent-saved",
	[EVENT_SHUTDOWN] = "shutdown",
	[EVENT_CLONED] = "cloned",
	[EVENT_EXECED] = "execed",
	[EVENT_START_FAILED] = "start-failed",
	[EVENT_EXITED] = "exited",
	[EVENT_CGROUP_EMPTY] = "cgroup-empty",
	[EVENT_OOM] = "oom",
	[EVENT_HELPER_DONE] = "helper-done",
	[EVENT_PROBE_DONE] = "probe-done",
	[EVENT_NETWORK] = "network",
	[EVENT_READY] = "ready",
	[EVENT_NOTIFY_STOPPING] = "notify-stopping",
	[EVENT_NOTIFY_STATUS] = "notify-status",
	[EVENT_NOTIFY_WATCHDOG] = "notify-watchdog",
	[EVENT_NOTIFY_TRIGGER] = "notify-trigger",
	[EVENT_NOTIFY_EXTEND] = "notify-extend",
	[EVENT_NOTIFY_MAIN] = "notify-main",
	[EVENT_TIMER] = "timer",
};

const char *const action_names[ACTION_KIND__N] = {
	[ACTION_NONE] = "none",
	[ACTION_SPAWN_CONTAINER] = "spawn-container",
	[ACTION_SPAWN_SERVICE] = "spawn-service",
	[ACTION_CANCEL_START] = "cancel-start",
	[ACTION_SIGNAL_MAIN] = "signal-main",
	[ACTION_CG_KILL] = "cg-kill",
	[ACTION_CG_CHECK] = "cg-check",
	[ACTION_CG_REMOVE] = "cg-remove",
	[ACTION_RUN_HELPER] = "run-helper",
	[ACTION_KILL_HELPER] = "kill-helper",
	[ACTION_RUN_PROBE] = "run-probe",
	[ACTION_KILL_PROBE] = "kill-probe",
	[ACTION_REPLY] = "reply",
	[ACTION_STATE] = "state",
	[ACTION_LOG] = "log",
	[ACTION_SAVE_INTENT] = "save-intent",
	[ACTION_FORGOTTEN] = "forgotten",
	[ACTION_SHUTDOWN] = "shutdown",
};

const char *const cue_names[CUE__N] = {
	[CUE_NONE] = "none",
	[CUE_BEGIN] = "begin",
	[CUE_GO_UP] = "go-up",
	[CUE_GO_DOWN] = "go-down",
	[CUE_DEP_FAILED] = "dep-failed",
	[CUE_GONE] = "gone",
	[CUE_CLEAN] = "clean",
	[CUE_CLEANED] = "cleaned",
	[CUE_NET_UP] = "net-up",
	[CUE_NET_FAILED] = "net-failed",
	[CUE_FORCE] = "force",
	[CUE_REFUSE] = "refuse",
	[CUE_ACCEPT] = "accept",
	[CUE_CLONED] = "cloned",
	[CUE_EXECED] = "execed",
	[CUE_START_FAILED] = "start-failed",
	[CUE_EXITED] = "exited",
	[CUE_HELPER_OK] = "helper-ok",
	[CUE_HELPER_BAD] = "helper-bad",
	[CUE_HELPER_SKIP] = "helper-skip",
	[CUE_READY] = "ready",
	[CUE_HEALTHY] = "healthy",
	[CUE_UNHEALTHY] = "unhealthy",
	[CUE_OOM] = "oom",
	[CUE_WATCHDOG] = "watchdog",
	[CUE_RUNTIME] = "runtime-max",
	[CUE_DEADLINE] = "deadline",
	[CUE_HURRY] = "hurry",
	[CUE_KILL] = "kill",
	[CUE_RELOAD] = "reload",
};

static const struct sup_unit *unit_at(const struct sup *sup, uint32_t unit)
{
	return unit < sup->n && sup->units[unit].used ? &sup->units[unit] : NULL;
}

bool sup_unit_info(const struct sup *sup, uint32_t unit, struct sup_unit_info *ret)
{
	const struct sup_unit *u = unit_at(sup, unit);

	if (!u)
		return false;
	*ret = (struct sup_unit_info){
		.name = u->name,
		.kind = u->kind,
		.state = u->state,
		.want = u->want,
		.since = u->since,
		.up_since = u->run_since,
		.deadline = u->deadline[TIMER_STATE],
		.pid = u->pid,
		.result = u->result,
		.wait_status = u->wait_status,
		.exited = u->ever_exited,
		.oom = u->oom,
		.restarts = u->restarts,
		.failures = u->failures,
		.health = u->health,
		.health_failures = u->probe_failures,
		.error = u->error,
		.step = u->step,
		.text = u->text,
		.status = u->status,
		.refused = u->refused,
		.disabled = u->disabled,
		.by_hand = u->by_hand,
	};
	return true;
}

size_t sup_waits_for(const struct sup *sup, uint32_t unit, uint32_t *ret_ids, size_t max)
{
	const struct sup_unit *u = unit_at(sup, unit);
	size_t n = 0;

	if (!u)
		return 0;
	for_each_dep (d, sup, u) {
		if (!dep_blocks(sup, u, d))
			continue;
		if (n < max)
			ret_ids[n] = d->to;
		n++;
	}
	return n;
}

bool sup_unit_facts(const struct sup *sup, uint32_t unit, struct sup_facts *ret)
{
	const struct sup_unit *u = unit_at(sup, unit);

	if (!u)
		return false;
	*ret = (struct sup_facts){
		.starter = u->has & HAS_STARTER,
		.main = u->has & HAS_MAIN,
		.helper = u->has & HAS_HELPER,
		.probe = u->has & HAS_PROBE,
		.cgroup = u->has & HAS_CGROUP,
		.network = u->owes & OWES_NET_DOWN,
		.intent = u->saving,
		.which = u->has & HAS_HELPER ? u->helper : SUP_HELPER_NONE,
	};
	return true;
}

uint32_t sup_count(const struct sup *sup)
{
	return sup->n;
}

uint64_t sup_seq(const struct sup *sup)
{
	return sup->seq;
}
