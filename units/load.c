/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "units/codes.h"
#include "units/graph.h"
#include "units/loader.h"

const char *const units_dirs[] = {
	PATH_UNITS_RUN, PATH_UNITS_VAR, PATH_UNITS_ETC, PATH_UNITS_USR, PATH_UNITS_HOST, NULL,
};

/* Targets that need no file, and what each wants. */
static const struct {
	const char *name, *description, *wants;
} builtin[] = {
	{"default.target", "What a boot is to reach", "multi-user.target"},
	{"multi-user.target", "All services", NULL},
	{"network.target", "The network's devices", NULL},
	{"network-online.target", "The network is usable", NULL},
	{"time-sync.target", "The clock is right", NULL},
	{"shutdown.target", "Everything stops", NULL},
	{"rescue.target", "A console and nothing else", NULL},
};

bool loader_is_builtin(const char *name)
{
	for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++)
		if (strcmp(builtin[i].name, name) == 0)
			return true;
	return false;
}

static bool make_builtin(struct loader *l)
{
	for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++) {
		struct unit *u = arena_alloc(l->arena, sizeof(*u)), *other;
		struct unit **slot = ARENA_PUSH(l->work, l->units, l->n_units);

		if (!u || !slot)
			return false;
		*u = (struct unit){
			.name = builtin[i].name,
			.service = builtin[i].name,
			.kind = UNIT_TARGET,
			.builtin = true,
			.description = {builtin[i].description, NULL},
			.exec = arena_alloc(l->arena, sizeof(struct unit_service)),
		};
		policy_defaults(&u->policy);
		*slot = u;
		/* A file of that name takes its place (load_files): then it is not added here. */
		if (scan_main(l, u->name))
			l->n_units--;
		else if (!name_table_add(l->arena, l->table, u->name, u, &other))
			return false;
	}
	return true;
}

static void link_builtin(struct loader *l)
{
	struct unit *other;

	for (size_t i = 0; i < sizeof(builtin) / sizeof(*builtin); i++) {
		struct unit *u = name_table_get(l->table, builtin[i].name);
		struct unit *wanted = builtin[i].wants ? name_table_get(l->table, builtin[i].wants)
						       : NULL;
		struct unit_dep *dep = u && wanted ? ARENA_PUSH(l->arena, u->deps, u->n_deps)
						   : NULL;

		if (dep)
			*dep = (struct unit_dep){
				DEP_WANTS, true, wanted->name, wanted, {NULL, 0, 0}};
	}
	/* There is no display manager: everybody who waits for it means this. */
	name_table_add(l->arena, l->table, "graphical.target",
		       name_table_get(l->table, "multi-user.target"), &other);
}

static void make_units(struct loader *l)
{
	for (size_t i = 0; i < l->n_mains; i++)
		loader_make(l, l->mains[i].name, &l->mains[i]);
	l->enabling = true;
	for (size_t i = 0; i < l->set->n_templates; i++) {
		const struct unit *t = l->set->templates[i];
		char *name;

		if (!t->default_instance.value)
			continue;
		name = unit_name_with_instance(l->work, t->name, t->default_instance.value);
		if (name)
			loader_find(l, name);
	}
	l->enabling = false;
	for (size_t i = 0; i < l->in->n_instances; i++)
		loader_find(l, l->in->instances[i]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct unit *const *)a)->name, (*(struct unit *const *)b)->name);
}

static bool sort_units(struct loader *l)
{
	struct unit_set *set = l->set;

	set->n = l->n_units;
	set->units = arena_alloc(l->arena, (set->n + 1) * sizeof(*set->units));
	if (!set->units)
		return false;
	memcpy(set->units, l->units, set->n * sizeof(*set->units));
	qsort(set->units, set->n, sizeof(*set->units), by_name);
	for (size_t i = 0; i < set->n; i++)
		set->units[i]->index = (uint32_t)i;
	return true;
}

/* Puts a unit's edges in order (by kind, implicit ones last) and drops repeated ones. seen[i] is the last
 * (unit, kind) that had an edge to unit i. */
static bool sort_deps(struct loader *l, struct unit *u, uint64_t *seen)
{
	struct unit_dep *sorted;
	size_t n = 0;

	arena_reset(l->scratch);
	sorted = arena_alloc(l->scratch, (u->n_deps + 1) * sizeof(*sorted));
	if (!sorted)
		return false;
	for (int pass = 0; pass < 2 * DEP__N; pass++)
		for (size_t i = 0; i < u->n_deps; i++) {
			const struct unit_dep *dep = &u->deps[i];
			uint64_t mark = (uint64_t)u->index * DEP__N + dep->kind + 1;

			if ((int)dep->kind != pass / 2 || dep->implicit != pass % 2)
				continue;
			if (dep->unit && seen[dep->unit->index] == mark)
				continue;
			if (dep->unit)
				seen[dep->unit->index] = mark;
			sorted[n++] = *dep;
		}
	if (n)
		memcpy(u->deps, sorted, n * sizeof(*sorted));
	u->n_deps = n;
	return true;
}

static bool sort_all_deps(struct loader *l)
{
	uint64_t *seen = arena_alloc(l->work, (l->set->n + 1) * sizeof(*seen));

	for (size_t i = 0; seen && i < l->set->n; i++)
		if (!sort_deps(l, l->set->units[i], seen))
			return false;
	return seen;
}

/* Marks what a boot starts: a walk from default.target, each unit once. */
static bool mark_boot(struct loader *l)
{
	struct unit **todo = arena_alloc(l->work, (l->set->n + 1) * sizeof(*todo));
	struct unit *start = name_table_get(l->table, "default.target");
	size_t n = 0;

	if (!todo)
		return false;
	if (start) {
		start->boot = true;
		todo[n++] = start;
	}
	while (n) {
		struct unit *u = todo[--n];

		for (size_t i = 0; i < u->n_deps; i++) {
			struct unit *other = u->deps[i].unit;
			enum dep_kind kind = u->deps[i].kind;

			if (!other || other->boot || other->state == UNIT_MASKED ||
			    (kind != DEP_WANTS && kind != DEP_REQUIRES && kind != DEP_BINDS_TO &&
			     kind != DEP_UPHOLDS))
				continue;
			other->boot = true;
			todo[n++] = other;
		}
	}
	return true;
}

/* --- diagnostics ------------------------------------------------------------------------------ */

static size_t source_rank(const struct diag *d)
{
	size_t i = 0;

	while (d->unit && i < d->unit->n_sources && d->unit->sources[i] != d->at.file)
		i++;
	return i;
}

static int compare_diags(const void *a, const void *b)
{
	const struct diag *x = *(struct diag *const *)a, *y = *(struct diag *const *)b;
	size_t rx, ry;
	int order;

	if (!x->unit != !y->unit)
		return x->unit ? 1 : -1;
	order = x->unit ? strcmp(x->unit->name, y->unit->name) : strcmp(x->at.file, y->at.file);
	if (order)
		return order;
	rx = source_rank(x);
	ry = source_rank(y);
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return strcmp(x->message, y->message);
}

/* An instance has the mistakes of its template: they are told once. */
static bool told_by_template(struct loader *l, const struct diag *d)
{
	const struct unit *u = d->unit, *t;
	const char *at;

	if (!u || !u->instance)
		return false;
	at = strchr(u->name, '@');
	t = name_table_get(l->table, arena_fmt(l->work, "%.*s@%s", (int)(at - u->name), u->name,
					       strrchr(u->name, '.')));
	for (size_t i = 0; t && i < t->n_diags; i++)
		if (t->diags[i]->at.file == d->at.file && t->diags[i]->at.line == d->at.line &&
		    t->diags[i]->at.column == d->at.column &&
		    strcmp(t->diags[i]->code, d->code) == 0)
			return true;
	return false;
}

/* Sorts them and gives every unit its own. */
static bool sort_diags(struct loader *l)
{
	struct unit_set *set = l->set;
	struct diag **all = l->diags.items;

	if (l->diags.n == 0)
		return true;
	qsort(all, l->diags.n, sizeof(*all), compare_diags);
	for (size_t i = 0, n; i < l->diags.n; i += n) {
		struct unit *u = all[i]->unit;

		for (n = 1; i + n < l->diags.n && all[i + n]->unit == u; n++)
			;
		if (u) {
			u->diags = all + i;
			u->n_diags = n;
		}
	}
	set->diags = arena_alloc(l->arena, l->diags.n * sizeof(*all));
	if (!set->diags)
		return false;
	for (size_t i = 0; i < l->diags.n; i++) {
		if (told_by_template(l, all[i]))
			continue;
		set->diags[set->n_diags++] = all[i];
		set->n_errors += all[i]->severity == DIAG_ERROR;
	}
	return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int load(struct loader *l)
{
	int r;

	l->keys.rows = arena_alloc(l->work, key_count() * sizeof(*l->keys.rows));
	if (!l->keys.rows)
		return -ENOMEM;
	key_index_fill(&l->keys);
	r = scan_files(l);
	if (r < 0)
		return r;
	if (!make_builtin(l))
		return -ENOMEM;
	make_units(l);
	link_builtin(l);
	resolve_units(l);
	scan_report_unused(l);
	if (!sort_units(l) || !sort_all_deps(l))
		return -ENOMEM;
	r = graph_check(l);
	if (r < 0)
		return r;
	if (!mark_boot(l))
		return -ENOMEM;
	check_ports(l);
	if (!sort_diags(l) || arena_bad(l->arena) || arena_bad(l->work) || arena_bad(l->scratch))
		return -ENOMEM;
	return 0;
}

int units_load(const struct units_input *in, struct unit_set **ret, struct fail *f)
{
	struct loader l = {
		.in = in, .arena = arena_new(), .scratch = arena_new(), .work = arena_new()};
	int r = -ENOMEM;

	if (l.arena && l.scratch && l.work) {
		l.set = arena_alloc(l.arena, sizeof(*l.set));
		l.table = arena_alloc(l.arena, sizeof(*l.table));
		l.diags.arena = l.arena;
		if (l.set && l.table) {
			l.set->arena = l.arena;
			l.set->by_name = l.table;
			r = load(&l);
		}
	}
	arena_free(l.work);
	arena_free(l.scratch);
	if (r < 0) {
		arena_free(l.arena);
		return fail_set(f, -r, "loading units");
	}
	*ret = l.set;
	return 0;
}
