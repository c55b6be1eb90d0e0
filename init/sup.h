/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: what PID 1 decides, without doing any of it.
 *
 * Pure. Events go in (a request, an exit, an empty cgroup, a passed deadline), actions come out
 * (start this, signal that, answer them). No system call, no clock, no allocation in a step: time
 * is event->now, nanoseconds of CLOCK_BOOTTIME, and all memory is taken by sup_load(). The shell
 * around it turns fds into events and actions into system calls and decides nothing; the simulator
 * (tests/sim/init) is another such shell.
 *
 *	sup_step(sup, &event, now);
 *	for (a = sup_actions(sup, &n); n--; a++)
 *		do_it(a);                          (may queue further events, must not call sup_step)
 *	... until sup_step returned false: true means "not quiet yet, call again with a NULL event"
 *	arm the one timerfd for sup_next_deadline(sup), absolute; when it fires, send EVENT_TIMER
 *
 * Model. Every unit has two axes: what is wanted of it (enum sup_want) and what it is (enum
 * sup_state). A request changes what is wanted, of the unit and of those it drags along; the rules
 * (init/rules.c, one table rules[state][event]) change what is. Between the two stands the order: a
 * unit that waits for others goes on by itself as soon as they allow it. So a start is never lost
 * and a stop never forgotten, and everything can be read back from the two axes and a few facts
 * after a crash of PID 1.
 *
 * Facts. The core keeps track of what exists of a unit: start helper, main process, helper,
 * processes in the cgroup. A unit is over only when nothing of it exists. The contract of the shell
 * is therefore:
 *
 *	ACTION_SPAWN_*    is answered by EVENT_CLONED if a main process was made (PID 1 holds its pidfd), and
 *	                  in any case by exactly one of EVENT_EXECED (it was exec'ed, or died before: its
 *	                  exit tells) and EVENT_START_FAILED, once the start helper is reaped. A start that
 *	                  cannot even be tried is EVENT_START_FAILED as well.
 *	EVENT_CLONED      is followed by exactly one EVENT_EXITED, before or after the above.
 *	ACTION_RUN_HELPER is answered by exactly one EVENT_HELPER_DONE, ACTION_RUN_PROBE by one EVENT_PROBE_DONE,
 *	                  ACTION_SAVE_INTENT by one EVENT_INTENT_SAVED; each in the shell's own time.
 *	EVENT_CGROUP_EMPTY is sent whenever populated was read as 0 just now. `populated` of START_FAILED and
 *	                  HELPER_DONE is what was read just then (false if there is no cgroup).
 *	Everything else is dull: an action on something that is gone is a no-op.
 *
 * Units are known by id, a small number that stays with the name from sup_load() to sup_load().
 * Names, texts and the arrays given to sup_load() and in events are copied; pointers in actions and
 * in sup_unit_info are good until the next step.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "units/policy.h"
#include "units/unit.h" /* enum unit_kind, enum dep_kind */

#define SUP_NONE  UINT32_MAX /* no unit */
#define SUP_NEVER UINT64_MAX /* no deadline */

enum sup_state {
	SUP_DOWN,     /* nothing of it exists; it was stopped, ended well, or was never started */
	SUP_FAILED,   /* nothing of it exists; `result` says why */
	SUP_WAITING,  /* to be started; waits for other units (sup_waits_for) */
	SUP_PRE,      /* conditions and ExecStartPre= */
	SUP_STARTING, /* its start helper works; a network: being set up */
	SUP_EXECING,  /* the main process exists, its exec is not known yet */
	SUP_READYING, /* it runs; not ready (or a oneshot not finished) yet */
	SUP_POST,     /* ready; ExecStartPost= */
	SUP_UP,
	SUP_DONE,     /* oneshot with RemainAfterExit: ended well, counts as up */
	SUP_STOP_CMD, /* ExecStop= */
	SUP_STOPPING, /* stop signal sent */
	SUP_ENDING,   /* main process gone or cgroup killed: waits until nothing is left */
	SUP_STUCK,    /* did not die when killed (D state): never started again until it is gone */
	SUP_CLEANING, /* ExecStopPost=, its end of the network, its cgroup */
	SUP_BACKOFF,  /* waits before the next start */
	SUP_STATE__N,
};

enum sup_want {
	SUP_WANT_DOWN,
	SUP_WANT_UP,
	SUP_WANT_AGAIN, /* down, then up */
	SUP_WANT_HELD,  /* would be up if what it requires were: comes by itself when that comes */
	SUP_WANT__N,
};

/* Why a unit is no longer running: the rows of the restart table. */
enum sup_result {
	SUP_SUCCESS,
	SUP_EXIT_CODE,
	SUP_SIGNAL,
	SUP_CORE_DUMP,
	SUP_TIMEOUT,
	SUP_WATCHDOG,
	SUP_OOM_KILL,
	SUP_RESOURCES, /* it could not be started: step, errno and text say where */
	SUP_PROTOCOL,  /* ended well, but was never ready */
	SUP_UNHEALTHY,
	SUP_SKIP, /* a condition does not hold */
	SUP_START_LIMIT,
	SUP_DEPENDENCY, /* something it requires is not there */
	SUP_CONFIG,     /* its files have an error */
	SUP_RESULT__N,
};

enum sup_health {
	SUP_HEALTH_NONE, /* no probe */
	SUP_HEALTH_STARTING,
	SUP_HEALTHY,
	SUP_UNHEALTHY_NOW,
	SUP_HEALTH__N,
};

/* What runs beside a main process, at most one at a time for a unit; all commands of its list in turn. */
enum sup_helper {
	SUP_HELPER_NONE,
	SUP_HELPER_PRE, /* conditions, then ExecStartPre=; code SUP_SKIP_CODE: a condition does not hold */
	SUP_HELPER_POST,      /* ExecStartPost= */
	SUP_HELPER_STOP,      /* ExecStop= */
	SUP_HELPER_RELOAD,    /* ExecReload=, ReloadCmd=, ReloadSignal= */
	SUP_HELPER_STOP_POST, /* ExecStopPost= */
	SUP_HELPER_NET_UP,    /* a network that is there on demand: orlop-net up, with it */
	SUP_HELPER_NET_DOWN, /* orlop-net down UNIT, and the pinned namespaces closed; or such a network is taken away */
	SUP_HELPER__N,
};

#define SUP_SKIP_CODE (-1)

enum sup_shutdown {
	SUP_RUNNING,
	SUP_POWEROFF,
	SUP_REBOOT,
	SUP_HALT,
	SUP_SHUTDOWN__N,
};

extern const char *const sup_state_names[SUP_STATE__N];       /* "up" */
extern const char *const sup_want_names[SUP_WANT__N];         /* "down" */
extern const char *const sup_result_names[SUP_RESULT__N];     /* "exit-code" */
extern const char *const sup_health_names[SUP_HEALTH__N];     /* "healthy" */
extern const char *const sup_helper_names[SUP_HELPER__N];     /* "start-pre" */
extern const char *const sup_shutdown_names[SUP_SHUTDOWN__N]; /* "poweroff" */

/* --- units ------------------------------------------------------------------------------------ */

struct sup_edge {
	enum dep_kind kind; /* all of units/unit.h */
	uint32_t to;        /* index in the array given to sup_load */
};

/* What the core must know of a unit. */
struct sup_unit_config {
	const char *name; /* unique: "web.container" */
	enum unit_kind kind;
	const struct unit_policy *policy;
	const struct sup_edge *edges;
	size_t n_edges;
	uint64_t hash;   /* a changed one means that a running unit must be made anew */
	uint64_t pinned; /* and this one that what outlives a restart goes too: namespaces, ports */
	const char *
		refused; /* not NULL: must not be started, and why; policy and edges may be missing */
	bool disabled;   /* `orlop disable`: Wants= and Upholds= do not start it */
	bool pre, post, stop_cmd, stop_post; /* there is something for the helper of that name */
	bool reload;                         /* there is a way to reload it */
};

/* The array for sup_load() from a set of units; free() the result (one block; its strings stay with the
 * set). Edges to units that do not exist are left out. NULL: no memory. */
struct sup_unit_config *sup_config_from_set(const struct unit_set *set);

struct sup_limits {
	uint64_t shutdown_nsec; /* from the request to the last step; 0 = 90 s */
	uint64_t kill_nsec;     /* from cgroup.kill to SUP_STUCK; 0 = 10 s */
	uint64_t cleanup_nsec;  /* for SUP_CLEANING's helpers, each; 0 = 20 s */
	uint32_t probes;        /* health probes at one time; 0 = 16 */
};

struct sup;

/* NULL: no memory. limits may be NULL. */
struct sup *sup_new(const struct sup_limits *limits);
struct sup *sup_free(struct sup *sup); /* NULL is allowed; returns NULL */

/*
 * Takes these units, at first or at a reload: all or, with a negative errno, nothing. By name: a
 * unit that is there already keeps id and state and gets the new policy and edges; where its hash
 * changed and it runs, it is wanted AGAIN (unless `keep`); one that is no longer there is wanted
 * DOWN and forgotten once it is (its id is then free for others). Units in an ordering cycle that
 * the caller did not refuse are refused here. Call sup_step(sup, NULL, now) afterwards. -ENOMEM,
 * -E2BIG (LIMIT_UNITS), -EEXIST (a name twice).
 */
int sup_load(struct sup *sup, const struct sup_unit_config *units, size_t n, bool keep,
	     struct fail *f);

/* --- events ----------------------------------------------------------------------------------- */

enum event_kind {
	EVENT_NONE,
	/* requests: unit, token (0: nobody waits for an answer) */
	EVENT_START,
	EVENT_STOP,
	EVENT_RESTART, /* starts what is down */
	EVENT_RELOAD,
	EVENT_KILL, /* code: signal for the main process */
	EVENT_RESET_FAILED,
	EVENT_ENABLE, /* answered when it is kept (ACTION_SAVE_INTENT) */
	EVENT_DISABLE,
	EVENT_SHUTDOWN, /* code: enum sup_shutdown; flag: at once, without waiting for anybody */
	/* the world: unit */
	EVENT_CLONED, /* code: pid */
	EVENT_EXECED,
	EVENT_START_FAILED, /* code: errno; step, text; flag: cgroup populated */
	EVENT_EXITED, /* code: wait status as of waitpid(); flag: the kernel's OOM killer was there */
	EVENT_CGROUP_EMPTY,
	EVENT_OOM, /* memory.events counted a kill; flag: the host was short, not the unit's limit */
	EVENT_HELPER_DONE, /* code: exit code, 128+signal, SUP_SKIP_CODE; text; flag: cgroup populated */
	EVENT_PROBE_DONE,   /* code: 0 = healthy */
	EVENT_INTENT_SAVED, /* code: errno, 0 = it is on the disk; text: why it is not */
	EVENT_NETWORK, /* no unit; code: 0 = orlop-net up has done its work; else what failed, text */
	/* sd_notify, already checked to come from the unit's cgroup */
	EVENT_READY,
	EVENT_NOTIFY_STOPPING,
	EVENT_NOTIFY_STATUS, /* text */
	EVENT_NOTIFY_WATCHDOG,
	EVENT_NOTIFY_TRIGGER, /* WATCHDOG=trigger */
	EVENT_NOTIFY_EXTEND,  /* nsec: EXTEND_TIMEOUT_USEC */
	EVENT_NOTIFY_MAIN,    /* code: pid of what the shell has made the main process */
	EVENT_TIMER,          /* the timerfd fired */
	EVENT_KIND__N,
};

struct event {
	enum event_kind kind;
	uint32_t unit;
	uint64_t now; /* CLOCK_BOOTTIME, ns; never smaller than before */
	int code;
	bool flag;
	uint64_t nsec;
	uint32_t token;
	const char *step, *text; /* NULL = "" */
};

extern const char *const event_names[EVENT_KIND__N]; /* "start-failed" */

/* --- actions ---------------------------------------------------------------------------------- */

enum action_kind {
	ACTION_NONE,
	ACTION_SPAWN_CONTAINER, /* cgroup anew, orlop-run start */
	ACTION_SPAWN_SERVICE,   /* cgroup anew, exec it */
	ACTION_CANCEL_START,    /* kill the start helper and close its report socket */
	ACTION_SIGNAL_MAIN,     /* code: signal; 0 = the unit's stop signal as the shell knows it */
	ACTION_CG_KILL,
	ACTION_CG_CHECK, /* read populated; EVENT_CGROUP_EMPTY if it is 0: nothing may have been missed */
	ACTION_CG_REMOVE,  /* rmdir; nothing lives in it */
	ACTION_RUN_HELPER, /* code: enum sup_helper */
	ACTION_KILL_HELPER,
	ACTION_RUN_PROBE, /* code: 1 = the startup probe */
	ACTION_KILL_PROBE,
	ACTION_REPLY,       /* token, code (exit code of `orlop`: 0 1 3 5), text */
	ACTION_STATE,       /* unit changed: from, to, result, seq, text = why */
	ACTION_LOG,         /* text; unit may be SUP_NONE */
	ACTION_SAVE_INTENT, /* code: 1 = enabled, 0 = disabled; must survive a reboot */
	ACTION_FORGOTTEN,   /* unit (text: its name) is no longer known; the id may come back */
	ACTION_SHUTDOWN,    /* code: enum sup_shutdown_step; result is not meant */
	ACTION_KIND__N,
};

enum sup_shutdown_step {
	SUP_SHUTDOWN_BEGUN,
	SUP_SHUTDOWN_WAITING, /* every 5 s: see sup_shutdown_waits */
	SUP_SHUTDOWN_KILLING, /* time is nearly over: everything left is killed */
	SUP_SHUTDOWN_DOWN,    /* nothing runs, or the deadline has passed: unmount, sync, leave */
};

struct action {
	enum action_kind kind;
	uint32_t unit;
	int code;
	uint32_t token;
	enum sup_state from, to;
	enum sup_result result;
	uint64_t seq; /* STATE: counts by one, over revivals too */
	char text[160];
};

extern const char *const action_names[ACTION_KIND__N]; /* "cg-kill" */

/* --- running it ------------------------------------------------------------------------------- */

/* Takes an event (NULL with a time: nothing but the time) and goes on until all is quiet or the actions'
 * array is full: then true, and it must be called again with a NULL event. Actions of the step
 * before are gone. Deadlines that have passed are served here, whatever the event is. */
bool sup_step(struct sup *sup, const struct event *event, uint64_t now);

/* What the last step wants done, in this order. */
const struct action *sup_actions(const struct sup *sup, size_t *ret_n);

/* The earliest deadline, CLOCK_BOOTTIME ns, or SUP_NEVER. */
uint64_t sup_next_deadline(const struct sup *sup);

enum sup_shutdown sup_shutdown_kind(const struct sup *sup);
/* When the last step comes at the latest; SUP_NEVER when not shutting down. */
uint64_t sup_shutdown_deadline(const struct sup *sup);

/* --- looking at it ---------------------------------------------------------------------------- */

struct sup_unit_info {
	const char *name;
	enum unit_kind kind;
	enum sup_state state;
	enum sup_want want;
	uint64_t since;    /* when it got into this state */
	uint64_t up_since; /* when its main process was exec'ed; 0 = does not run */
	uint64_t
		deadline; /* when this state ends by force; BACKOFF: the next start; else SUP_NEVER */
	int pid;          /* main process, 0 = none */
	enum sup_result result; /* of the last run */
	int wait_status;        /* of the last main process, as of waitpid() */
	bool exited;            /* there was one */
	bool oom;
	uint32_t restarts; /* by policy, since the last start by hand */
	uint32_t failures; /* failed starts in a row: how far the backoff has got */
	enum sup_health health;
	uint32_t health_failures; /* in a row */
	int error;                /* errno of `step` */
	const char *step;         /* where the last start failed; "" */
	const char *text;         /* what was said about the last failure; "" */
	const char *status;       /* STATUS= of sd_notify; "" */
	const char *refused;      /* why it must not be started; NULL */
	bool disabled;
	bool by_hand; /* stopped on request */
};

/* Ids are below this; those of forgotten units are holes (sup_unit_info: false). */
uint32_t sup_count(const struct sup *sup);
uint32_t sup_find(const struct sup *sup, const char *name); /* SUP_NONE */
bool sup_unit_info(const struct sup *sup, uint32_t unit, struct sup_unit_info *ret);

/* The units that this one waits for, whether to start or to stop: up to max ids; returns how many. */
size_t sup_waits_for(const struct sup *sup, uint32_t unit, uint32_t *ret_ids, size_t max);

/* The units that shutdown still waits for; the same way. */
size_t sup_shutdown_waits(const struct sup *sup, uint32_t *ret_ids, size_t max);

/* A number for the last ACTION_STATE. */
uint64_t sup_seq(const struct sup *sup);

/* --- revival ---------------------------------------------------------------------------------- */

/* The whole state as words, so that a sup_new() + sup_load() of the same units + sup_decode() goes on
 * where this one was. Units are named, so ids may differ; those unknown to the new one are skipped.
 * sup_decode is all or nothing (-EINVAL with what was wrong). */
void sup_encode(const struct sup *sup, struct buf *b);
int sup_decode(struct sup *sup, const char *data, size_t len, struct fail *f);

/* After sup_decode: the shell looks at what really exists and sends EVENT_EXITED, EVENT_START_FAILED,
 * EVENT_HELPER_DONE, EVENT_PROBE_DONE, EVENT_CGROUP_EMPTY, EVENT_INTENT_SAVED for what is gone. These say what the core
 * believes to exist. */
struct sup_facts {
	bool starter, main, helper, probe, cgroup, network, intent;
	enum sup_helper which;
};
bool sup_unit_facts(const struct sup *sup, uint32_t unit, struct sup_facts *ret);
