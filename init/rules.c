/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/rules.h"

/* The table of what happens to a unit; its length is that every cell is decided. */

/* The state is written out in every rule, so that a row reads by itself; STAY needs the row's. */
#define GO(next_, ...)                      \
	{                                   \
		RULE_GO, NULL, SUP_##next_, \
		{                           \
			__VA_ARGS__         \
		}                           \
	}
#define IF(g_, next_, ...)                         \
	{                                          \
		RULE_GO, &guard_##g_, SUP_##next_, \
		{                                  \
			__VA_ARGS__                \
		}                                  \
	}
#define DO(name) &effect_##name
#define CELL(...)                       \
	{                               \
		.alts = { __VA_ARGS__ } \
	}
#define QUIET                                       \
	{                                           \
		.alts = { {.verdict = RULE_QUIET} } \
	}
#define NEVER                                       \
	{                                           \
		.alts = { {.verdict = RULE_NEVER} } \
	}

/* What cannot come where nothing runs: the facts hold it back (sup.c). */
#define NOTHING_RUNS                                                                               \
	[CUE_CLONED] = NEVER, [CUE_EXECED] = NEVER, [CUE_START_FAILED] = NEVER,                    \
	[CUE_EXITED] = NEVER, [CUE_READY] = QUIET, [CUE_HEALTHY] = QUIET, [CUE_UNHEALTHY] = QUIET, \
	[CUE_OOM] = QUIET, [CUE_WATCHDOG] = NEVER, [CUE_RUNTIME] = NEVER

/* Helpers run in PRE, STARTING (a network's), POST, STOP_CMD, CLEANING and (reload) UP; elsewhere one can only be ending. */
#define NO_HELPER [CUE_HELPER_OK] = QUIET, [CUE_HELPER_BAD] = QUIET, [CUE_HELPER_SKIP] = QUIET

#define NO_REQUESTS(state_)                                                  \
	[CUE_HURRY] = QUIET, [CUE_KILL] = CELL(GO(state_, DO(refuse_kill))), \
	[CUE_RELOAD] = CELL(GO(state_, DO(refuse_reload)))

/* Cues that are due by other units (jobs.c) and cannot be in a state that does not look at them. */
#define NOT_DUE_UP  [CUE_BEGIN] = NEVER, [CUE_GO_UP] = NEVER, [CUE_DEP_FAILED] = NEVER
#define NOT_DUE_END [CUE_GONE] = NEVER, [CUE_CLEAN] = NEVER, [CUE_CLEANED] = NEVER
#define NOT_DUE_NET [CUE_NET_UP] = NEVER, [CUE_NET_FAILED] = NEVER

#define OOM_KILLS [CUE_OOM] = CELL(GO(ENDING, DO(note_oom), DO(cause_oom), DO(end_all)))

const struct rule_cell rules[SUP_STATE__N][CUE__N] =
	{
		[SUP_DOWN] =
			{
				[CUE_BEGIN] = CELL(GO(WAITING, DO(begin))),
				[CUE_REFUSE] = CELL(GO(FAILED, DO(cause_config))),
				[CUE_ACCEPT] = NEVER,
				[CUE_GO_UP] = NEVER,
				[CUE_GO_DOWN] = NEVER,
				[CUE_DEP_FAILED] = NEVER,
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = NEVER,
				[CUE_DEADLINE] = NEVER,
				NOTHING_RUNS,
				NO_HELPER,
				NO_REQUESTS(DOWN),
			},
		[SUP_FAILED] =
			{
				[CUE_BEGIN] = CELL(GO(WAITING, DO(begin))),
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = CELL(GO(DOWN, DO(clear_result))),
				[CUE_GO_UP] = NEVER,
				[CUE_GO_DOWN] = NEVER,
				[CUE_DEP_FAILED] = NEVER,
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = NEVER,
				[CUE_DEADLINE] = NEVER,
				NOTHING_RUNS,
				NO_HELPER,
				NO_REQUESTS(FAILED),
			},
		[SUP_WAITING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				[CUE_BEGIN] = NEVER,
				[CUE_GO_UP] = CELL(IF(limit_hit, CLEANING, DO(cause_limit)),
						   IF(is_passive, UP,
						      DO(count_start), DO(owe_namespaces)),
						   IF(has_pre, PRE, DO(count_start), DO(run_pre)),
						   GO(STARTING, DO(count_start), DO(spawn))),
				[CUE_GO_DOWN] = CELL(GO(CLEANING)),
				[CUE_DEP_FAILED] =
					CELL(GO(CLEANING, DO(cause_dependency), DO(hold))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(CLEANING)),
				[CUE_DEADLINE] = NEVER,
				NOTHING_RUNS,
				NO_HELPER,
				NO_REQUESTS(WAITING),
			},
		[SUP_PRE] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_GONE] = CELL(GO(STARTING, DO(spawn))),
				[CUE_CLEAN] = NEVER,
				[CUE_CLEANED] = NEVER,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				/* What it left running must be gone before the cgroup is made anew. */
				[CUE_HELPER_OK] = CELL(GO(PRE, DO(end_all))),
				[CUE_HELPER_BAD] = CELL(GO(ENDING, DO(cause_helper), DO(end_all))),
				[CUE_HELPER_SKIP] = CELL(GO(ENDING, DO(cause_skip), DO(end_all))),
				[CUE_DEADLINE] = CELL(GO(ENDING, DO(cause_timeout), DO(end_all))),
				NOTHING_RUNS,
				NO_REQUESTS(PRE),
			},
		[SUP_STARTING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				NOT_DUE_END,
				[CUE_NET_UP] = CELL(GO(UP)),
				[CUE_NET_FAILED] = CELL(GO(ENDING, DO(cause_network), DO(end_all))),
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_CLONED] = CELL(IF(ready_now_post, POST, DO(run_post)),
						    IF(ready_now, UP, DO(start_health)),
						    GO(EXECING)),
				[CUE_EXECED] = CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				[CUE_START_FAILED] =
					CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				[CUE_EXITED] = NEVER,
				[CUE_DEADLINE] = CELL(GO(ENDING, DO(cause_timeout), DO(end_all))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				OOM_KILLS,
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				/* Of a network on demand: it is made. */
				[CUE_HELPER_OK] = CELL(GO(UP)),
				[CUE_HELPER_BAD] = CELL(GO(ENDING, DO(cause_network), DO(end_all))),
				[CUE_HELPER_SKIP] = QUIET,
				NO_REQUESTS(STARTING),
			},
		[SUP_EXECING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = CELL(IF(ready_exec_post, POST, DO(start_health),
						       DO(run_post)),
						    IF(ready_exec, UP, DO(start_health)),
						    GO(READYING, DO(start_health))),
				[CUE_START_FAILED] =
					CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				/* Whether it was exec'ed comes after its exit: ENDING judges then. */
				[CUE_EXITED] = CELL(GO(ENDING, DO(end_rest))),
				[CUE_DEADLINE] = CELL(GO(ENDING, DO(cause_timeout), DO(end_all))),
				[CUE_READY] = CELL(GO(EXECING, DO(note_ready))),
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				OOM_KILLS,
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				NO_HELPER,
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(GO(EXECING, DO(signal_asked))),
				[CUE_RELOAD] = CELL(GO(EXECING, DO(refuse_reload))),
			},
		[SUP_READYING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(GO(STOPPING, DO(cause_stop), DO(signal_stop))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = NEVER,
				[CUE_START_FAILED] = NEVER,
				[CUE_EXITED] =
					CELL(IF(exit_finishes, ENDING, DO(note_finished),
						DO(end_all)),
					     GO(ENDING, DO(judge_unready_exit), DO(end_all))),
				[CUE_DEADLINE] =
					CELL(GO(STOPPING, DO(cause_timeout), DO(signal_stop))),
				[CUE_READY] = CELL(IF(waits_ready_post, POST, DO(run_post)),
						   IF(waits_ready, UP),
						   GO(READYING, DO(note_ready))),
				[CUE_HEALTHY] = CELL(IF(waits_health_post, POST, DO(run_post)),
						     IF(waits_health, UP), GO(READYING)),
				[CUE_UNHEALTHY] =
					CELL(
						IF(unhealthy_none, READYING, DO(say_unhealthy)),
						IF(unhealthy_kill, ENDING, DO(cause_unhealthy),
						   DO(end_all)),
						GO(STOPPING, DO(cause_unhealthy), DO(signal_stop))),
				[CUE_OOM] = CELL(IF(oom_continue, READYING, DO(note_oom)),
						 IF(oom_stop, STOPPING, DO(note_oom), DO(cause_oom),
						    DO(signal_stop)),
						 GO(ENDING, DO(note_oom), DO(cause_oom),
						    DO(end_all))),
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				NO_HELPER,
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(GO(READYING, DO(signal_asked))),
				[CUE_RELOAD] = CELL(GO(READYING, DO(refuse_reload))),
			},
		[SUP_POST] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(IF(main_lives, STOPPING,
							DO(cause_stop), DO(kill_helper),
							DO(signal_stop)),
						     GO(ENDING, DO(cause_stop), DO(end_all))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = QUIET, /* Type=simple did not wait for it */
				[CUE_START_FAILED] =
					CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				[CUE_EXITED] = CELL(IF(exit_unknown, ENDING, DO(end_rest)),
						    GO(ENDING, DO(judge_exit), DO(end_all))),
				[CUE_HELPER_OK] = CELL(IF(main_lives, UP),
						       IF(finished_remains, DONE),
						       GO(ENDING, DO(end_all))),
				[CUE_HELPER_BAD] = CELL(IF(main_lives, STOPPING, DO(cause_helper),
							   DO(signal_stop)),
							GO(ENDING, DO(cause_helper), DO(end_all))),
				[CUE_HELPER_SKIP] = NEVER,
				[CUE_DEADLINE] = CELL(IF(main_lives, STOPPING, DO(cause_timeout),
							 DO(kill_helper), DO(signal_stop)),
						      GO(ENDING, DO(cause_timeout), DO(end_all))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] =
					CELL(IF(unhealthy_none, POST, DO(say_unhealthy)),
					     GO(ENDING, DO(cause_unhealthy), DO(end_all))),
				[CUE_OOM] =
					CELL(IF(oom_continue, POST, DO(note_oom)),
					     GO(ENDING, DO(note_oom), DO(cause_oom), DO(end_all))),
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(IF(main_lives, POST, DO(signal_asked)),
						  GO(POST, DO(refuse_kill))),
				[CUE_RELOAD] = CELL(GO(POST, DO(refuse_reload))),
			},
		[SUP_UP] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(IF(main_lives_stop_cmd, STOP_CMD,
							DO(cause_stop), DO(run_stop)),
						     IF(main_lives, STOPPING,
							DO(cause_stop), DO(kill_helper),
							DO(signal_stop)),
						     IF(nothing_left, CLEANING, DO(cause_stop)),
						     GO(ENDING, DO(cause_stop), DO(end_all))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = QUIET, /* Type=simple did not wait for it */
				[CUE_START_FAILED] =
					CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				[CUE_EXITED] = CELL(IF(exit_unknown, ENDING, DO(end_rest)),
						    GO(ENDING, DO(judge_exit), DO(end_all))),
				[CUE_HELPER_OK] = CELL(GO(UP, DO(tell_reload))),
				[CUE_HELPER_BAD] = CELL(GO(UP, DO(tell_reload))),
				[CUE_HELPER_SKIP] = NEVER,
				[CUE_DEADLINE] = NEVER,
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = CELL(IF(unhealthy_none, UP, DO(say_unhealthy)),
						       IF(unhealthy_kill,
							  ENDING, DO(cause_unhealthy), DO(end_all)),
						       GO(STOPPING, DO(cause_unhealthy),
							  DO(kill_helper), DO(signal_stop))),
				[CUE_OOM] = CELL(IF(oom_continue, UP, DO(note_oom)),
						 IF(oom_stop, STOPPING, DO(note_oom), DO(cause_oom),
						    DO(signal_stop)),
						 GO(ENDING, DO(note_oom), DO(cause_oom),
						    DO(end_all))),
				[CUE_WATCHDOG] = CELL(GO(STOPPING, DO(cause_watchdog),
							 DO(kill_helper), DO(signal_abort))),
				[CUE_RUNTIME] = CELL(GO(STOPPING, DO(cause_timeout),
							DO(kill_helper), DO(signal_stop))),
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(IF(main_lives, UP, DO(signal_asked)),
						  GO(UP, DO(refuse_kill))),
				[CUE_RELOAD] = CELL(GO(UP, DO(run_reload))),
			},
		[SUP_DONE] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = CELL(IF(done_stop_cmd, STOP_CMD,
							DO(cause_stop), DO(run_stop)),
						     IF(nothing_left, CLEANING, DO(cause_stop)),
						     GO(ENDING, DO(cause_stop), DO(end_all))),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(cause_stop), DO(end_all))),
				[CUE_DEADLINE] = NEVER,
				NOTHING_RUNS,
				NO_HELPER,
				NO_REQUESTS(DONE),
			},
		[SUP_STOP_CMD] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = NEVER,
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = QUIET,
				[CUE_START_FAILED] = QUIET,
				/* The commands are not over when the main process is. */
				[CUE_EXITED] = CELL(GO(STOP_CMD)),
				[CUE_HELPER_OK] = CELL(IF(main_lives, STOPPING, DO(signal_stop)),
						       GO(ENDING, DO(end_all))),
				[CUE_HELPER_BAD] = CELL(IF(main_lives, STOPPING, DO(signal_stop)),
							GO(ENDING, DO(end_all))),
				[CUE_HELPER_SKIP] = NEVER,
				[CUE_DEADLINE] = CELL(IF(main_lives, STOPPING,
							 DO(kill_helper), DO(signal_stop)),
						      GO(ENDING, DO(end_all))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				[CUE_OOM] = CELL(GO(STOP_CMD, DO(note_oom))),
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(IF(main_lives, STOP_CMD, DO(signal_asked)),
						  GO(STOP_CMD, DO(refuse_kill))),
				[CUE_RELOAD] = CELL(GO(STOP_CMD, DO(refuse_reload))),
			},
		[SUP_STOPPING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = NEVER,
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(end_all))),
				[CUE_CLONED] = NEVER,
				[CUE_EXECED] = QUIET,
				[CUE_START_FAILED] = CELL(GO(STOPPING, DO(note_start_failed))),
				[CUE_EXITED] = CELL(GO(ENDING, DO(end_all))),
				NO_HELPER,
				[CUE_DEADLINE] = CELL(GO(ENDING, DO(end_all))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				[CUE_OOM] = CELL(GO(STOPPING, DO(note_oom))),
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				[CUE_HURRY] = QUIET,
				[CUE_KILL] = CELL(GO(STOPPING, DO(signal_asked))),
				[CUE_RELOAD] = CELL(GO(STOPPING, DO(refuse_reload))),
			},
		[SUP_ENDING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = NEVER,
				[CUE_GONE] = CELL(IF(finished_post, POST, DO(run_post)),
						  IF(finished_remains, DONE), GO(CLEANING)),
				[CUE_CLEAN] = NEVER,
				[CUE_CLEANED] = NEVER,
				NOT_DUE_NET,
				[CUE_FORCE] = NEVER,
				/* Made while it was being cancelled: it dies with the cgroup. */
				[CUE_CLONED] = CELL(GO(ENDING, DO(end_all))),
				[CUE_EXECED] = CELL(IF(main_lives, ENDING),
						    GO(ENDING, DO(judge_exit))),
				[CUE_START_FAILED] =
					CELL(GO(ENDING, DO(note_start_failed), DO(end_all))),
				[CUE_EXITED] = CELL(IF(exit_unknown, ENDING),
						    GO(ENDING, DO(judge_exit))),
				[CUE_HELPER_OK] = CELL(GO(ENDING, DO(end_all))),
				[CUE_HELPER_BAD] = CELL(GO(ENDING, DO(end_all))),
				[CUE_HELPER_SKIP] = CELL(GO(ENDING, DO(end_all))),
				[CUE_DEADLINE] = CELL(GO(STUCK, DO(kill_again), DO(say_stuck))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				[CUE_OOM] = CELL(GO(ENDING, DO(note_oom))),
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				NO_REQUESTS(ENDING),
			},
		[SUP_STUCK] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = NEVER,
				[CUE_GONE] = CELL(GO(CLEANING)),
				[CUE_CLEAN] = NEVER,
				[CUE_CLEANED] = NEVER,
				NOT_DUE_NET,
				[CUE_FORCE] = NEVER,
				[CUE_CLONED] = CELL(GO(STUCK, DO(kill_again))),
				[CUE_EXECED] = QUIET,
				[CUE_START_FAILED] = CELL(GO(STUCK, DO(note_start_failed))),
				[CUE_EXITED] = CELL(GO(STUCK)),
				NO_HELPER,
				[CUE_DEADLINE] = CELL(GO(STUCK, DO(kill_again))),
				[CUE_READY] = QUIET,
				[CUE_HEALTHY] = QUIET,
				[CUE_UNHEALTHY] = QUIET,
				[CUE_OOM] = QUIET,
				[CUE_WATCHDOG] = NEVER,
				[CUE_RUNTIME] = NEVER,
				NO_REQUESTS(STUCK),
			},
		[SUP_CLEANING] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				NOT_DUE_UP,
				[CUE_GO_DOWN] = NEVER,
				[CUE_GONE] = NEVER,
				[CUE_CLEAN] = CELL(GO(CLEANING, DO(run_cleaner))),
				[CUE_CLEANED] = CELL(IF(wanted_again, WAITING, DO(again),
							DO(begin)),
						     IF(comes_back, BACKOFF, DO(backoff)),
						     IF(has_failed, FAILED, DO(fail)),
						     GO(DOWN, DO(finish))),
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(ENDING, DO(forgive), DO(end_all))),
				/* What it owed is paid, or logged as not paid (sup.c). */
				[CUE_HELPER_OK] = CELL(IF(nothing_left, CLEANING),
						       GO(ENDING, DO(end_all))),
				[CUE_HELPER_BAD] = CELL(IF(nothing_left, CLEANING),
							GO(ENDING, DO(end_all))),
				[CUE_HELPER_SKIP] = NEVER,
				[CUE_DEADLINE] = CELL(IF(helper_killed, STUCK, DO(say_stuck)),
						      GO(CLEANING, DO(kill_helper))),
				NOTHING_RUNS,
				NO_REQUESTS(CLEANING),
			},
		[SUP_BACKOFF] =
			{
				[CUE_REFUSE] = NEVER,
				[CUE_ACCEPT] = NEVER,
				[CUE_BEGIN] = NEVER,
				[CUE_GO_UP] = NEVER,
				[CUE_DEP_FAILED] = NEVER,
				[CUE_GO_DOWN] = CELL(GO(CLEANING)),
				NOT_DUE_END,
				NOT_DUE_NET,
				[CUE_FORCE] = CELL(GO(CLEANING)),
				[CUE_DEADLINE] = CELL(GO(WAITING, DO(begin))),
				[CUE_HURRY] = CELL(GO(WAITING, DO(begin))),
				[CUE_KILL] = CELL(GO(BACKOFF, DO(refuse_kill))),
				[CUE_RELOAD] = CELL(GO(BACKOFF, DO(refuse_reload))),
				NOTHING_RUNS,
				NO_HELPER,
			},
};

static const struct rule *choose(const struct sup *sup, const struct sup_unit *u, enum cue cue)
{
	const struct rule_cell *cell = &rules[u->state][cue];

	for (int i = 0; i < RULE_ALTS && cell->alts[i].verdict; i++)
		if (!cell->alts[i].when || cell->alts[i].when->holds(sup, u))
			return &cell->alts[i];
	return NULL;
}

bool rule_fire(struct sup *sup, struct sup_unit *u, enum cue cue, const struct cue_data *data)
{
	static const struct cue_data nothing;
	const struct rule *rule = choose(sup, u, cue);

	if (rule && rule->verdict == RULE_QUIET)
		return false;
	if (!rule || rule->verdict == RULE_NEVER) {
		sup_log(sup, u, "unexpected: %s in state %s", cue_names[cue],
			sup_state_names[u->state]);
		return false;
	}
	for (int i = 0; i < RULE_EFFECTS && rule->does[i]; i++)
		rule->does[i]->run(sup, u, data ? data : &nothing);
	if (rule->next == u->state)
		return false;
	unit_set_state(sup, u, rule->next, cue_names[cue]);
	return true;
}
