/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/sup_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Strongly connected components of the order (Tarjan), with an explicit stack. */
struct walk {
	struct sup_unit *units;
	struct sup_dep *deps;
	uint32_t n;
	uint16_t order;                    /* out bits that count */
	uint32_t *index, *low, *component; /* index 0: not seen; component 0: not assigned */
	uint32_t *path, *call, *edge;      /* open units; call stack and next edge of each */
	uint32_t n_path, n_call, next, n_components;
};

static void enter(struct walk *w, uint32_t u)
{
	w->index[u] = w->low[u] = ++w->next;
	w->path[w->n_path++] = u;
	w->edge[w->n_call] = 0;
	w->call[w->n_call++] = u;
}

static void leave(struct walk *w, uint32_t u)
{
	uint32_t v;

	if (w->low[u] == w->index[u]) {
		w->n_components++;
		do {
			v = w->path[--w->n_path];
			w->component[v] = w->n_components;
		} while (v != u);
	}
	if (--w->n_call) {
		uint32_t caller = w->call[w->n_call - 1];

		if (w->low[u] < w->low[caller])
			w->low[caller] = w->low[u];
	}
}

static void visit(struct walk *w, uint32_t root)
{
	enter(w, root);
	while (w->n_call) {
		uint32_t u = w->call[w->n_call - 1];
		const struct sup_dep *d = w->deps + w->units[u].dep_first + w->edge[w->n_call - 1];

		if (w->edge[w->n_call - 1] == w->units[u].n_deps) {
			leave(w, u);
			continue;
		}
		w->edge[w->n_call - 1]++;
		if (!(d->out & w->order) || w->component[d->to])
			continue;
		if (!w->index[d->to])
			enter(w, d->to);
		else if (w->index[d->to] < w->low[u])
			w->low[u] = w->index[d->to];
	}
}

static void components(struct walk *w, unsigned order)
{
	size_t size = w->n * sizeof(uint32_t);

	w->order = (uint16_t)order;
	w->n_path = w->n_call = w->next = w->n_components = 0;
	memset(w->index, 0, size);
	memset(w->component, 0, size);
	for (uint32_t u = 0; u < w->n; u++)
		if (!w->index[u])
			visit(w, u);
}

/* Clears `bits` of every edge, in both views, that lies inside a component. */
static void clear_inside(struct walk *w, unsigned bits)
{
	for (uint32_t u = 0; u < w->n; u++)
		for (uint32_t i = 0; i < w->units[u].n_deps; i++) {
			struct sup_dep *d = w->deps + w->units[u].dep_first + i;

			if (w->component[u] == w->component[d->to]) {
				d->out &= (uint16_t)~bits;
				d->in &= (uint16_t)~bits;
			}
		}
}

static void make_real(struct walk *w)
{
	for (uint32_t u = 0; u < w->n; u++)
		for (uint32_t i = 0; i < w->units[u].n_deps; i++) {
			struct sup_dep *d = w->deps + w->units[u].dep_first + i;

			if (d->out & DEP_AFTER_IMPLICIT)
				d->out = (uint16_t)((d->out & ~DEP_AFTER_IMPLICIT) |
						    DEP(DEP_AFTER));
			if (d->in & DEP_AFTER_IMPLICIT)
				d->in = (uint16_t)((d->in & ~DEP_AFTER_IMPLICIT) | DEP(DEP_AFTER));
		}
}

static int refuse_cycles(struct walk *w)
{
	for (uint32_t u = 0; u < w->n; u++) {
		struct sup_unit *unit = &w->units[u];
		bool inside = false;

		for (uint32_t i = 0; i < unit->n_deps; i++) {
			struct sup_dep *d = w->deps + unit->dep_first + i;

			if (d->out & DEP(DEP_AFTER) && w->component[u] == w->component[d->to])
				inside = true;
		}
		if (inside && !unit->refused && !(unit->refused = strdup("ordering cycle")))
			return -ENOMEM;
	}
	return 0;
}

int order_without_cycles(struct sup_unit *units, uint32_t n, struct sup_dep *deps)
{
	struct walk w = {.units = units, .deps = deps, .n = n};
	uint32_t *memory = calloc(6 * (size_t)n + 1, sizeof(*memory));
	int r;

	if (!memory)
		return -ENOMEM;
	w.index = memory;
	w.low = w.index + n;
	w.component = w.low + n;
	w.path = w.component + n;
	w.call = w.path + n;
	w.edge = w.call + n;
	components(&w, DEP(DEP_AFTER) | DEP_AFTER_IMPLICIT);
	clear_inside(&w, DEP_AFTER_IMPLICIT);
	make_real(&w);
	components(&w, DEP(DEP_AFTER));
	r = refuse_cycles(&w);
	clear_inside(&w, DEP(DEP_AFTER));
	free(memory);
	return r;
}
