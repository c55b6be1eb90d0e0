/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * Units into the core: all or nothing. Everything new is made beside the old; only when nothing can fail any more
 * does it take the old one's place.
 */
#include "base/limits.h"
#include "init/sup_core.h"
#include "init/sup_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct edge {
	uint32_t from, to;
	uint16_t out, in;
};

struct load {
	const struct sup_unit_config *configs;
	size_t n_configs;
	uint32_t *ids; /* of configs */
	struct sup_unit *units;
	uint32_t n;
	struct edge *edges;
	size_t n_edges;
	struct sup_dep *deps;
	uint32_t n_deps;
	uint32_t *by_name, *queue, *stack, *heap;
	uint32_t n_names;
};

static void load_done(struct load *l)
{
	for (uint32_t i = 0; l->units && i < l->n; i++) {
		free(l->units[i].name);
		free(l->units[i].refused);
	}
	free(l->ids);
	free(l->units);
	free(l->edges);
	free(l->deps);
	free(l->by_name);
	free(l->queue);
	free(l->stack);
	free(l->heap);
}

/* --- names and ids ---------------------------------------------------------------------------- */

static int by_config_name(const void *a, const void *b, void *ctx)
{
	const struct sup_unit_config *configs = ctx;

	return strcmp(configs[*(const uint32_t *)a].name, configs[*(const uint32_t *)b].name);
}

static int by_unit_name(const void *a, const void *b, void *ctx)
{
	const struct sup_unit *units = ctx;

	return strcmp(units[*(const uint32_t *)a].name, units[*(const uint32_t *)b].name);
}

uint32_t sup_find(const struct sup *sup, const char *name)
{
	uint32_t low = 0, high = sup->n_names;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(name, sup->units[sup->by_name[middle]].name);

		if (order == 0)
			return sup->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SUP_NONE;
}

static int no_name_twice(const struct load *l, struct fail *f)
{
	uint32_t *order = calloc(l->n_configs + 1, sizeof(*order));
	int r = 0;

	if (!order)
		return fail_set(f, ENOMEM, "units");
	for (uint32_t i = 0; i < l->n_configs; i++)
		order[i] = i;
	qsort_r(order, l->n_configs, sizeof(*order), by_config_name, (void *)l->configs);
	for (size_t i = 1; i < l->n_configs && !r; i++)
		if (!strcmp(l->configs[order[i]].name, l->configs[order[i - 1]].name))
			r = fail_set(f, EEXIST, "unit \"%s\"", l->configs[order[i]].name);
	free(order);
	return r;
}

/* A name keeps its id; new ones take holes, then the end. */
static uint32_t give_ids(const struct sup *sup, struct load *l)
{
	uint32_t hole = 0, end = sup->n;

	for (size_t i = 0; i < l->n_configs; i++) {
		l->ids[i] = sup_find(sup, l->configs[i].name);
		if (l->ids[i] != SUP_NONE)
			continue;
		while (hole < sup->n && sup->units[hole].used)
			hole++;
		l->ids[i] = hole < sup->n ? hole++ : end++;
	}
	return end;
}

/* --- units ------------------------------------------------------------------------------------ */

static void new_unit(struct sup_unit *u, uint64_t now)
{
	u->used = true;
	u->since = now;
	for (int t = 0; t < TIMER__N; t++) {
		u->deadline[t] = SUP_NEVER;
		u->heap_at[t] = HEAP_NOWHERE;
	}
}

static int fill_unit(struct sup_unit *u, const struct sup_unit_config *c)
{
	u->name = strdup(c->name);
	u->refused = c->refused ? strdup(c->refused) : NULL;
	if (!u->name || (c->refused && !u->refused))
		return -ENOMEM;
	u->kind = c->kind;
	u->leaving = false;
	if (c->policy)
		u->policy = *c->policy;
	if (!u->saving) /* else it is newer than what the caller has */
		u->disabled = c->disabled;
	u->has_pre = c->pre;
	u->has_post = c->post;
	u->has_stop_cmd = c->stop_cmd;
	u->has_stop_post = c->stop_post;
	u->has_reload = c->reload;
	return 0;
}

/* Old units first, without their strings and edges; then what the configuration says of each. */
static int make_units(const struct sup *sup, struct load *l)
{
	l->units = calloc(l->n + 1, sizeof(*l->units));
	if (!l->units)
		return -ENOMEM;
	for (uint32_t i = 0; i < sup->n; i++) {
		l->units[i] = sup->units[i];
		l->units[i].name = l->units[i].refused = NULL;
		l->units[i].leaving = l->units[i].used;
		l->units[i].n_deps = l->units[i].dep_first = 0;
		l->units[i].blocker = UINT32_MAX;
		l->units[i].queued = false;
	}
	for (size_t i = 0; i < l->n_configs; i++) {
		struct sup_unit *u = &l->units[l->ids[i]];

		if (!u->used)
			new_unit(u, sup->now);
		if (fill_unit(u, &l->configs[i]))
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < sup->n; i++) {
		struct sup_unit *u = &l->units[i];

		if (u->leaving && !(u->name = strdup(sup->units[i].name)))
			return -ENOMEM;
	}
	return 0;
}

/* --- edges ------------------------------------------------------------------------------------ */

static void add_edge(struct load *l, uint32_t from, uint32_t to, unsigned bits)
{
	l->edges[l->n_edges++] = (struct edge){from, to, (uint16_t)bits, 0};
}

static void add_config_edge(struct load *l, uint32_t from, const struct sup_edge *e)
{
	uint32_t to = l->ids[e->to];
	bool target = l->units[from].kind == UNIT_TARGET;

	if (from == to)
		return;
	if (e->kind == DEP_BEFORE) {
		add_edge(l, to, from, DEP(DEP_AFTER));
		return;
	}
	add_edge(l, from, to, DEP(e->kind));
	/* A target is reached when what it pulls in is there; what is bound cannot be up first. */
	if (e->kind == DEP_BINDS_TO || (target && DEP(e->kind) & (DEP_PULLS | DEP_STRONG)))
		add_edge(l, from, to, DEP_AFTER_IMPLICIT);
}

/* What is no longer configured is stopped in the order in which it would have been: it keeps what it said about
 * coming after others. What others said about it is gone with it, so no ring can come of old and new orders. */
static void keep_orders(const struct sup *sup, struct load *l)
{
	for (uint32_t i = 0; i < sup->n; i++) {
		if (!l->units[i].leaving)
			continue;
		for_each_dep (d, sup, &sup->units[i])
			if (d->out & DEP(DEP_AFTER) && sup->units[d->to].used)
				add_edge(l, i, d->to, DEP(DEP_AFTER));
	}
}

static int make_edges(const struct sup *sup, struct load *l)
{
	size_t n = sup->n_deps;

	for (size_t i = 0; i < l->n_configs; i++)
		n += l->configs[i].n_edges;
	l->edges = calloc(2 * n + 1, sizeof(*l->edges));
	if (!l->edges)
		return -ENOMEM;
	keep_orders(sup, l);
	for (size_t i = 0; i < l->n_configs; i++)
		for (size_t j = 0; j < l->configs[i].n_edges; j++)
			if (l->configs[i].edges[j].to < l->n_configs)
				add_config_edge(l, l->ids[i], &l->configs[i].edges[j]);
	return 0;
}

/* --- neighbours ------------------------------------------------------------------------------- */

static int by_ends(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

/* Every edge seen from both ends, merged to one neighbour, the neighbours of a unit side by side. */
static int make_deps(struct load *l)
{
	size_t n = l->n_edges;

	if (n) {
		struct edge *both = reallocarray(l->edges, 2 * n, sizeof(*both));

		if (!both)
			return -ENOMEM;
		l->edges = both;
	}
	for (size_t i = 0; i < n; i++)
		l->edges[n + i] = (struct edge){l->edges[i].to, l->edges[i].from, 0,
						l->edges[i].out};
	qsort(l->edges, 2 * n, sizeof(*l->edges), by_ends);
	l->deps = calloc(2 * n + 1, sizeof(*l->deps));
	if (!l->deps)
		return -ENOMEM;
	for (size_t i = 0; i < 2 * n; i++) {
		const struct edge *e = &l->edges[i];
		struct sup_unit *u = &l->units[e->from];

		if (!i || by_ends(e, e - 1)) {
			if (!u->n_deps++)
				u->dep_first = l->n_deps;
			l->deps[l->n_deps++].to = e->to;
		}
		l->deps[l->n_deps - 1].out |= e->out;
		l->deps[l->n_deps - 1].in |= e->in;
	}
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int make_names(struct load *l)
{
	l->by_name = calloc(l->n + 1, sizeof(*l->by_name));
	l->queue = calloc(l->n + 1, sizeof(*l->queue));
	l->stack = calloc(2 * l->n + 2, sizeof(*l->stack));
	l->heap = calloc((size_t)l->n * TIMER__N + 1, sizeof(*l->heap));
	if (!l->by_name || !l->queue || !l->stack || !l->heap)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n; i++)
		if (l->units[i].used)
			l->by_name[l->n_names++] = i;
	qsort_r(l->by_name, l->n_names, sizeof(*l->by_name), by_unit_name, l->units);
	return 0;
}

/* The old units' strings, the arrays: out; the new: in. Timers keep their places, as ids do. */
static void take(struct sup *sup, struct load *l)
{
	uint32_t heap_n = sup->heap.n;

	for (uint32_t i = 0; i < sup->n; i++) {
		free(sup->units[i].name);
		free(sup->units[i].refused);
	}
	if (heap_n)
		memcpy(l->heap, sup->heap.items, heap_n * sizeof(*l->heap));
	free(sup->units);
	free(sup->deps);
	free(sup->by_name);
	free(sup->queue);
	free(sup->stack);
	free(sup->heap.items);
	sup->units = l->units;
	sup->n = l->n;
	sup->deps = l->deps;
	sup->n_deps = l->n_deps;
	sup->by_name = l->by_name;
	sup->n_names = l->n_names;
	sup->queue = l->queue;
	sup->stack = l->stack;
	sup->heap.items = l->heap;
	sup->queue_at = sup->queue_len = 0;
	l->units = NULL;
	l->deps = NULL;
	l->by_name = l->queue = l->stack = l->heap = NULL;
}

/* What the new configuration means for what runs. */
static void settle(struct sup *sup, const struct load *l, uint32_t n_old, bool keep)
{
	for (size_t i = 0; i < l->n_configs; i++) {
		struct sup_unit *u = &sup->units[l->ids[i]];
		bool changed = l->ids[i] < n_old && u->hash != l->configs[i].hash;

		u->hash = l->configs[i].hash;
		if (!u->refused) {
			u->outdated |= u->owes & OWES_NET_DOWN && u->pinned != l->configs[i].pinned;
			u->pinned = l->configs[i].pinned;
		}
		if (u->refused)
			job_refused(sup, u);
		else if (changed && !keep && u->want == SUP_WANT_UP &&
			 unit_is(u, STATE_UP | STATE_STARTING))
			job_restart(sup, u);
		else if (u->outdated)
			job_renew(sup, u);
	}
	sup->leavers = 0;
	for_each_unit (u, sup) {
		if (u->leaving) {
			sup->leavers++;
			job_stop(sup, u, false);
		}
		sup_queue(sup, u);
	}
}

static int make(const struct sup *sup, struct load *l, struct fail *f)
{
	int r = no_name_twice(l, f);

	if (r)
		return r;
	l->ids = calloc(l->n_configs + 1, sizeof(*l->ids));
	if (!l->ids)
		return fail_set(f, ENOMEM, "units");
	l->n = give_ids(sup, l);
	if (l->n > LIMIT_UNITS)
		return fail_set(f, E2BIG, "%u units", l->n);
	if (make_units(sup, l) || make_edges(sup, l) || make_deps(l) || make_names(l) ||
	    order_without_cycles(l->units, l->n, l->deps))
		return fail_set(f, ENOMEM, "units");
	return 0;
}

int sup_load(struct sup *sup, const struct sup_unit_config *units, size_t n, bool keep,
	     struct fail *f)
{
	struct load l = {.configs = units, .n_configs = n};
	uint32_t n_old = sup->n;
	int r;

	if (n > LIMIT_UNITS)
		return fail_set(f, E2BIG, "%zu units", n);
	r = make(sup, &l, f);
	if (!r) {
		take(sup, &l);
		settle(sup, &l, n_old, keep);
	}
	load_done(&l);
	return r;
}
