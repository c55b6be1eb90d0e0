/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Edges that [Install] and the kinds of units make, and names that only one unit may have. */
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/loader.h"

/* --- [Install] -------------------------------------------------------------------------------- */

/* Whether u itself has said that it comes after other. */
static bool is_after(const struct unit *u, const struct unit *other)
{
	for (size_t i = 0; i < u->n_deps; i++)
		if (u->deps[i].kind == DEP_AFTER && u->deps[i].unit == other)
			return true;
	return false;
}

/* Targets that a boot does not reach. */
static bool not_at_boot(const struct unit *target)
{
	return strcmp(target->name, "shutdown.target") == 0 ||
	       strcmp(target->name, "rescue.target") == 0;
}

void link_install(struct loader *l, struct unit *u, const struct unit_install_list *list,
		  enum dep_kind kind, const char *key)
{
	struct unit *boot = name_table_get(l->table, "multi-user.target");

	for (size_t i = 0; i < list->n && !u->by_reference; i++) {
		struct unit *other = loader_find_ref(l, u, list->items[i].name);

		if (!other) {
			resolve_report(
				l, u, DIAG_WARNING, list->items[i].at, strlen(list->items[i].name),
				U_NO_UNIT,
				loader_near(l, list->items[i].name,
					    "write default.target to start at boot"),
				"%s=%s: there is no such unit, so this does not start anything",
				key, list->items[i].name);
			continue;
		}
		if (other == u)
			continue;
		loader_add_edge(l, other, kind, u, list->items[i].at, false);
		/* Files say network-online.target and the like and mean: at boot. */
		if (other->builtin && other != boot && u->kind != UNIT_SERVICE &&
		    u->kind != UNIT_TARGET && !not_at_boot(other))
			loader_add_edge(l, boot, DEP_WANTS, u, list->items[i].at, true);
	}
}

/* A target is up when all it wants is. */
void link_target(struct loader *l, struct unit *target)
{
	size_t n = target->n_deps;

	for (size_t i = 0; i < n; i++) {
		const struct unit_dep dep = target->deps[i];

		if ((dep.kind == DEP_WANTS || dep.kind == DEP_REQUIRES ||
		     dep.kind == DEP_UPHOLDS) &&
		    dep.unit && !is_after(dep.unit, target))
			loader_add_edge(l, target, DEP_AFTER, dep.unit, dep.at, true);
	}
}

void link_defaults(struct loader *l, struct unit *u)
{
	struct unit *online = name_table_get(l->table, "network-online.target");
	struct source_at at = {u->n_sources ? u->sources[0] : NULL, 0, 0};

	if (u->state == UNIT_MASKED ||
	    (u->kind != UNIT_CONTAINER && u->kind != UNIT_POD && u->kind != UNIT_IMAGE) ||
	    u->default_dependencies == TRI_NO)
		return;
	loader_add_edge(l, u, DEP_WANTS, online, at, true);
	loader_add_edge(l, u, DEP_AFTER, online, at, true);
}

/* --- what must be unique ---------------------------------------------------------------------- */

static struct unit *claim(struct loader *l, struct name_table *names, const char *what,
			  const char *name, struct unit *u)
{
	struct unit *other = NULL;

	name_table_add(l->work, names, arena_fmt(l->work, "%s %s", what, name), u, &other);
	return other;
}

static void claim_name(struct loader *l, struct name_table *names, const char *what,
		       const char *key, const char *name, struct unit *u)
{
	struct unit *other = name && u->state == UNIT_OK ? claim(l, names, what, name, u) : NULL;

	if (other)
		resolve_report(l, u, DIAG_ERROR, (struct source_at){u->sources[0], 0, 0}, 1,
			       U_SAME_NAME, arena_fmt(l->work, "write %s= in one of the two", key),
			       "the %s is called \"%s\", and so is that of %s", what, name,
			       other->name);
}

void claim_names(struct loader *l, struct name_table *names, struct unit *u)
{
	if (u->container)
		claim_name(l, names, "container", "ContainerName", u->container->name.value, u);
	if (u->pod)
		claim_name(l, names, "container", "PodName", u->pod->name.value, u);
	if (u->volume)
		claim_name(l, names, "volume", "VolumeName", u->volume->name.value, u);
	if (u->network) {
		claim_name(l, names, "network", "NetworkName", u->network->name.value, u);
		claim_name(l, names, "bridge", "InterfaceName", u->network->bridge, u);
	}
}

/* Networks and containers that are named by their own name rather than by their unit's. */
void link_plain(struct loader *l, struct name_table *names, struct unit *u, struct unit_join *joins,
		size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct unit_join *j = &joins[i];
		const char *name = j->name.value;

		if (j->ref || (!j->container &&
			       (!join_is_bridge(j) || strcmp(name, NETSPEC_DEFAULT_NAME) == 0)))
			continue;
		j->unit = name_table_get(
			names,
			arena_fmt(l->work, "%s %s", j->container ? "container" : "network", name));
		if (!j->unit)
			resolve_report(
				l, u, DIAG_ERROR, j->at, strlen(name), U_NETWORK,
				j->container
					? NULL
					: "write a .network file, and name it: Network=x.network",
				"there is no %s called \"%s\"",
				j->container ? "container" : "network", name);
		loader_need(l, u, j->unit, j->at);
	}
}
