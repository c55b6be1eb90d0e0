/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world around the core, made of random numbers: another shell for init/sup.h that has no kernel under
 * it. It keeps what really exists (helpers, main processes, cgroups), answers actions after random
 * delays in ways that machines do (failing spawns, exits before exec, lost news of an empty cgroup,
 * processes that ignore SIGTERM or cannot be killed), sends requests, steps the clock, crashes and
 * revives the core, and checks invariants after every step. Everything follows from the seed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "init/sup.h"

#define WORLD_UNITS  12
#define WORLD_EDGES  14
#define WORLD_EVENTS 512
#define WORLD_TOKENS 64

#define MS 1000000ull
#define S  1000000000ull

struct world_unit {
	/* what really exists */
	bool starter, cloned, main, helper, probe;
	bool zombie;          /* the main process has ended, its exit is not told yet */
	bool uninterruptible; /* cannot be killed (D state) until its event comes */
	bool ignores_term;
	int extras; /* other processes in the cgroup */
	bool helper_in_cgroup;
	uint64_t pinned; /* what its namespaces and ports were made from; 0: it has none */
	int helper_kind;
	uint32_t life; /* counts spawns: events of an earlier life are dropped */
	uint32_t helper_life, probe_life;
	bool cancelled;
	bool news_lost; /* nobody will tell that its cgroup is empty */
	bool checked;   /* its cgroup was looked at since its state changed */
	bool cycle;     /* known to lie in one */
	bool direct; /* had RestartMode=direct at some time: a reload changes that in the middle of a restart */
	bool saving; /* somebody's wish about it is on its way to the disk */
	enum { DISK_AS_MADE, DISK_ENABLED, DISK_DISABLED } disk; /* which one is there */
	bool removed; /* from the configuration: it goes without an order */

	/* what was asked */
	bool stopped_by_hand; /* and not started since, nor pulled by a start by hand */
	enum sup_state state; /* as told by ACTION_STATE */
	enum sup_result result;
	bool going_down; /* not wanted up before this step, or dragged along by its request */
	uint64_t limit_begin;
	uint32_t limit_count;
};

struct world_event {
	uint64_t at;
	uint64_t order;
	uint32_t life; /* of the unit; 0: always good */
	int what;      /* enum happening */
	struct event event;
};

struct world {
	uint64_t seed, rng;
	struct sup *sup;
	uint64_t now, order;

	struct sup_unit_config configs[WORLD_UNITS];
	struct unit_policy policies[WORLD_UNITS];
	struct sup_edge edges[WORLD_UNITS][WORLD_EDGES];
	char names[WORLD_UNITS][24];
	uint32_t n;
	uint32_t ids[WORLD_UNITS]; /* of configs, in the core */

	struct world_unit units[WORLD_UNITS]; /* by config index */
	struct world_event events[WORLD_EVENTS];
	uint32_t n_events;

	bool tokens[WORLD_TOKENS]; /* still to be answered */
	bool must_refuse[WORLD_TOKENS];
	struct {
		enum event_kind kind;
		uint32_t unit;
	} asked[WORLD_TOKENS];
	uint32_t n_tokens;

	uint64_t seq;
	uint32_t probes;
	bool calm; /* no more faults and requests */
	bool shutdown, forced, over, reloaded;
	uint64_t shutdown_end;
	uint64_t steps;

	FILE *trace;      /* NULL: silent */
	char broken[256]; /* the first broken invariant; "" */
};

/* Runs one seed to its end: true if nothing broke; else w->broken says what. */
bool world_run(struct world *w, uint64_t seed, FILE *trace);

void world_break(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* invariants.c */
void check_action(struct world *w, const struct action *a);
void check_quiet(struct world *w);
void note_wants(struct world *w, const struct event *e); /* before a step */

/* world.c, for invariants.c */
uint32_t world_index(const struct world *w, uint32_t id); /* config index, or SUP_NONE */
bool world_populated(const struct world_unit *u);
bool world_empty_is_told(const struct world *w, uint32_t i); /* the news is on its way */
