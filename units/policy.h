/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy: all that the supervisor's state machine reads of a unit. Plain values, no pointers, so that
 * a copy stays right when the units are reloaded. Times are microseconds; POLICY_INFINITY is "never".
 *
 * Where Restart= is set and no delay is written, the delay starts at restart_usec and doubles up to
 * restart_max_delay_usec (restart_doubles), a run of restart_reset_usec or more starts over, and
 * nothing gives up. A written RestartSec=, RestartSteps= or StartLimit...= has systemd's meaning.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define POLICY_INFINITY UINT64_MAX

enum policy_restart {
	POLICY_RESTART_NO,
	POLICY_RESTART_ON_SUCCESS,
	POLICY_RESTART_ON_FAILURE,
	POLICY_RESTART_ON_ABNORMAL,
	POLICY_RESTART_ON_WATCHDOG,
	POLICY_RESTART_ON_ABORT,
	POLICY_RESTART_ALWAYS,
	POLICY_RESTART__N,
};

/* Type= of [Service]. A container's is NOTIFY or ONESHOT. */
enum policy_type {
	POLICY_TYPE_SIMPLE, /* up as soon as the process exists */
	POLICY_TYPE_EXEC,   /* up once it was exec'ed */
	POLICY_TYPE_NOTIFY, /* up as `ready` says */
	POLICY_TYPE_ONESHOT,
	POLICY_TYPE_NONE, /* nothing runs: targets, volumes, networks, pods, images */
	POLICY_TYPE__N,
};

/* When a unit counts as up, so that what is ordered after it may start. */
enum policy_ready {
	POLICY_READY_NOW,     /* nothing to run, or Type=simple */
	POLICY_READY_EXEC,    /* exec succeeded */
	POLICY_READY_NOTIFY,  /* READY=1 came */
	POLICY_READY_HEALTHY, /* the health check succeeded for the first time */
	POLICY_READY_EXIT,    /* Type=oneshot: it ended well */
	POLICY_READY__N,
};

enum policy_health_action {
	POLICY_HEALTH_NONE,
	POLICY_HEALTH_KILL,
	POLICY_HEALTH_RESTART,
	POLICY_HEALTH_STOP,
	POLICY_HEALTH__N,
};

enum policy_oom {
	POLICY_OOM_STOP, /* the unit ends as failed */
	POLICY_OOM_CONTINUE,
	POLICY_OOM_KILL, /* all its processes are killed */
	POLICY_OOM__N,
};

/* StartLimitAction=, FailureAction=: what the host does when the unit gives up. */
enum policy_action {
	POLICY_ACTION_NONE,
	POLICY_ACTION_REBOOT,
	POLICY_ACTION_REBOOT_FORCE,
	POLICY_ACTION_REBOOT_IMMEDIATE,
	POLICY_ACTION_POWEROFF,
	POLICY_ACTION_POWEROFF_FORCE,
	POLICY_ACTION_POWEROFF_IMMEDIATE,
	POLICY_ACTION__N,
};

/* A set of ways to end. */
struct policy_exits {
	uint64_t codes[4]; /* bit c%64 of word c/64: exit code c */
	uint64_t signals;  /* bit s: killed by signal s (1 to 63), or exit code 128+s of a shell */
};

/* A periodic probe. The command itself is in the unit (struct unit_container). */
struct policy_probe {
	bool on;
	uint64_t interval_usec; /* POLICY_INFINITY: only run by hand (HealthInterval=disable) */
	uint64_t timeout_usec;
	uint64_t start_period_usec; /* failures in it do not count */
	uint32_t retries;           /* failures in a row that make it unhealthy; 0 = never */
	uint32_t successes;         /* startup probe: successes in a row that end it; at least 1 */
};

struct unit_policy {
	enum policy_type type;
	enum policy_ready ready;
	bool remain_after_exit; /* oneshot: stays up after it ended well */

	enum policy_restart restart;
	bool restart_doubles; /* no delay was written: double it at every failed start */
	uint64_t restart_usec;
	uint32_t restart_steps; /* 0: the delay stays (or doubles) */
	uint64_t restart_max_delay_usec;
	uint64_t restart_reset_usec;
	bool restart_direct; /* RestartMode=direct: those bound to it do not notice a restart */

	uint32_t start_limit_burst; /* 0: never gives up */
	uint64_t start_limit_interval_usec;
	enum policy_action start_limit_action;
	enum policy_action failure_action, success_action; /* when it ends for good */

	uint64_t start_timeout_usec;
	uint64_t stop_timeout_usec; /* from the stop signal to the kill of the cgroup */
	uint64_t
		abort_timeout_usec; /* the same after the watchdog's SIGABRT; 0 = stop_timeout_usec */
	uint64_t watchdog_usec;     /* 0 = off */
	uint64_t runtime_max_usec; /* 0 = off */

	int stop_signal;   /* 0: what the image says, else SIGTERM */
	int reload_signal; /* 0: none */

	struct policy_exits success, restart_prevent, restart_force;

	enum policy_oom oom;
	struct policy_probe health, startup;
	enum policy_health_action on_unhealthy;

	bool pod_stops_with_members; /* pod: ExitPolicy=stop, ends when its last member has ended */
	bool network_on_demand;      /* network: NetworkDeleteOnStop=, there only while it is up */
	bool starts_with_pod;        /* container in a pod: StartWithPod= */
};

static inline bool policy_exits_code(const struct policy_exits *set, int code)
{
	return code >= 0 && code < 256 && (set->codes[code / 64] >> (code % 64) & 1);
}

static inline bool policy_exits_signal(const struct policy_exits *set, int signal)
{
	return signal > 0 && signal < 64 && (set->signals >> signal & 1);
}

/* What a unit of a kind without a [Service] section has: restart no, 90 s, never gives up. */
void policy_defaults(struct unit_policy *policy);

extern const char *const policy_restart_names[POLICY_RESTART__N];
extern const char *const policy_type_names[POLICY_TYPE__N];
extern const char *const policy_ready_names[POLICY_READY__N];
extern const char *const policy_health_names[POLICY_HEALTH__N];
extern const char *const policy_oom_names[POLICY_OOM__N];
extern const char *const policy_action_names[POLICY_ACTION__N];
