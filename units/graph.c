/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * Tarjan's strongly connected components, without recursion: a component of more than one unit is a
 * cycle. Its components come out in an order in which whatever a unit comes after is there before
 * it, which is the start order too.
 */
#include "units/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "units/codes.h"
#include "units/loader.h"

/* One ordering edge: `from` starts after `to`. */
struct edge {
	uint32_t from, to;
	const struct unit_dep *dep; /* the After= or Before= it comes from */
};

struct order {
	struct unit **units;
	size_t n;
	struct edge *edges;   /* sorted by from */
	uint32_t *first_edge; /* n + 1 entries */
	uint32_t *low, *number, *stack, *path, *path_edge;
	uint32_t counter;
	size_t n_stack;
	uint32_t *component; /* number of the component; 0 = not done */
	uint32_t n_components;
	uint32_t *out; /* units in start order */
	size_t n_out;
};

static void order_done(struct order *o)
{
	free(o->edges);
	free(o->first_edge);
	free(o->low);
	free(o->number);
	free(o->stack);
	free(o->path);
	free(o->path_edge);
	free(o->component);
	free(o->out);
}

/* The unit that has to be up before the other, or NULL for edges without order. */
static bool edge_of(const struct unit *u, const struct unit_dep *dep, struct edge *ret)
{
	if (!dep->unit || dep->unit == u || (dep->kind != DEP_AFTER && dep->kind != DEP_BEFORE))
		return false;
	*ret = dep->kind == DEP_AFTER ? (struct edge){u->index, dep->unit->index, dep}
				      : (struct edge){dep->unit->index, u->index, dep};
	return true;
}

static int order_init(struct order *o, struct unit **units, size_t n)
{
	size_t n_edges = 0;
	struct edge e;

	*o = (struct order){.units = units, .n = n};
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < units[i]->n_deps; d++)
			n_edges += edge_of(units[i], &units[i]->deps[d], &e);
	o->edges = calloc(n_edges + 1, sizeof(*o->edges));
	o->first_edge = calloc(n + 2, sizeof(*o->first_edge));
	o->low = calloc(n + 1, sizeof(uint32_t));
	o->number = calloc(n + 1, sizeof(uint32_t));
	o->stack = calloc(n + 1, sizeof(uint32_t));
	o->path = calloc(n + 1, sizeof(uint32_t));
	o->path_edge = calloc(n + 1, sizeof(uint32_t));
	o->component = calloc(n + 1, sizeof(uint32_t));
	o->out = calloc(n + 1, sizeof(uint32_t));
	if (!o->edges || !o->first_edge || !o->low || !o->number || !o->stack || !o->path ||
	    !o->path_edge || !o->component || !o->out)
		return -ENOMEM;
	/* A counting sort by `from` keeps the order of writing within a unit. */
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < units[i]->n_deps; d++)
			if (edge_of(units[i], &units[i]->deps[d], &e))
				o->first_edge[e.from + 2]++;
	for (size_t i = 2; i < n + 2; i++)
		o->first_edge[i] += o->first_edge[i - 1];
	for (size_t i = 0; i < n; i++)
		for (size_t d = 0; d < units[i]->n_deps; d++)
			if (edge_of(units[i], &units[i]->deps[d], &e))
				o->edges[o->first_edge[e.from + 1]++] = e;
	return 0;
}

static void enter(struct order *o, uint32_t v, size_t *depth)
{
	o->number[v] = o->low[v] = ++o->counter;
	o->stack[o->n_stack++] = v;
	o->path[*depth] = v;
	o->path_edge[*depth] = o->first_edge[v];
	(*depth)++;
}

static void leave(struct order *o, uint32_t v)
{
	uint32_t w;

	if (o->low[v] != o->number[v])
		return;
	o->n_components++;
	do {
		w = o->stack[--o->n_stack];
		o->component[w] = o->n_components;
		o->out[o->n_out++] = w;
	} while (w != v);
}

static void visit(struct order *o, uint32_t start)
{
	size_t depth = 0;

	enter(o, start, &depth);
	while (depth) {
		uint32_t v = o->path[depth - 1], to;

		if (o->path_edge[depth - 1] < o->first_edge[v + 1]) {
			to = o->edges[o->path_edge[depth - 1]++].to;
			if (!o->number[to])
				enter(o, to, &depth);
			else if (!o->component[to] && o->number[to] < o->low[v])
				o->low[v] = o->number[to];
			continue;
		}
		depth--;
		if (depth && o->low[v] < o->low[o->path[depth - 1]])
			o->low[o->path[depth - 1]] = o->low[v];
		leave(o, v);
	}
}

static int order_run(struct order *o, struct unit **units, size_t n)
{
	int r = order_init(o, units, n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (!o->number[i])
			visit(o, (uint32_t)i);
	return r;
}

int graph_order(const struct unit_set *set, struct unit **ret_order)
{
	struct order o;
	int r = order_run(&o, set->units, set->n);

	for (size_t i = 0; r == 0 && i < set->n; i++)
		ret_order[i] = set->units[o.out[i]];
	order_done(&o);
	return r;
}

/* --- cycles ----------------------------------------------------------------------------------- */

/* The units of one cycle, in the order of the set. */
struct cycle {
	const uint32_t *units;
	size_t n;
	uint32_t component;
};

/* Every edge inside of a cycle, one a line, for the hint. */
static void add_edges(const struct order *o, const struct cycle *c, struct buf *text)
{
	int shown = 0;

	for (size_t i = 0; i < c->n; i++) {
		uint32_t v = c->units[i];

		for (uint32_t e = o->first_edge[v]; e < o->first_edge[v + 1]; e++) {
			const struct edge *edge = &o->edges[e];

			if (o->component[edge->to] != c->component || shown++ >= 20)
				continue;
			buf_fmt(text, "%s%s after %s (%s:%u)", text->len ? "\n" : "",
				o->units[v]->name, o->units[edge->to]->name,
				edge->dep->at.file ? edge->dep->at.file : "built in",
				edge->dep->at.line);
		}
	}
}

/* default.target and its kin stay out of it, unless they are alone in it: a cycle through them would
 * otherwise stop the whole boot. */
static bool spares_builtin(const struct order *o, const struct cycle *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!loader_is_builtin(o->units[c->units[i]]->name))
			return true;
	return false;
}

static void reject_unit(struct loader *l, const struct order *o, const struct cycle *c, uint32_t v,
			const char *hint)
{
	struct unit *u = o->units[v];
	struct source_at at = {u->n_sources ? u->sources[0] : NULL, 0, 0};
	size_t width = 1;
	struct diag *d;

	for (uint32_t e = o->first_edge[v]; e < o->first_edge[v + 1]; e++)
		if (o->component[o->edges[e].to] == c->component && o->edges[e].dep->at.file &&
		    !at.line) {
			at = o->edges[e].dep->at;
			width = strlen(o->edges[e].dep->name);
		}
	d = resolve_report(l, u, DIAG_ERROR, at, width, U_CYCLE, NULL, "%s is part of a cycle",
			   u->name);
	if (d)
		d->hint = hint; /* one text for all of them: a cycle may be long */
}

/* Rejects the units of one cycle: each has the whole of it in its message. */
static void reject_cycle(struct loader *l, const struct order *o, const struct cycle *c)
{
	bool spare = spares_builtin(o, c);
	_buf_ struct buf text = {0};
	const char *hint;

	add_edges(o, c, &text);
	if (text.bad)
		arena_set_bad(l->arena);
	hint = arena_strdup(l->arena, text.data ? text.data : "");
	for (size_t i = 0; i < c->n; i++)
		if (!spare || !loader_is_builtin(o->units[c->units[i]]->name))
			reject_unit(l, o, c, c->units[i], hint);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int graph_check(struct loader *l)
{
	struct unit_set *set = l->set;
	struct order o;
	int r = order_run(&o, set->units, set->n);

	/* The units of a component come out one behind the other. */
	for (size_t i = 0, n; r == 0 && i < o.n_out; i += n) {
		struct cycle c = {.units = o.out + i, .component = o.component[o.out[i]]};

		for (n = 1; i + n < o.n_out && o.component[o.out[i + n]] == c.component; n++)
			;
		c.n = n;
		if (n == 1)
			continue;
		qsort(o.out + i, n, sizeof(*o.out), by_number);
		reject_cycle(l, &o, &c);
	}
	order_done(&o);
	return r;
}
