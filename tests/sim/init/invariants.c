/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold, whatever happens. Judged from the world's truth, not from the core's own view. */
#include "tests/sim/init/world.h"

#include <string.h>

static bool up(enum sup_state s)
{
	return s == SUP_UP || s == SUP_DONE;
}

static bool starting(enum sup_state s)
{
	return s >= SUP_PRE && s <= SUP_POST;
}

static bool live(enum sup_state s)
{
	return up(s) || starting(s) || s == SUP_STOP_CMD || s == SUP_STOPPING || s == SUP_ENDING ||
	       s == SUP_CLEANING;
}

static bool over(enum sup_state s)
{
	return s == SUP_DOWN || s == SUP_FAILED || s == SUP_STUCK;
}

static struct sup_unit_info info_of(const struct world *w, uint32_t i)
{
	struct sup_unit_info info = {0};

	sup_unit_info(w->sup, w->ids[i], &info);
	return info;
}

/* Whether config i says of j that kind holds (After and Before are one). */
static bool edge(const struct world *w, uint32_t i, enum dep_kind kind, uint32_t j)
{
	if (i == j)
		return false;
	for (size_t k = 0; k < w->configs[i].n_edges; k++)
		if (w->edges[i][k].kind == kind && w->edges[i][k].to == j)
			return true;
	if (kind == DEP_AFTER)
		for (size_t k = 0; k < w->configs[j].n_edges; k++)
			if (w->edges[j][k].kind == DEP_BEFORE && w->edges[j][k].to == i)
				return true;
	return false;
}

static bool strong(const struct world *w, uint32_t i, uint32_t j)
{
	return edge(w, i, DEP_REQUIRES, j) || edge(w, i, DEP_BINDS_TO, j) ||
	       edge(w, i, DEP_REQUISITE, j);
}

static bool known(const struct world *w, uint32_t i)
{
	return w->ids[i] != SUP_NONE && !w->configs[i].refused && !w->units[i].removed;
}

/* --- at an action ------------------------------------------------------------------------------- */

static void check_limit(struct world *w, uint32_t i)
{
	const struct unit_policy *p = &w->policies[i];
	struct world_unit *u = &w->units[i];

	if (!p->start_limit_burst || w->reloaded)
		return;
	if (!u->limit_count || w->now - u->limit_begin >= p->start_limit_interval_usec * 1000) {
		u->limit_begin = w->now;
		u->limit_count = 0;
	}
	if (++u->limit_count > p->start_limit_burst)
		world_break(w, "%s: more starts than StartLimitBurst=", w->names[i]);
}

/* As told so far: the core itself is at the end of the step already. */
static void check_requirements(struct world *w, uint32_t i)
{
	for (uint32_t j = 0; j < w->n; j++) {
		const struct world_unit *v = &w->units[j];

		if (i == j || !known(w, j))
			continue;
		if ((edge(w, i, DEP_CONFLICTS, j) || edge(w, j, DEP_CONFLICTS, i)) &&
		    live(v->state))
			world_break(w, "%s started beside %s, which it conflicts with", w->names[i],
				    w->names[j]);
		if (strong(w, i, j) && edge(w, i, DEP_AFTER, j) && !up(v->state) &&
		    !(v->state == SUP_DOWN && (v->result == SUP_SUCCESS || v->result == SUP_SKIP)))
			world_break(w, "%s started although %s, which it requires, is %s",
				    w->names[i], w->names[j], sup_state_names[v->state]);
	}
}

static void check_spawn(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (u->main || u->starter)
		world_break(w, "%s: two mains", w->names[i]);
	if (world_populated(u))
		world_break(w, "%s: started with processes left in its cgroup", w->names[i]);
	if (u->helper)
		world_break(w, "%s: started while a helper runs", w->names[i]);
	if (w->shutdown)
		world_break(w, "%s: started during shutdown", w->names[i]);
	if (u->stopped_by_hand)
		world_break(w, "%s: started although it was stopped by hand", w->names[i]);
	if (w->configs[i].refused)
		world_break(w, "%s: started although refused", w->names[i]);
	if (u->pinned && u->pinned != w->configs[i].pinned)
		world_break(w, "%s: started in a network that its files do not say any more",
			    w->names[i]);
}

/* What a stop or restart of i takes along, at least. */
static void drag_down(struct world *w, uint32_t i, bool restart)
{
	uint32_t stack[WORLD_UNITS + 1], n = 0;

	stack[n++] = i;
	while (n) {
		uint32_t at = stack[--n];

		for (uint32_t j = 0; j < w->n; j++) {
			if (w->units[j].going_down ||
			    !(strong(w, j, at) || edge(w, j, DEP_PART_OF, at)))
				continue;
			if (!known(w, j) || !live(w->units[j].state) ||
			    (restart && !up(w->units[j].state) && !starting(w->units[j].state)))
				continue;
			w->units[j].going_down = true;
			stack[n++] = j;
		}
	}
}

void note_wants(struct world *w, const struct event *e)
{
	uint32_t i = e ? world_index(w, e->unit) : SUP_NONE;

	for (uint32_t j = 0; j < w->n; j++) {
		struct sup_unit_info v = {0};

		if (sup_unit_info(w->sup, w->ids[j], &v))
			w->units[j].going_down = v.want != SUP_WANT_UP ||
						 (e && e->kind == EVENT_SHUTDOWN);
	}
	if (i != SUP_NONE &&
	    (e->kind == EVENT_STOP ||
	     (e->kind == EVENT_RESTART && (up(w->units[i].state) || starting(w->units[i].state)))))
		drag_down(w, i, e->kind == EVENT_RESTART);
}

static void check_stop_order(struct world *w, uint32_t i)
{
	for (uint32_t j = 0; j < w->n; j++) {
		if (!edge(w, j, DEP_AFTER, i) || !known(w, j) || !known(w, i))
			continue;
		/* (unless its stop was called off in this step) */
		if (live(w->units[j].state) && w->units[j].going_down && !w->forced &&
		    info_of(w, j).want != SUP_WANT_UP)
			world_break(w, "%s stopped before %s, which comes after it", w->names[i],
				    w->names[j]);
	}
}

static void check_state_action(struct world *w, const struct action *a, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (a->seq != ++w->seq)
		world_break(w, "event %llu has number %llu", (unsigned long long)w->seq,
			    (unsigned long long)a->seq);
	if (a->from != u->state)
		world_break(w, "%s: told to come from %s but was %s", w->names[i],
			    sup_state_names[a->from], sup_state_names[u->state]);
	if (!strcmp(a->text, "go-down") && live(a->from))
		check_stop_order(w, i);
	if (a->from == SUP_WAITING && (starting(a->to) || up(a->to))) {
		check_limit(w, i);
		check_requirements(w, i);
	}
	/* The kernel's news may be lost: before it is given up, the cgroup is looked at. */
	if (a->from == SUP_ENDING && a->to == SUP_STUCK && !u->checked)
		world_break(w, "%s: stuck, but its cgroup was not looked at", w->names[i]);
	u->checked = false;
	if (a->to == SUP_BACKOFF && w->shutdown)
		world_break(w, "%s: restarts during shutdown", w->names[i]);
}

/* Who disabled or enabled a unit is told so when it is on the disk. */
static void check_intent(struct world *w, const struct action *a)
{
	enum event_kind kind = w->asked[a->token].kind;
	uint32_t i = w->asked[a->token].unit;

	if (a->code || (kind != EVENT_DISABLE && kind != EVENT_ENABLE))
		return;
	if (w->units[i].saving ||
	    w->units[i].disk != (kind == EVENT_DISABLE ? DISK_DISABLED : DISK_ENABLED))
		world_break(w, "%s: answered before it was on the disk", w->names[i]);
}

static void check_reply(struct world *w, const struct action *a)
{
	if (a->token >= WORLD_TOKENS || !w->tokens[a->token])
		world_break(w, "token %u answered twice", a->token);
	else
		w->tokens[a->token] = false;
	if (a->token < WORLD_TOKENS)
		check_intent(w, a);
	if (a->token < WORLD_TOKENS && w->must_refuse[a->token] && a->code != 5)
		world_break(w, "a start during shutdown was answered with %d", a->code);
}

/* Looked at when it takes too long to die. What is dead and was told to be is not waited for. */
static void check_look(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	u->checked = true;
	if (!u->main && !u->starter && !u->helper && !world_populated(u) && !u->news_lost &&
	    !world_empty_is_told(w, i))
		world_break(w, "%s: waited for, but nothing of it is left", w->names[i]);
}

void check_action(struct world *w, const struct action *a)
{
	uint32_t i = a->unit == SUP_NONE ? SUP_NONE : world_index(w, a->unit);

	if (a->kind == ACTION_REPLY)
		check_reply(w, a);
	if (a->kind == ACTION_LOG && !strncmp(a->text, "unexpected", 10))
		world_break(w, "%s", a->text);
	if (i == SUP_NONE)
		return;
	switch (a->kind) {
	case ACTION_SPAWN_CONTAINER:
	case ACTION_SPAWN_SERVICE: check_spawn(w, i); break;
	case ACTION_CG_REMOVE:
		if (world_populated(&w->units[i]))
			world_break(w, "%s: cgroup removed with processes in it", w->names[i]);
		break;
	case ACTION_RUN_HELPER:
		if (w->units[i].helper)
			world_break(w, "%s: two helpers", w->names[i]);
		break;
	case ACTION_RUN_PROBE:
		if (w->units[i].probe)
			world_break(w, "%s: two probes", w->names[i]);
		if (w->probes >= 16)
			world_break(w, "too many probes");
		break;
	case ACTION_CG_CHECK: check_look(w, i); break;
	case ACTION_STATE: check_state_action(w, a, i); break;
	default: break;
	}
}

/* --- when all is quiet ------------------------------------------------------------------------- */

static void check_nothing_lives(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	const struct world_unit *t = &w->units[i];

	if (u->state != SUP_DOWN && u->state != SUP_FAILED && u->state != SUP_WAITING &&
	    u->state != SUP_BACKOFF)
		return;
	if (t->main || t->starter || t->helper || world_populated(t))
		world_break(w, "%s is %s, but something of it lives", w->names[i],
			    sup_state_names[u->state]);
}

/* Nobody goes on starting what is to be stopped. */
static void check_end(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	const struct world_unit *t = &w->units[i];

	if (u->state == SUP_ENDING && t->starter && !t->cloned && !t->cancelled)
		world_break(w, "%s ends, but its start goes on", w->names[i]);
}

static bool comes_after(const struct world *w, uint32_t i, uint32_t j, bool *seen)
{
	for (uint32_t k = 0; k < w->n; k++) {
		if (seen[k] || !edge(w, i, DEP_AFTER, k))
			continue;
		seen[k] = true;
		if (k == j || comes_after(w, k, j, seen))
			return true;
	}
	return false;
}

/* Refused is who said so, and who lies in a cycle of orders that somebody wrote: nobody else. */
static void check_refused(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	bool seen[WORLD_UNITS] = {false};

	if (!u->refused || w->configs[i].refused || w->units[i].cycle)
		return;
	w->units[i].cycle = comes_after(w, i, i, seen);
	if (!w->units[i].cycle)
		world_break(w, "%s is refused (%s), but lies in no cycle", w->names[i], u->refused);
}

static void check_owned(struct world *w, uint32_t i)
{
	struct sup_facts facts = {0};

	sup_unit_facts(w->sup, w->ids[i], &facts);
	if (w->units[i].starter != facts.starter)
		world_break(w, "%s: start helper lost", w->names[i]);
	if (w->units[i].main != facts.main)
		world_break(w, "%s: main process lost", w->names[i]);
	if (w->units[i].helper != facts.helper)
		world_break(w, "%s: helper lost", w->names[i]);
	if (w->units[i].probe != facts.probe)
		world_break(w, "%s: probe lost", w->names[i]);
}

static void check_deadline(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	const struct unit_policy *p = &w->policies[i];

	if (u->deadline != SUP_NEVER || over(u->state) || up(u->state) || u->state == SUP_WAITING)
		return;
	if (starting(u->state) && (p->start_timeout_usec == POLICY_INFINITY || w->reloaded))
		return; /* (a deadline is that of the policy it was started with) */
	world_break(w, "%s waits in %s without a deadline", w->names[i], sup_state_names[u->state]);
}

/* Who waits, waits for somebody who is on the way: nobody who rests, and not for itself in a ring. */
static void check_waiting(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	uint32_t stack[WORLD_UNITS * WORLD_UNITS], ids[WORLD_UNITS], n = 0;
	bool seen[WORLD_UNITS] = {false};

	if (u->state != SUP_WAITING)
		return;
	stack[n++] = i;
	while (n) {
		uint32_t at = stack[--n];
		size_t blockers = sup_waits_for(w->sup, w->ids[at], ids, WORLD_UNITS);

		if (at == i && !blockers)
			world_break(w, "%s waits for nothing", w->names[i]);
		for (size_t k = 0; k < blockers; k++) {
			uint32_t j = world_index(w, ids[k]);
			struct sup_unit_info v = info_of(w, j);

			if (j == i)
				world_break(w, "%s waits for itself", w->names[i]);
			if (v.state == SUP_DOWN || v.state == SUP_FAILED ||
			    (up(v.state) && v.want == SUP_WANT_UP))
				world_break(w, "%s waits for %s, which rests in %s", w->names[at],
					    w->names[j], sup_state_names[v.state]);
			if (!seen[j])
				stack[n++] = j;
			seen[j] = true;
		}
	}
}

static void check_bonds(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	if (!up(u->state) && !starting(u->state))
		return;
	for (uint32_t j = 0; j < w->n; j++) {
		struct sup_unit_info v;

		if (!known(w, j) || !known(w, i) || i == j)
			continue;
		v = info_of(w, j);
		/* (RestartMode=direct: not noticed until it gives up) */
		if (w->units[j].direct && (v.want == SUP_WANT_UP || v.want == SUP_WANT_AGAIN))
			continue;
		if (edge(w, i, DEP_BINDS_TO, j) && edge(w, i, DEP_AFTER, j) && !up(v.state) &&
		    u->want == SUP_WANT_UP)
			world_break(w, "%s is %s, but %s, which it is bound to, is %s", w->names[i],
				    sup_state_names[u->state], w->names[j],
				    sup_state_names[v.state]);
		if (edge(w, i, DEP_REQUIRES, j) && v.by_hand && u->want == SUP_WANT_UP)
			world_break(w, "%s is wanted up, but %s, which it requires, was stopped",
				    w->names[i], w->names[j]);
	}
}

static void check_want(struct world *w, uint32_t i, const struct sup_unit_info *u)
{
	if (w->units[i].stopped_by_hand && (u->want == SUP_WANT_UP || u->want == SUP_WANT_AGAIN))
		world_break(w, "%s was stopped by hand and is wanted %s", w->names[i],
			    sup_want_names[u->want]);
	if (w->shutdown && u->want != SUP_WANT_DOWN)
		world_break(w, "%s is wanted %s during shutdown", w->names[i],
			    sup_want_names[u->want]);
	if (u->want == SUP_WANT_UP && over(u->state) && u->state != SUP_STUCK)
		world_break(w, "%s is wanted up and rests in %s", w->names[i],
			    sup_state_names[u->state]);
	if (u->want == SUP_WANT_DOWN && (u->state == SUP_WAITING || u->state == SUP_BACKOFF))
		world_break(w, "%s is not wanted and rests in %s", w->names[i],
			    sup_state_names[u->state]);
}

static void check_shutdown(struct world *w)
{
	if (!w->shutdown)
		return;
	if (!w->over && w->now > w->shutdown_end + 5 * S && w->now < w->shutdown_end + 3600 * S)
		world_break(w, "shutdown goes on after its deadline");
	for (uint32_t t = 1; t <= w->n_tokens && w->over && !w->forced; t++)
		if (w->tokens[t])
			world_break(w, "token %u never answered", t);
}

void check_quiet(struct world *w)
{
	if (!w->over && sup_next_deadline(w->sup) <= w->now)
		world_break(w, "quiet with a deadline that has passed");
	for (uint32_t i = 0; i < w->n; i++)
		w->units[i].direct |= w->policies[i].restart_direct;
	for (uint32_t i = 0; i < w->n; i++) {
		struct sup_unit_info u;

		if (!sup_unit_info(w->sup, w->ids[i], &u) || u.name[0] != 'u')
			continue;
		if (u.state != w->units[i].state)
			world_break(w, "%s: a state nobody told", w->names[i]);
		check_nothing_lives(w, i, &u);
		check_owned(w, i);
		check_end(w, i, &u);
		check_refused(w, i, &u);
		check_deadline(w, i, &u);
		check_waiting(w, i, &u);
		check_bonds(w, i, &u);
		check_want(w, i, &u);
	}
	check_shutdown(w);
}
