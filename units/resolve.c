/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * From names to units. First every name that a file mentions is looked up, which may make instances of
 * templates; once all units are there, the edges that nobody writes are added, and what must be unique
 * is checked.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "units/codes.h"
#include "units/loader.h"
#include "units/suggest.h"

struct diag *resolve_report(struct loader *l, struct unit *u, enum diag_severity severity,
			    struct source_at at, size_t width, const char *code, const char *hint,
			    const char *fmt, ...)
{
	struct loaded_file *f;
	const char *name;
	struct diag *d;
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (severity == DIAG_ERROR)
		u->state = UNIT_REJECTED;
	/* u->n_diags counts while the units are resolved; sort_diags() sets it anew. */
	if (++u->n_diags > LIMIT_UNIT_MISTAKES) {
		l->diags.n_errors += severity == DIAG_ERROR;
		if (u->n_diags == LIMIT_UNIT_MISTAKES + 1) {
			d = diag_add(&l->diags, DIAG_WARNING, U_LIMIT,
				     (struct source_at){u->n_sources ? u->sources[0] : NULL, 0, 0},
				     1, NULL, "further mistakes are not shown");
			if (d)
				d->unit = u;
		}
		return NULL;
	}
	d = diag_add(&l->diags, severity, code, at, width, hint, "%s", text);
	if (!d)
		return NULL;
	d->unit = u;
	if (!at.file || !at.line)
		return d;
	name = strrchr(at.file, '/') ? strrchr(at.file, '/') + 1 : at.file;
	f = scan_main(l, name);
	if (f && f->path == at.file)
		diag_set_line(&l->diags, d, f->file->data, f->file->len);
	for (size_t i = 0; i < l->n_dropins && !d->line; i++)
		if (l->dropins[i].path == at.file)
			diag_set_line(&l->diags, d, l->dropins[i].file->data,
				      l->dropins[i].file->len);
	return d;
}

/* --- finding and making ----------------------------------------------------------------------- */

static bool add_name(struct loader *l, struct unit *u, const char *name)
{
	struct unit *other;

	if (!name || name_table_add(l->arena, l->table, name, u, &other) || !other)
		return true;
	resolve_report(l, u, DIAG_ERROR,
		       (struct source_at){u->n_sources ? u->sources[0] : NULL, 0, 0}, 1,
		       U_SAME_NAME, "set ServiceName= in one of them",
		       "\"%s\" is also the name of %s", name, other->name);
	return false;
}

struct unit *loader_make(struct loader *l, const char *name, struct loaded_file *main)
{
	struct unit *u = arena_alloc(l->arena, sizeof(*u)), **slot;
	struct unit_name n;
	bool foreign;

	if (!u || unit_name_parse(name, &n, &foreign))
		return NULL;
	u->name = arena_strdup(l->arena, name);
	u->kind = n.kind;
	if (n.at && n.instance_len)
		u->instance = arena_strndup(l->arena, unit_name_instance(name, &n), n.instance_len);
	slot = n.at && !n.instance_len
		       ? ARENA_PUSH(l->arena, l->set->templates, l->set->n_templates)
		       : ARENA_PUSH(l->work, l->units, l->n_units);
	if (!u->name || !slot)
		return NULL;
	*slot = u;
	compile_unit(l, u, &n, main);
	if (!u->service)
		return NULL;
	if (!add_name(l, u, u->name) || u->kind == UNIT_TARGET)
		return u;
	if (add_name(l, u, arena_fmt(l->arena, "%s.service", u->service)))
		for (size_t i = 0; i < u->alias.n; i++) {
			const char *alias = u->alias.items[i].value, *dot = strrchr(alias, '.');

			add_name(l, u,
				 dot && strcmp(dot, ".service") == 0
					 ? alias
					 : arena_fmt(l->arena, "%s.service", alias));
		}
	return u;
}

/* foo@bar.container of the file foo@.container, by its unit or service name. */
static struct unit *make_instance(struct loader *l, const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.'), *unit_name;
	struct unit *template, *u;
	struct loaded_file *main;

	if (!at || !dot || dot <= at + 1)
		return NULL;
	template = name_table_get(l->table,
				  arena_fmt(l->work, "%.*s@%s", (int)(at - name), name, dot));
	if (!template || !strstr(template->name, "@."))
		return NULL;
	main = scan_main(l, template->name);
	if (!main || main->n_instances >= LIMIT_UNIT_INSTANCES || l->n_units >= LIMIT_UNITS)
		return NULL;
	main->n_instances++;
	unit_name = unit_name_with_instance(l->work, template->name,
					    arena_strndup(l->work, at + 1, (size_t)(dot - at) - 1));
	u = unit_name ? loader_make(l, unit_name, main) : NULL;
	if (u)
		u->by_reference = !l->enabling;
	return u;
}

struct unit *loader_find(struct loader *l, const char *name)
{
	struct unit *u = name_table_get(l->table, name);

	return u ? u : make_instance(l, name);
}

/* "data@.volume" named by an instance means the same instance of it. */
struct unit *loader_find_ref(struct loader *l, const struct unit *from, const char *ref)
{
	const char *at = strstr(ref, "@.");
	struct unit *u;

	if (at && from->instance)
		ref = arena_fmt(l->work, "%.*s@%s%s", (int)(at - ref), ref, from->instance, at + 1);
	u = ref ? loader_find(l, ref) : NULL;
	/* A template is a pattern: nobody can wait for it. */
	return u && strstr(u->name, "@.") ? NULL : u;
}

/* Why a name that looks right has no unit; NULL: there is no special reason. */
static const char *why_missing(struct loader *l, const char *ref)
{
	const char *at = strchr(ref, '@'), *dot = strrchr(ref, '.');
	const struct unit *template;
	const struct loaded_file *main;

	if (!at || !dot || dot < at)
		return unit_refused_extension(ref);
	template = name_table_get(l->table,
				  arena_fmt(l->work, "%.*s@%s", (int)(at - ref), ref, dot));
	if (!template)
		return unit_refused_extension(ref);
	if (dot == at + 1)
		return arena_fmt(l->work, "it is a template: name an instance, %.*s@NAME%s",
				 (int)(at - ref), ref, dot);
	main = scan_main(l, template->name);
	if (main && (main->n_instances >= LIMIT_UNIT_INSTANCES || l->n_units >= LIMIT_UNITS))
		return arena_fmt(l->work, "\"%s\" has %u instances already; does it name its own?",
				 template->name, main->n_instances);
	return NULL;
}

/* The name nearest to one that is not there, as a hint; NULL if none is near. */
static const char *near_name(struct loader *l, const char *name)
{
	const char *best = NULL;
	unsigned nearest = 3;

	if (l->n_guesses++ >= LIMIT_UNIT_GUESSES)
		return NULL;
	for (size_t i = 0; i < l->n_units && l->n_units < 2000; i++) {
		unsigned d = suggest_edits(name, l->units[i]->name, 2);

		if (d < nearest) {
			nearest = d;
			best = l->units[i]->name;
		}
	}
	return best ? arena_fmt(l->work, "did you mean \"%s\"?", best) : NULL;
}

const char *loader_near(struct loader *l, const char *name, const char *otherwise)
{
	const char *near = near_name(l, name);

	return near ? near : otherwise;
}

/* What to do about a name that nothing is near to. */
static const char *how_to_make(struct loader *l, const char *ref)
{
	const char *dot = strrchr(ref, '.');

	if (dot && (strcmp(dot, ".volume") == 0 || strcmp(dot, ".network") == 0))
		return arena_fmt(l->work, "make a file %s with the line [%c%s], among the units",
				 ref, dot[1] - 32, dot + 2);
	return "there must be a file of that name among the units";
}

static struct unit *must_find(struct loader *l, struct unit *u, const char *ref,
			      struct source_at at, const char *key)
{
	struct unit *other = loader_find_ref(l, u, ref);
	const char *why = other ? NULL : why_missing(l, ref);

	if (other && other->state != UNIT_MASKED)
		return other;
	if (other)
		resolve_report(l, u, DIAG_ERROR, at, strlen(ref), U_NO_UNIT, NULL,
			       "%s=%s: that unit is masked", key, ref);
	else
		resolve_report(l, u, DIAG_ERROR, at, strlen(ref), U_NO_UNIT,
			       why ? why : loader_near(l, ref, how_to_make(l, ref)),
			       "%s=%s: there is no such unit", key, ref);
	return NULL;
}

void loader_add_edge(struct loader *l, struct unit *u, enum dep_kind kind, struct unit *other,
		     struct source_at at, bool implicit)
{
	struct unit_dep *dep;

	if (!other || other == u)
		return;
	dep = ARENA_PUSH(l->arena, u->deps, u->n_deps);
	if (dep)
		*dep = (struct unit_dep){kind, implicit, other->name, other, at};
}

/* What a unit cannot do without: it is started first, and started at all. */
void loader_need(struct loader *l, struct unit *u, struct unit *other, struct source_at at)
{
	loader_add_edge(l, u, DEP_REQUIRES, other, at, true);
	loader_add_edge(l, u, DEP_AFTER, other, at, true);
}

/* --- names in files --------------------------------------------------------------------------- */

static void resolve_dep(struct loader *l, struct unit *u, struct unit_dep *dep)
{
	bool strong = dep->kind == DEP_REQUIRES || dep->kind == DEP_BINDS_TO ||
		      dep->kind == DEP_REQUISITE;
	const char *why;

	dep->unit = loader_find_ref(l, u, dep->name);
	if (dep->unit && dep->unit->state != UNIT_MASKED) {
		dep->name = dep->unit->name;
		return;
	}
	if (unit_name_always_there(dep->name))
		return;
	if (strong) {
		dep->unit = must_find(l, u, dep->name, dep->at, dep_keys[dep->kind]);
		return;
	}
	why = dep->unit ? NULL : why_missing(l, dep->name);
	resolve_report(l, u, DIAG_WARNING, dep->at, strlen(dep->name), U_NO_UNIT,
		       dep->unit ? NULL
		       : why     ? why
				 : near_name(l, dep->name),
		       "%s=%s: %s", dep_keys[dep->kind], dep->name,
		       dep->unit ? "that unit is masked" : "there is no such unit");
	dep->unit = NULL;
}

static void resolve_deps(struct loader *l, struct unit *u)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->n_deps; i++) {
		resolve_dep(l, u, &u->deps[i]);
		if (u->deps[i].unit == u) {
			resolve_report(l, u, DIAG_WARNING, u->deps[i].at, strlen(u->deps[i].name),
				       U_SELF, NULL, "%s= names this unit itself",
				       dep_keys[u->deps[i].kind]);
			continue;
		}
		u->deps[kept++] = u->deps[i];
	}
	u->n_deps = kept;
}

/* What a .image brings is known by its tag, if it has one. */
static struct text image_name(const struct unit_image *i)
{
	return i->image_tag.value ? i->image_tag : i->image;
}

static void resolve_mounts(struct loader *l, struct unit *u, struct unit_mount *mounts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct unit_mount *m = &mounts[i];

		if (!m->ref)
			continue;
		m->unit = must_find(l, u, m->ref, m->at,
				    strcmp(m->type, "image") == 0 ? "Mount" : "Volume");
		if (m->unit && m->unit->volume)
			m->source = m->unit->volume->name;
		if (m->unit && m->unit->image)
			m->source = image_name(m->unit->image);
		loader_need(l, u, m->unit, m->at);
	}
}

static void resolve_joins(struct loader *l, struct unit *u, struct unit_join *joins, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct unit_join *j = &joins[i];

		if (!j->ref)
			continue;
		j->unit = must_find(l, u, j->ref, j->at, "Network");
		if (j->unit && j->unit->network)
			j->name = j->unit->network->name;
		if (j->unit && j->unit->container)
			j->name = j->unit->container->name;
		loader_need(l, u, j->unit, j->at);
	}
}

/* A member that does not say itself how long it may take to stop has what its pod says. */
static void inherit_stop_timeout(struct unit *u, const struct unit *pod)
{
	if (pod && pod->pod && !u->container->stop_timeout.set && !u->exec->stop_timeout_usec.set)
		u->policy.stop_timeout_usec = pod->policy.stop_timeout_usec;
}

static void resolve_container(struct loader *l, struct unit *u)
{
	struct unit_container *c = u->container;
	/* Whether it is a unit is told by what is written, before variables are filled in. */
	const char *written = c->image.raw ? c->image.raw : c->image.value;
	const char *dot = written ? strrchr(written, '.') : NULL;

	if (dot && strcmp(dot, ".image") == 0 && !strchr(c->image.value, '/')) {
		const char *ref = c->image.value;

		c->image_unit = must_find(l, u, ref, c->image_at, "Image");
		if (c->image_unit && c->image_unit->image)
			c->image = image_name(c->image_unit->image);
		loader_need(l, u, c->image_unit, c->image_at);
	}
	resolve_mounts(l, u, c->mounts, c->n_mounts);
	resolve_joins(l, u, c->networks, c->n_networks);
	if (!c->pod.value)
		return;
	c->pod_unit = must_find(l, u, c->pod.value, c->pod_at, "Pod");
	inherit_stop_timeout(u, c->pod_unit);
	loader_add_edge(l, u, DEP_BINDS_TO, c->pod_unit, c->pod_at, true);
	loader_add_edge(l, u, DEP_AFTER, c->pod_unit, c->pod_at, true);
	if (c->pod_unit && tri_or(c->start_with_pod, true))
		loader_add_edge(l, c->pod_unit, DEP_WANTS, u, c->pod_at, true);
}

/* What [Install] names may be an instance that is made for it, and must be there before the edges are. */
static void find_installs(struct loader *l, const struct unit *u)
{
	const struct unit_install_list *const lists[] = {&u->wanted_by, &u->required_by,
							 &u->upheld_by};

	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists) && !u->by_reference; k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			loader_find_ref(l, u, lists[k]->items[i].name);
}

static void resolve_one(struct loader *l, struct unit *u)
{
	if (u->state == UNIT_MASKED)
		return;
	find_installs(l, u);
	resolve_deps(l, u);
	if (u->container)
		resolve_container(l, u);
	if (u->pod) {
		resolve_mounts(l, u, u->pod->mounts, u->pod->n_mounts);
		resolve_joins(l, u, u->pod->networks, u->pod->n_networks);
	}
}

void resolve_units(struct loader *l)
{
	struct name_table names = {0};

	/* The list grows while it is walked: a name may ask for an instance. */
	for (size_t i = 0; i < l->n_units; i++)
		resolve_one(l, l->units[i]);
	for (size_t i = 0; i < l->n_units; i++)
		claim_names(l, &names, l->units[i]);
	for (size_t i = 0; i < l->n_units; i++) {
		struct unit *u = l->units[i];

		if (u->container)
			link_plain(l, &names, u, u->container->networks, u->container->n_networks);
		if (u->pod)
			link_plain(l, &names, u, u->pod->networks, u->pod->n_networks);
		link_defaults(l, u);
	}
	for (size_t i = 0; i < l->n_units; i++) {
		struct unit *u = l->units[i];

		link_install(l, u, &u->wanted_by, DEP_WANTS, "WantedBy");
		link_install(l, u, &u->required_by, DEP_REQUIRES, "RequiredBy");
		link_install(l, u, &u->upheld_by, DEP_UPHOLDS, "UpheldBy");
	}
	for (size_t i = 0; i < l->n_units; i++)
		if (l->units[i]->kind == UNIT_TARGET)
			link_target(l, l->units[i]);
}
