/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * What is wanted, how a request spreads over the dependencies, and who waits for whom.
 *
 * Spreading uses a work list, never recursion. A unit enters it at most once for each call, because it does
 * so only when what is wanted of it changes.
 */
#include "init/sup_core.h"

/* The only writer of want. */
static bool set_want(struct sup *sup, struct sup_unit *u, enum sup_want want)
{
	if (u->want == want)
		return false;
	u->want = want;
	sup_queue(sup, u);
	sup_queue_neighbours(sup, u);
	return true;
}

static bool wanted(const struct sup_unit *u)
{
	return u->want == SUP_WANT_UP || u->want == SUP_WANT_AGAIN;
}

static bool going_down(const struct sup_unit *v)
{
	return unit_is(v, STATE_LIVE) && v->want != SUP_WANT_UP;
}

static bool startable(const struct sup_unit *u)
{
	return u->used && !u->refused && !u->leaving;
}

/* --- start ------------------------------------------------------------------------------------ */

/* What it stands on is going away: a stop that waits for its turn cannot simply be called off. */
static bool undermined(const struct sup *sup, const struct sup_unit *u)
{
	if (u->want == SUP_WANT_UP || !unit_is(u, STATE_UP | STATE_STARTING))
		return false;
	for_each_dep (d, sup, u) {
		const struct sup_unit *v = &sup->units[d->to];

		if (d->out & DEP_STRONG && (!unit_is(v, STATE_UP) || v->want != SUP_WANT_UP))
			return true;
		if (d->out & DEP(DEP_PART_OF) && going_down(v))
			return true;
	}
	return false;
}

/* What must be wanted of a unit so that it will be up: one on its way down must get there first. */
static enum sup_want want_for_up(const struct sup *sup, const struct sup_unit *u, bool by_hand)
{
	if (!unit_is(u, STATE_ENDING))
		return u->want == SUP_WANT_AGAIN || undermined(sup, u) ? SUP_WANT_AGAIN
								       : SUP_WANT_UP;
	/* It ended by itself and is still wanted: its restart policy decides, unless somebody asks. */
	return u->want == SUP_WANT_UP && !by_hand ? SUP_WANT_UP : SUP_WANT_AGAIN;
}

static bool pull(struct sup *sup, struct sup_unit *u, bool by_hand)
{
	u->by_hand = false;
	return set_want(sup, u, want_for_up(sup, u, by_hand));
}

/* Spreads a stop (want DOWN or HELD) or a restart (AGAIN) from root to all that are dragged along.
 * Uses the second half of the stack: a start may stop what it conflicts with. */
static void drag(struct sup *sup, struct sup_unit *root, bool again)
{
	uint32_t *stack = sup->stack + sup->n, n = 0;

	stack[n++] = unit_id(sup, root);
	while (n) {
		struct sup_unit *u = &sup->units[stack[--n]];

		for_each_dep (d, sup, u) {
			struct sup_unit *v = &sup->units[d->to];
			enum sup_want want = again                ? SUP_WANT_AGAIN
					     : d->in & DEP_STRONG ? SUP_WANT_HELD
								  : SUP_WANT_DOWN;

			if (!(d->in & DEP_DRAGGED) || !wanted(v))
				continue;
			/* Only what exists can be stopped and started again; the rest waits anyway. */
			if (again && !unit_is(v, STATE_UP | STATE_STARTING))
				continue;
			if (set_want(sup, v, want))
				stack[n++] = d->to;
		}
	}
}

void job_stop(struct sup *sup, struct sup_unit *u, bool by_hand)
{
	if (by_hand)
		u->by_hand = true;
	set_want(sup, u, SUP_WANT_DOWN);
	drag(sup, u, false);
}

static bool conflicts_with_wanted(const struct sup *sup, const struct sup_unit *u)
{
	for_each_dep (d, sup, u)
		if ((d->out | d->in) & DEP(DEP_CONFLICTS) && wanted(&sup->units[d->to]))
			return true;
	return false;
}

/* What was stopped by hand is pulled in by hand only. And what comes up by itself stops nothing: else two
 * units could bring each other up and down for ever. */
static bool may_pull(const struct sup *sup, const struct sup_unit *v, unsigned out,
		     enum sup_start how)
{
	if (!startable(v) || wanted(v) || (v->disabled && !(out & DEP_STRONG)))
		return false;
	if (how != START_BY_HAND && v->by_hand)
		return false;
	return how != START_AGAIN || !conflicts_with_wanted(sup, v);
}

void job_start(struct sup *sup, struct sup_unit *root, enum sup_start how)
{
	uint32_t n = 0;

	if (!startable(root) || sup->shutdown)
		return;
	if (how == START_AGAIN && (root->by_hand || conflicts_with_wanted(sup, root)))
		return;
	if (how == START_BY_HAND) {
		root->failures = root->restarts = 0;
		root->limit = (struct start_limit){0};
	}
	pull(sup, root, how == START_BY_HAND);
	sup->stack[n++] = unit_id(sup, root);
	while (n) {
		struct sup_unit *u = &sup->units[sup->stack[--n]];

		for_each_dep (d, sup, u) {
			struct sup_unit *v = &sup->units[d->to];

			if ((d->out | d->in) & DEP(DEP_CONFLICTS)) {
				if (wanted(v))
					job_stop(sup, v, false);
				continue;
			}
			if (!(d->out & DEP_PULLS) || !may_pull(sup, v, d->out, how))
				continue;
			pull(sup, v, false);
			sup->stack[n++] = d->to;
		}
	}
}

void job_restart(struct sup *sup, struct sup_unit *u)
{
	if (sup->shutdown || !startable(u))
		return;
	if (!unit_is(u, STATE_UP | STATE_STARTING)) {
		job_start(sup, u, START_BY_HAND);
		return;
	}
	u->by_hand = false;
	u->failures = u->restarts = 0;
	u->limit = (struct start_limit){0};
	set_want(sup, u, SUP_WANT_AGAIN);
	drag(sup, u, true);
}

void job_renew(struct sup *sup, struct sup_unit *u)
{
	/* between two runs: down first, for what was kept for the next */
	if ((u->state == SUP_WAITING || u->state == SUP_BACKOFF) && u->want == SUP_WANT_UP &&
	    !sup->shutdown)
		set_want(sup, u, SUP_WANT_AGAIN);
}

void job_give_up(struct sup *sup, struct sup_unit *u)
{
	if (wanted(u))
		set_want(sup, u, SUP_WANT_DOWN);
}

/* Half of a restart is done. What it requires is pulled again: it may have ended meanwhile. */
void job_again(struct sup *sup, struct sup_unit *u)
{
	set_want(sup, u, SUP_WANT_UP);
	job_start(sup, u, START_AGAIN);
}

void job_stop_all(struct sup *sup)
{
	for_each_unit (u, sup) {
		set_want(sup, u, SUP_WANT_DOWN);
		sup_queue(sup, u);
	}
}

/* What runs goes on with what it was started from; what does not run, will not. */
void job_refused(struct sup *sup, struct sup_unit *u)
{
	if (u->has || unit_is(u, STATE_LIVE | STATE_ENDING))
		return;
	set_want(sup, u, SUP_WANT_DOWN);
}

void job_unit_up(struct sup *sup, struct sup_unit *u)
{
	for_each_dep (d, sup, u) {
		struct sup_unit *v = &sup->units[d->to];

		if (d->in & DEP_STRONG && v->want == SUP_WANT_HELD)
			job_start(sup, v, START_AGAIN);
		if (d->out & DEP(DEP_UPHOLDS) && !wanted(v) && !v->disabled)
			job_start(sup, v, START_AGAIN);
	}
}

/* Whoever is bound to it goes down with it, and comes back with it if it will come back. */
void job_unit_not_up(struct sup *sup, struct sup_unit *u)
{
	if (u->policy.restart_direct && unit_comes_back(sup, u))
		return; /* RestartMode=direct */
	for_each_dep (d, sup, u) {
		struct sup_unit *v = &sup->units[d->to];

		if (d->in & DEP(DEP_BINDS_TO) && v->want == SUP_WANT_UP &&
		    (unit_is(v, STATE_UP | STATE_STARTING) ||
		     (v->finished && v->state == SUP_ENDING)) &&
		    set_want(sup, v, SUP_WANT_AGAIN))
			drag(sup, v, true);
	}
}

/* It is gone for good: whoever is bound to it waits until somebody brings it back, rather than doing so. */
static void hold_bound(struct sup *sup, struct sup_unit *u)
{
	if (wanted(u))
		return;
	for_each_dep (d, sup, u) {
		struct sup_unit *v = &sup->units[d->to];

		if (d->in & DEP(DEP_BINDS_TO) && wanted(v) &&
		    unit_is(v, STATE_UP | STATE_STARTING | STATE_ENDING) &&
		    set_want(sup, v, SUP_WANT_HELD))
			drag(sup, v, false);
	}
}

void job_hold(struct sup *sup, struct sup_unit *u)
{
	set_want(sup, u, SUP_WANT_HELD);
	hold_bound(sup, u);
}

void job_unit_over(struct sup *sup, struct sup_unit *member)
{
	hold_bound(sup, member);
	/* A pod ends with its last member (ExitPolicy=stop). */
	for_each_dep (d, sup, member) {
		struct sup_unit *pod = &sup->units[d->to];
		bool alone = true;

		if (pod->kind != UNIT_POD || !pod->policy.pod_stops_with_members ||
		    !(d->out & DEP(DEP_BINDS_TO)) || pod->want != SUP_WANT_UP)
			continue;
		for_each_dep (m, sup, pod)
			if (m->in & DEP(DEP_BINDS_TO) && sup->units[m->to].want != SUP_WANT_DOWN)
				alone = false;
		if (alone)
			job_stop(sup, pod, false);
	}
}

static bool upheld(const struct sup *sup, const struct sup_unit *u)
{
	if (u->by_hand || u->disabled || (u->caused && u->result == SUP_START_LIMIT))
		return false;
	for_each_dep (d, sup, u)
		if (d->in & DEP(DEP_UPHOLDS) && unit_is(&sup->units[d->to], STATE_UP))
			return true;
	return false;
}

bool unit_comes_back(const struct sup *sup, const struct sup_unit *u)
{
	if (u->want != SUP_WANT_UP || u->leaving)
		return false;
	return restart_wanted(&u->policy, u->caused ? u->result : SUP_SUCCESS, u->exited,
			      u->wait_status) ||
	       upheld(sup, u);
}

/* --- who waits for whom ------------------------------------------------------------------------- */

enum edge_verdict {
	EDGE_FREE,
	EDGE_WAIT,
	EDGE_FAILS,
};

/* It is down and will not come: enough for those that require it? A oneshot that did its work and a unit
 * whose condition does not hold are; for who is bound to it nothing is but being up. */
static bool satisfied(const struct sup_unit *v)
{
	return v->state == SUP_DOWN && !v->by_hand &&
	       (v->finished || (v->caused && v->result == SUP_SKIP));
}

static enum edge_verdict start_edge(const struct sup *sup, const struct sup_dep *d)
{
	const struct sup_unit *v = &sup->units[d->to];
	bool after = d->out & DEP(DEP_AFTER), strong = d->out & DEP_STRONG;

	/* Both wanted: a reload made them so. Nobody will go, so this one must not wait. */
	if ((d->out | d->in) & DEP(DEP_CONFLICTS) &&
	    (unit_is(v, STATE_LIVE) || v->state == SUP_STUCK))
		return wanted(v) ? EDGE_FAILS : EDGE_WAIT;
	if ((after || strong || d->in & DEP(DEP_AFTER)) && going_down(v))
		return EDGE_WAIT;
	if (unit_is(v, STATE_UP) || !(after || strong))
		return EDGE_FREE;
	if (wanted(v)) {
		if (!after)
			return EDGE_FREE;
		/* Whoever merely comes after it waits for one attempt, not for ever. */
		return strong || !v->failures ? EDGE_WAIT : EDGE_FREE;
	}
	if (!strong)
		return EDGE_FREE;
	return satisfied(v) && !(d->out & DEP(DEP_BINDS_TO)) ? EDGE_FREE : EDGE_FAILS;
}

static bool stop_edge(const struct sup *sup, const struct sup_dep *d)
{
	return d->in & DEP(DEP_AFTER) && going_down(&sup->units[d->to]);
}

bool dep_blocks(const struct sup *sup, const struct sup_unit *u, const struct sup_dep *d)
{
	if (u->state == SUP_WAITING && u->want == SUP_WANT_UP)
		return start_edge(sup, d) == EDGE_WAIT;
	if (unit_is(u, STATE_UP | STATE_STARTING) && u->want != SUP_WANT_UP)
		return stop_edge(sup, d);
	return false;
}

/* The edge that blocked last is asked first. */
static bool still_blocked(const struct sup *sup, const struct sup_unit *u)
{
	return u->blocker < u->n_deps && dep_blocks(sup, u, deps_of(sup, u) + u->blocker);
}

/* From edge `i` on: CUE_NONE at the first that blocks. */
static enum cue scan_start(const struct sup *sup, struct sup_unit *u, uint32_t i)
{
	for (; i < u->n_deps; i++) {
		enum edge_verdict verdict = start_edge(sup, deps_of(sup, u) + i);

		if (verdict == EDGE_FAILS)
			return CUE_DEP_FAILED;
		if (verdict == EDGE_WAIT) {
			u->blocker = i;
			return CUE_NONE;
		}
	}
	return CUE_GO_UP;
}

static bool start_fails(const struct sup *sup, const struct sup_unit *u)
{
	for_each_dep (d, sup, u)
		if (start_edge(sup, d) == EDGE_FAILS)
			return true;
	return false;
}

/* A target with ten thousand members is woken by each of them: the search goes on where it stood, and
 * looks at all of them only when a neighbour went down (the blocker is forgotten then) and at the end. */
static enum cue due_start(struct sup *sup, struct sup_unit *u)
{
	if (u->blocker >= u->n_deps && start_fails(sup, u))
		return CUE_DEP_FAILED;
	if (u->blocker < u->n_deps && scan_start(sup, u, u->blocker) == CUE_NONE)
		return CUE_NONE;
	return scan_start(sup, u, 0);
}

static enum cue due_stop(struct sup *sup, struct sup_unit *u)
{
	if (sup->forced)
		return CUE_FORCE;
	if (still_blocked(sup, u))
		return CUE_NONE;
	for_each_dep (d, sup, u)
		if (stop_edge(sup, d)) {
			u->blocker = (uint32_t)(d - deps_of(sup, u));
			return CUE_NONE;
		}
	return CUE_GO_DOWN;
}

uint32_t unit_debt(const struct sup *sup, const struct sup_unit *u)
{
	/* Its network is pinned for the next run; at shutdown it goes with the kernel. */
	if (sup->shutdown ||
	    (!u->outdated && (u->want == SUP_WANT_AGAIN || unit_comes_back(sup, u))))
		return u->owes & ~(uint32_t)OWES_NET_DOWN;
	return u->owes;
}

static enum cue due_clean(struct sup *sup, struct sup_unit *u)
{
	if (u->has & HAS_HELPER)
		return sup->forced && !u->helper_killed ? CUE_FORCE : CUE_NONE;
	return unit_debt(sup, u) ? CUE_CLEAN : CUE_CLEANED;
}

static enum cue due_network(const struct sup *sup, const struct sup_unit *u)
{
	if (u->kind != UNIT_NETWORK || sup->net == NET_UNKNOWN || u->has & HAS_HELPER)
		return CUE_NONE;
	return sup->net == NET_UP ? CUE_NET_UP : CUE_NET_FAILED;
}

static enum cue due_failed(const struct sup_unit *u)
{
	if (u->refused)
		return CUE_NONE;
	if (u->result == SUP_CONFIG)
		return CUE_ACCEPT;
	return wanted(u) ? CUE_BEGIN : CUE_NONE;
}

enum cue cue_due(struct sup *sup, struct sup_unit *u)
{
	switch (u->state) {
	case SUP_DOWN: return u->refused ? CUE_REFUSE : wanted(u) ? CUE_BEGIN : CUE_NONE;
	case SUP_FAILED: return due_failed(u);
	case SUP_WAITING: return u->want == SUP_WANT_UP ? due_start(sup, u) : CUE_GO_DOWN;
	case SUP_BACKOFF: return u->want == SUP_WANT_UP ? CUE_NONE : CUE_GO_DOWN;
	case SUP_PRE:
	case SUP_STARTING:
	case SUP_EXECING:
	case SUP_READYING:
	case SUP_POST:
	case SUP_UP:
	case SUP_DONE:
		if (u->want != SUP_WANT_UP)
			return due_stop(sup, u);
		if (u->state == SUP_PRE && !(u->has & ~(uint32_t)HAS_PROBE))
			return CUE_GONE;
		return u->state == SUP_STARTING ? due_network(sup, u) : CUE_NONE;
	case SUP_STOP_CMD:
	case SUP_STOPPING: return sup->forced ? CUE_FORCE : CUE_NONE;
	case SUP_ENDING:
	case SUP_STUCK: return u->has & ~(uint32_t)HAS_PROBE ? CUE_NONE : CUE_GONE;
	case SUP_CLEANING: return due_clean(sup, u);
	case SUP_STATE__N: break;
	}
	return CUE_NONE;
}
