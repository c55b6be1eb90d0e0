/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* From what the unit files say to what the core must know. */
#include "init/sup.h"

#include <stdlib.h>

#include "units/diff.h"

static size_t fill_edges(const struct unit *u, struct sup_edge *edges)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n_deps; i++)
		if (u->deps[i].unit)
			edges[n++] = (struct sup_edge){u->deps[i].kind, u->deps[i].unit->index};
	return n;
}

static const char *refusal(const struct unit *u)
{
	if (u->state == UNIT_MASKED)
		return "masked";
	return u->state == UNIT_REJECTED ? "its unit file has an error" : NULL;
}

static void fill(struct sup_unit_config *c, const struct unit_set *set, const struct unit *u)
{
	const struct unit_service *s = u->exec;

	c->name = u->name;
	c->kind = u->kind;
	c->policy = &u->policy;
	c->hash = unit_process_hash(set, u); /* a comment or a policy restarts nothing */
	c->pinned = unit_pinned_hash(set, u);
	c->refused = refusal(u);
	if (c->refused)
		return;
	c->pre = u->n_conditions || (s && s->exec_start_pre.n);
	c->post = s && s->exec_start_post.n;
	c->stop_cmd = s && s->exec_stop.n;
	c->stop_post = s && s->exec_stop_post.n;
	c->reload = (s && s->exec_reload.n) || u->policy.reload_signal ||
		    (u->container && u->container->reload_cmd.n);
}

struct sup_unit_config *sup_config_from_set(const struct unit_set *set)
{
	size_t n_edges = 0;
	struct sup_unit_config *configs;
	struct sup_edge *edges;

	for (size_t i = 0; i < set->n; i++)
		n_edges += set->units[i]->n_deps;
	configs = calloc(1, (set->n + 1) * sizeof(*configs) + n_edges * sizeof(*edges));
	if (!configs)
		return NULL;
	edges = (struct sup_edge *)(configs + set->n + 1);
	for (size_t i = 0; i < set->n; i++) {
		const struct unit *u = set->units[i];

		fill(&configs[i], set, u);
		/* another number than it has would restart what runs */
		if (!configs[i].hash || !configs[i].pinned) {
			free(configs);
			return NULL;
		}
		if (configs[i].refused)
			continue;
		configs[i].edges = edges;
		configs[i].n_edges = fill_edges(u, edges);
		edges += configs[i].n_edges;
	}
	return configs;
}
