/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit state machine as data: rules[state][cue].
 *
 * A cell has up to RULE_ALTS alternatives; the first whose guard holds is taken: its effects run, then the
 * state changes. A cell that is decided to mean nothing says so (QUIET: it happens; NEVER: the facts
 * keep it away, it is logged if it comes); a cell that nobody decided is a HOLE, and a unit test lists those.
 * docs/state-machine.md is printed from this table (tools/print-rules.c).
 */
#pragma once

#include "init/sup_core.h"

enum verdict {
	RULE_HOLE, /* nobody has thought about it */
	RULE_GO,
	RULE_QUIET,
	RULE_NEVER,
};

struct guard {
	const char *name;
	bool (*holds)(const struct sup *sup, const struct sup_unit *u);
};

/* What came with the cue; zeroes for one that is due by itself. */
struct cue_data {
	int code;
	bool flag;
	uint32_t token;
	const char *step, *text;
};

struct effect {
	const char *name;
	void (*run)(struct sup *sup, struct sup_unit *u, const struct cue_data *data);
};

#define RULE_ALTS    4
#define RULE_EFFECTS 4

struct rule {
	enum verdict verdict;
	const struct guard *when; /* NULL: always */
	enum sup_state next;      /* the same state: no change, nothing is told */
	const struct effect *does[RULE_EFFECTS];
};

struct rule_cell {
	struct rule alts[RULE_ALTS];
};

extern const struct rule_cell rules[SUP_STATE__N][CUE__N];

/* data may be NULL. True if the state changed. */
bool rule_fire(struct sup *sup, struct sup_unit *u, enum cue cue, const struct cue_data *data);

/* Every guard and effect, for the table's readers (effects.c). */
#define GUARDS(X)              \
	X(is_passive)          \
	X(limit_hit)           \
	X(has_pre)             \
	X(ready_now)           \
	X(ready_now_post)      \
	X(ready_exec)          \
	X(ready_exec_post)     \
	X(waits_ready)         \
	X(waits_ready_post)    \
	X(waits_health)        \
	X(waits_health_post)   \
	X(main_lives)          \
	X(main_lives_stop_cmd) \
	X(done_stop_cmd)       \
	X(nothing_left)        \
	X(exit_unknown)        \
	X(exit_finishes)       \
	X(finished_post)       \
	X(finished_remains)    \
	X(wanted_again)        \
	X(comes_back)          \
	X(has_failed)          \
	X(helper_killed)       \
	X(oom_continue)        \
	X(oom_stop)            \
	X(unhealthy_none)      \
	X(unhealthy_kill)

#define EFFECTS(X)            \
	X(begin)              \
	X(count_start)        \
	X(owe_namespaces)     \
	X(spawn)              \
	X(run_pre)            \
	X(run_post)           \
	X(run_stop)           \
	X(run_reload)         \
	X(run_cleaner)        \
	X(note_start_failed)  \
	X(note_finished)      \
	X(note_ready)         \
	X(note_oom)           \
	X(judge_exit)         \
	X(judge_unready_exit) \
	X(cause_stop)         \
	X(cause_timeout)      \
	X(cause_watchdog)     \
	X(cause_oom)          \
	X(cause_unhealthy)    \
	X(cause_limit)        \
	X(cause_dependency)   \
	X(cause_config)       \
	X(clear_result)       \
	X(cause_skip)         \
	X(cause_helper)       \
	X(cause_network)      \
	X(start_health)       \
	X(signal_stop)        \
	X(signal_abort)       \
	X(signal_asked)       \
	X(kill_helper)        \
	X(end_all)            \
	X(end_rest)           \
	X(kill_again)         \
	X(hold)               \
	X(again)              \
	X(backoff)            \
	X(fail)               \
	X(finish)             \
	X(forgive)            \
	X(tell_reload)        \
	X(refuse_kill)        \
	X(refuse_reload)      \
	X(say_stuck)          \
	X(say_unhealthy)

#define DECLARE_GUARD(n)  extern const struct guard guard_##n;
#define DECLARE_EFFECT(n) extern const struct effect effect_##n;
GUARDS(DECLARE_GUARD)
EFFECTS(DECLARE_EFFECT)
