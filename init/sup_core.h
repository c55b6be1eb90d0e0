/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the supervisor. Not for the shell: it sees init/sup.h only.
 *
 * How a step goes. sup_step() (sup.c) takes an event: it corrects the unit's facts (`has`) and fires a cue,
 * or, for a request, lets jobs.c change what is wanted. Every change puts the units it may concern
 * into the queue. Then the queue is run to quiet: cue_due() (jobs.c) looks at one unit, level-triggered, and
 * says which cue is due; rule_fire() (rules.c) looks up rules[state][cue], runs the effects (effects.c) and
 * sets the state. Nothing recurses over dependencies.
 *
 * One writer each: state - unit_set_state() (sup.c); want - jobs.c; has - sup.c; deadlines - timers.c.
 *
 * Memory. sup_load() makes everything for as many units as there are; a step allocates nothing.
 */
#pragma once

#include "init/restart.h"
#include "init/sup.h"

#define USEC 1000ull
#define MSEC 1000000ull
#define SEC  1000000000ull

/* --- dependencies ----------------------------------------------------------------------------- */

#define DEP(kind)   (1u << (kind))
#define DEP_STRONG  (DEP(DEP_REQUIRES) | DEP(DEP_REQUISITE) | DEP(DEP_BINDS_TO))
#define DEP_PULLS   (DEP(DEP_REQUIRES) | DEP(DEP_BINDS_TO) | DEP(DEP_WANTS) | DEP(DEP_UPHOLDS))
/* Stopped or restarted together with the unit that they name so. */
#define DEP_DRAGGED (DEP_STRONG | DEP(DEP_PART_OF))

/* A neighbour: what this unit says of it, and it of this unit. Before= is the other's After=. */
struct sup_dep {
	uint32_t to;
	uint16_t out, in; /* DEP() bits */
};

/* --- timers ----------------------------------------------------------------------------------- */

enum sup_timer {
	TIMER_STATE, /* the state's deadline */
	TIMER_RUNTIME,
	TIMER_WATCHDOG,
	TIMER_PROBE, /* the next probe, or the running one's time limit */
	TIMER__N,
};

#define HEAP_NOWHERE UINT32_MAX

struct timer_heap {
	uint32_t *items; /* unit * TIMER__N + timer, earliest first */
	uint32_t n;
};

/* --- a unit ----------------------------------------------------------------------------------- */

enum sup_has {
	HAS_STARTER = 1 << 0,
	HAS_MAIN = 1 << 1,
	HAS_HELPER = 1 << 2,
	HAS_CGROUP = 1 << 3, /* processes in the cgroup, as far as is known */
	HAS_PROBE = 1 << 4,
};

/* What must be undone before it may be called down. */
enum sup_owes {
	OWES_STOP_POST = 1 << 0,
	OWES_NET_DOWN = 1 << 1,
	OWES_CGROUP = 1 << 2,
};

struct sup_unit {
	/* from the configuration */
	bool used;     /* false: a hole */
	bool leaving;  /* no longer configured: forgotten once down */
	char *name;    /* owned */
	char *refused; /* owned, or NULL */
	enum unit_kind kind;
	struct unit_policy policy;
	uint64_t hash, pinned;
	bool outdated; /* its namespaces and ports are what earlier files said: no start may have them */
	bool disabled, has_pre, has_post, has_stop_cmd, has_stop_post, has_reload;
	uint32_t dep_first, n_deps; /* in sup->deps */

	/* the two axes */
	enum sup_state state;
	enum sup_want want;
	uint64_t since;

	/* facts */
	uint32_t has;  /* enum sup_has */
	uint32_t owes; /* enum sup_owes */
	enum sup_helper helper;
	bool helper_killed;

	/* this run */
	bool caused;   /* result is decided: the first cause stays */
	bool ready;    /* READY=1, or the health check, came before it could be used */
	bool finished; /* oneshot: ended well */
	bool posted;   /* ExecStartPost= was begun */
	bool execed;
	uint64_t start_deadline; /* of all that a start takes; BACKOFF: when the next one is */
	uint64_t run_since;      /* exec'ed; 0 = does not run */

	/* the last run */
	enum sup_result result;
	int pid;
	int wait_status;
	bool exited;      /* in this run */
	bool ever_exited; /* wait_status is that of some run */
	bool oom;
	uint64_t ran; /* how long, ns */
	int error;
	char step[32];
	char text[128];
	char status[64];

	/* restarting */
	bool by_hand; /* stopped on request: nothing but a request starts it */
	uint32_t restarts, failures;
	struct start_limit limit;

	/* health */
	enum sup_health health;
	uint32_t probe_failures, probe_successes;
	bool probe_startup; /* the startup probe is not over */
	bool probe_killed;
	bool probe_waits; /* due, but too many run at this time */

	uint32_t reload_token;

	/* disabled or enabled by somebody, and that on its way to the disk */
	bool saving;
	bool saved_disabled; /* what was sent there last */
	int save_error;      /* how the last one ended */
	char save_text[96];

	uint64_t deadline[TIMER__N];
	uint32_t heap_at[TIMER__N];

	/* work in progress */
	bool queued;
	uint32_t blocker; /* index of the edge that blocked last */
};

/* Somebody waits for an answer. */
enum sup_goal {
	GOAL_UP,
	GOAL_DOWN,
	GOAL_ENABLED, /* on the disk */
	GOAL_DISABLED,
	GOAL__N,
};

struct sup_waiter {
	uint32_t token; /* 0 = free */
	uint32_t unit;
	enum sup_goal goal;
};

#define SUP_WAITERS 128 /* twice LIMIT_CLIENTS */
#define SUP_ACTIONS 512 /* a step stops, to be called again, when fewer than SUP_ROOM are free */
#define SUP_ROOM    40 /* what one cue can make at most, with its neighbours' replies, and then some */

enum sup_net {
	NET_UNKNOWN,
	NET_UP,
	NET_FAILED,
};

struct sup {
	struct sup_limits limits;
	struct sup_unit *units;
	uint32_t n;
	struct sup_dep *deps;
	uint32_t n_deps;
	uint32_t *by_name; /* ids, sorted by name */
	uint32_t n_names;

	uint64_t now;
	struct timer_heap heap;
	uint32_t *queue; /* ring of n */
	uint32_t queue_at, queue_len;
	uint32_t *stack; /* of 2 n: work lists of jobs.c */
	uint32_t leavers;
	uint32_t n_busy; /* units that shutdown must wait for: not STATE_OVER */

	enum sup_net net;
	char net_text[128];

	enum sup_shutdown shutdown;
	bool forced;        /* everything left is killed */
	bool shutdown_said; /* SUP_SHUTDOWN_DOWN was */
	uint64_t shutdown_tick, shutdown_kill, shutdown_end;

	uint32_t probes; /* that run now */
	uint64_t seq;

	struct sup_waiter waiters[SUP_WAITERS];
	struct action actions[SUP_ACTIONS];
	size_t n_actions;
};

static inline uint32_t unit_id(const struct sup *sup, const struct sup_unit *u)
{
	return (uint32_t)(u - sup->units);
}

/* The unit's neighbours: for (const struct sup_dep *d = deps_of(sup, u), *e = d + u->n_deps; ...) */
static inline const struct sup_dep *deps_of(const struct sup *sup, const struct sup_unit *u)
{
	return sup->deps + u->dep_first;
}

#define for_each_dep(d, sup, u)                                                                  \
	for (const struct sup_dep *d = deps_of(sup, u), *d##_end = d + (u)->n_deps; d < d##_end; \
	     d++)

#define for_each_unit(u, sup)                                                              \
	for (struct sup_unit *u = (sup)->units, *u##_end = u + (sup)->n; u < u##_end; u++) \
		if (u->used)

/* Properties of a state, by table (sup.c). */
enum state_trait {
	STATE_UP = 1 << 0,       /* counts as up for those that need it */
	STATE_LIVE = 1 << 1,     /* something of it may exist or was promised: must be stopped */
	STATE_ENDING = 1 << 2,   /* on its way down, whatever is wanted */
	STATE_STARTING = 1 << 3, /* between "may start" and up */
	STATE_OVER = 1 << 4,     /* shutdown need not wait for it */
};
extern const uint8_t state_traits[SUP_STATE__N];

static inline bool unit_is(const struct sup_unit *u, unsigned traits)
{
	return state_traits[u->state] & traits;
}

/* --- cues: what the rules know ----------------------------------------------------------------- */

enum cue {
	CUE_NONE,
	/* due by what is wanted and by what the others do (jobs.c) */
	CUE_BEGIN,      /* wanted up, and down */
	CUE_GO_UP,      /* all it waits for is there */
	CUE_GO_DOWN,    /* not wanted up, and nobody needs it any more */
	CUE_DEP_FAILED, /* what it requires is not there and will not come */
	CUE_GONE,       /* nothing of it exists any more */
	CUE_CLEAN,      /* it owes something: the next helper */
	CUE_CLEANED,    /* it owes nothing */
	CUE_NET_UP,
	CUE_NET_FAILED,
	CUE_FORCE,  /* shutdown has no time left */
	CUE_REFUSE, /* its files have an error */
	CUE_ACCEPT, /* and now they have none */
	/* from the world */
	CUE_CLONED,
	CUE_EXECED,
	CUE_START_FAILED,
	CUE_EXITED,
	CUE_HELPER_OK,
	CUE_HELPER_BAD,
	CUE_HELPER_SKIP,
	CUE_READY,
	CUE_HEALTHY,
	CUE_UNHEALTHY,
	CUE_OOM,
	CUE_WATCHDOG,
	CUE_RUNTIME,
	CUE_DEADLINE,
	/* requests that change nothing that is wanted */
	CUE_HURRY, /* a start by hand: no more backoff */
	CUE_KILL,
	CUE_RELOAD,
	CUE__N,
};

extern const char *const cue_names[CUE__N];

/* --- sup.c ------------------------------------------------------------------------------------ */

/* The only writer of state. Tells the world, arms the state's deadline, wakes the neighbours. */
void unit_set_state(struct sup *sup, struct sup_unit *u, enum sup_state state, const char *why);

struct action *sup_act(struct sup *sup, enum action_kind kind,
		       const struct sup_unit *u); /* never NULL */
void sup_log(struct sup *sup, const struct sup_unit *u, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void sup_reply(struct sup *sup, uint32_t token, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void sup_queue(struct sup *sup, struct sup_unit *u);
void sup_count_busy(struct sup *sup); /* after states came from elsewhere */
void sup_queue_neighbours(struct sup *sup, struct sup_unit *u);
static inline bool sup_room(const struct sup *sup)
{
	return sup->n_actions + SUP_ROOM <= SUP_ACTIONS;
}
void event_take(struct sup *sup, const struct event *e); /* sup_events.c */
void text_set(char *to, size_t size, const char *from);  /* NULL = ""; cut at a character's end */

/* --- jobs.c ----------------------------------------------------------------------------------- */

enum sup_start {
	START_BY_HAND, /* somebody asked: forgets failures and limits */
	START_TRIGGER, /* OnFailure=, OnSuccess= */
	START_AGAIN,   /* what it needs is back, Upholds=, the second half of a restart */
};

void job_start(struct sup *sup, struct sup_unit *u, enum sup_start how);
void job_stop(struct sup *sup, struct sup_unit *u, bool by_hand);
void job_restart(struct sup *sup, struct sup_unit *u);
void job_renew(struct sup *sup, struct sup_unit *u);   /* it has waited, with what is outdated */
void job_give_up(struct sup *sup, struct sup_unit *u); /* its own end: not wanted any more */
void job_hold(struct sup *sup, struct sup_unit *u);
void job_again(struct sup *sup, struct sup_unit *u);   /* AGAIN has come half way: up again */
void job_stop_all(struct sup *sup);                    /* shutdown */
void job_refused(struct sup *sup, struct sup_unit *u); /* after a load */
/* Another unit came up, or ceased to be up. */
void job_unit_up(struct sup *sup, struct sup_unit *u);
void job_unit_not_up(struct sup *sup, struct sup_unit *u);
void job_unit_over(struct sup *sup, struct sup_unit *u); /* down or failed */

enum cue cue_due(struct sup *sup, struct sup_unit *u);

/* Whether u must wait for the neighbour d, in the direction it is going. */
bool dep_blocks(const struct sup *sup, const struct sup_unit *u, const struct sup_dep *d);
/* Whether it is to be started again although nobody asks: restart policy, Upholds=. */
bool unit_comes_back(const struct sup *sup, const struct sup_unit *u);
/* What must be undone now, as enum sup_owes bits. */
uint32_t unit_debt(const struct sup *sup, const struct sup_unit *u);

/* --- answers.c -------------------------------------------------------------------------------- */

bool waiter_add(struct sup *sup, uint32_t token, const struct sup_unit *u, enum sup_goal goal);
void waiters_serve(struct sup *sup); /* when all is quiet */

/* --- timers.c --------------------------------------------------------------------------------- */

void timer_arm(struct sup *sup, struct sup_unit *u, enum sup_timer timer, uint64_t deadline);
void timer_disarm(struct sup *sup, struct sup_unit *u, enum sup_timer timer);
uint64_t timer_next(const struct sup *sup);
/* The earliest one that is due at sup->now, disarmed; false: none. */
bool timer_pop(struct sup *sup, struct sup_unit **ret_u, enum sup_timer *ret_timer);
void timer_shift_all(struct sup *sup, uint64_t nsec); /* time has been lost: everything later */
/* now + usec of a policy; POLICY_INFINITY is SUP_NEVER. */
uint64_t deadline_in(const struct sup *sup, uint64_t usec);

/* --- health.c --------------------------------------------------------------------------------- */

void health_begin(struct sup *sup, struct sup_unit *u);
void health_end(struct sup *sup, struct sup_unit *u);
void health_timer(struct sup *sup, struct sup_unit *u);
enum cue health_done(struct sup *sup, struct sup_unit *u,
		     int code); /* CUE_NONE, HEALTHY, UNHEALTHY */

/* --- sup_shutdown.c --------------------------------------------------------------------------- */

void shutdown_request(struct sup *sup, enum sup_shutdown kind, bool at_once, uint32_t token);
void shutdown_timer(struct sup *sup);
void shutdown_check(struct sup *sup); /* when all is quiet */
uint64_t shutdown_next(const struct sup *sup);
/* StartLimitAction=, FailureAction=, SuccessAction=. */
void shutdown_by_policy(struct sup *sup, const struct sup_unit *u, enum policy_action action);
