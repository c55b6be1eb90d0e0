/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "units/unit_json.h"

const char *const change_names[CHANGE__N] = {
	[CHANGE_NONE] = "none",         [CHANGE_ADDED] = "added",
	[CHANGE_REMOVED] = "removed",   [CHANGE_UPDATED] = "updated",
	[CHANGE_RESTART] = "restart",   [CHANGE_RECREATE] = "recreate",
	[CHANGE_REJECTED] = "rejected",
};

const char *const change_texts[CHANGE__N] = {
	[CHANGE_NONE] = "unchanged",
	[CHANGE_ADDED] = "new",
	[CHANGE_REMOVED] = "no longer there",
	[CHANGE_UPDATED] = "changes at once, without a restart",
	[CHANGE_RESTART] = "needs a restart",
	[CHANGE_RECREATE] = "needs to be made anew, with its network and ids",
	[CHANGE_REJECTED] = "has mistakes: what runs stays as it is",
};

/* A unit written out, in parts that need the more the further up they stand. */
struct written {
	struct buf pinned, process, meaning;
};

static void written_done(struct written *w)
{
	buf_done(&w->pinned);
	buf_done(&w->process);
	buf_done(&w->meaning);
}

/* A container's spec without what is pinned is what its process is made from. */
static void write_container(const struct unit_set *set, const struct unit *u, struct written *w)
{
	struct container_spec spec, pinned = {0};
	int r = spec_from_unit(set, u, 0, &spec, NULL);

	if (r <
	    0) { /* not for want of memory: it cannot be started, and so has nothing to restart */
		w->process.bad = r == -ENOMEM;
		return;
	}
#define PIN(field)                                          \
	do {                                                \
		pinned.field = spec.field;                  \
		memset(&spec.field, 0, sizeof(spec.field)); \
	} while (0)
	PIN(ports);
	PIN(n_ports);
	PIN(networks);
	PIN(n_networks);
	PIN(userns);
	PIN(uid_map);
	PIN(gid_map);
	PIN(joins);
#undef PIN
	spec_encode(&pinned, &w->pinned);
	spec_encode(&spec, &w->process);
	spec_done(&pinned);
	spec_done(&spec);
}

static void write_unit(const struct unit_set *set, const struct unit *u, struct written *w)
{
	struct json_out j;

	json_init(&j, &w->meaning);
	unit_json_meaning(&j, u);
	if (u->state != UNIT_OK)
		return;
	if (u->kind == UNIT_CONTAINER) {
		write_container(set, u, w);
	} else if (u->kind == UNIT_SERVICE) {
		json_init(&j, &w->process);
		unit_json_part(&j, u);
	} else {
		json_init(&j, &w->pinned);
		unit_json_part(&j, u);
	}
}

static bool differ(const struct buf *a, const struct buf *b)
{
	return a->len != b->len || (a->len && memcmp(a->data, b->data, a->len) != 0);
}

static int compare(const struct unit_set *from, const struct unit *a, const struct unit_set *to,
		   const struct unit *b, enum unit_change *ret)
{
	struct written x = {0}, y = {0};
	int r = 0;

	if (a->state == UNIT_OK && b->state == UNIT_REJECTED) {
		*ret = CHANGE_REJECTED;
		return 0;
	}
	write_unit(from, a, &x);
	write_unit(to, b, &y);
	if (x.meaning.bad || y.meaning.bad || x.pinned.bad || y.pinned.bad || x.process.bad ||
	    y.process.bad)
		r = -ENOMEM;
	*ret = differ(&x.pinned, &y.pinned)     ? CHANGE_RECREATE
	       : differ(&x.process, &y.process) ? CHANGE_RESTART
	       : differ(&x.meaning, &y.meaning) ? CHANGE_UPDATED
						: CHANGE_NONE;
	written_done(&x);
	written_done(&y);
	return r;
}

#define HASH_DEPTH 8 /* of containers in one another's networks */

/* `pinned` alone, or with the process; and what the unit lives in. *bad: memory ran out, it is the hash of nothing. */
static uint64_t hash_unit(uint64_t h, const struct unit_set *set, const struct unit *u,
			  bool process, int depth, bool *bad)
{
	const struct unit_container *c = u->container;
	const struct unit_join *joins = c ? c->networks : u->pod ? u->pod->networks : NULL;
	size_t n = c ? c->n_networks : u->pod ? u->pod->n_networks : 0;
	struct written w = {0};

	write_unit(set, u, &w);
	*bad |= w.pinned.bad || w.process.bad;
	h = hash_piece(h, w.pinned.data, w.pinned.len);
	if (process)
		h = hash_piece(h, w.process.data, w.process.len);
	written_done(&w);
	if (depth == 0 || u->state != UNIT_OK)
		return h;
	if (c && c->pod_unit)
		h = hash_unit(h, set, c->pod_unit, false, depth - 1, bad);
	for (size_t i = 0; i < n; i++)
		if (joins[i].unit)
			h = hash_unit(h, set, joins[i].unit, false, depth - 1, bad);
	return h;
}

static uint64_t hash_of(const struct unit_set *set, const struct unit *u, bool process)
{
	bool bad = false;
	uint64_t h = hash_unit(HASH_START, set, u, process, HASH_DEPTH, &bad);

	return bad ? 0 : h ? h : 1;
}

uint64_t unit_process_hash(const struct unit_set *set, const struct unit *u)
{
	return hash_of(set, u, true);
}

uint64_t unit_pinned_hash(const struct unit_set *set, const struct unit *u)
{
	return hash_of(set, u, false);
}

/* What a container lives in: if that is made anew, so is the container. */
static bool lives_in_changed(const struct unit *u, const enum unit_change *changes)
{
	const struct unit_container *c = u->container;

	if (!c || u->state != UNIT_OK)
		return false;
	if (c->pod_unit && changes[c->pod_unit->index] == CHANGE_RECREATE)
		return true;
	for (size_t i = 0; i < c->n_networks; i++)
		if (c->networks[i].unit && changes[c->networks[i].unit->index] == CHANGE_RECREATE)
			return true;
	return false;
}

static int compare_all(const struct unit_set *from, const struct unit_set *to,
		       enum unit_change *changes)
{
	for (size_t i = 0; i < to->n; i++) {
		const struct unit *u = to->units[i], *old = unit_by_name(from, u->name);
		int r = old ? compare(from, old, to, u, &changes[i]) : 0;

		if (r < 0)
			return r;
		if (!old)
			changes[i] = CHANGE_ADDED;
	}
	/* Pods and networks have their verdicts: containers may follow them, one step deep at a time. */
	for (size_t i = 0; i < to->n; i++)
		if (to->units[i]->kind == UNIT_POD)
			for (size_t j = 0; j < to->units[i]->pod->n_networks; j++) {
				const struct unit *net = to->units[i]->pod->networks[j].unit;

				if (net && changes[net->index] == CHANGE_RECREATE &&
				    changes[i] < CHANGE_RECREATE && changes[i] != CHANGE_ADDED)
					changes[i] = CHANGE_RECREATE;
			}
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < to->n; i++)
			if (changes[i] != CHANGE_ADDED && changes[i] < CHANGE_RECREATE &&
			    lives_in_changed(to->units[i], changes)) {
				changes[i] = CHANGE_RECREATE;
				again = true;
			}
	}
	return 0;
}

int units_diff(const struct unit_set *from, const struct unit_set *to, unit_change_fn *fn,
	       void *ctx)
{
	enum unit_change *changes = calloc(to->n + 1, sizeof(*changes));
	size_t i = 0, j = 0;
	int r = changes ? compare_all(from, to, changes) : -ENOMEM;

	while (r == 0 && (i < from->n || j < to->n)) {
		const struct unit *a = i < from->n ? from->units[i] : NULL,
				  *b = j < to->n ? to->units[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

		i += order <= 0;
		j += order >= 0;
		if ((order > 0 ? b : a)->builtin)
			continue;
		if (order < 0)
			r = fn(ctx, CHANGE_REMOVED, a, NULL);
		else
			r = fn(ctx, changes[j - 1], order ? NULL : a, b);
	}
	free(changes);
	return r;
}
