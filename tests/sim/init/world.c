/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/init/world.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What happens in the world, beside the events it sends as they are. */
enum happening {
	SEND,        /* event, as it is */
	CLONE,       /* the start helper has made a main process */
	EXEC,        /* and it is exec'ed */
	START_FAILS, /* the start helper gives up */
	MAIN_DIES,   /* event.code: status */
	EXTRA_DIES,
	HELPER_ENDS, /* event.code */
	PROBE_ENDS,
	RELEASED, /* an uninterruptible process can be killed now: and is */
	REQUEST,  /* a random request */
	FAULT,    /* a random fault */
	RELOAD_UNITS,
	REVIVE,
	SHUT_DOWN,
	INTENT_SAVED,
};

/* --- chance ----------------------------------------------------------------------------------- */

static uint64_t chance(struct world *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng * 0x2545f4914f6cdd1dull >> 16;
}

static uint64_t below(struct world *w, uint64_t n)
{
	return chance(w) % n;
}

static bool percent(struct world *w, unsigned p)
{
	return below(w, 100) < p;
}

/* Often nothing, mostly little, sometimes long. */
static uint64_t delay(struct world *w)
{
	switch (below(w, 4)) {
	case 0: return 0;
	case 1: return below(w, 3) * MS;
	case 2: return below(w, 200) * MS;
	}
	return below(w, 3000) * MS;
}

void world_break(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (*w->broken)
		return;
	va_start(ap, fmt);
	vsnprintf(w->broken, sizeof(w->broken), fmt, ap);
	va_end(ap);
	if (w->trace)
		fprintf(w->trace, "BROKEN: %s\n", w->broken);
}

/* --- what will happen ------------------------------------------------------------------------- */

static void plan(struct world *w, uint64_t after, enum happening what, uint32_t life,
		 struct event e)
{
	if (w->n_events == WORLD_EVENTS) {
		world_break(w, "the world has too many events");
		return;
	}
	w->events[w->n_events++] = (struct world_event){w->now + after, w->order++, life, what, e};
}

static void plan_unit(struct world *w, uint64_t after, enum happening what, uint32_t i, int code)
{
	plan(w, after, what, w->units[i].life, (struct event){.unit = i, .code = code});
}

static struct world_event take_next(struct world *w)
{
	uint32_t best = 0;
	struct world_event e;

	for (uint32_t i = 1; i < w->n_events; i++)
		if (w->events[i].at < w->events[best].at ||
		    (w->events[i].at == w->events[best].at &&
		     w->events[i].order < w->events[best].order))
			best = i;
	e = w->events[best];
	w->events[best] = w->events[--w->n_events];
	return e;
}

static uint64_t next_at(const struct world *w)
{
	uint64_t at = UINT64_MAX;

	for (uint32_t i = 0; i < w->n_events; i++)
		if (w->events[i].at < at)
			at = w->events[i].at;
	return at;
}

/* --- the units that there are ------------------------------------------------------------------- */

uint32_t world_index(const struct world *w, uint32_t id)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->ids[i] == id)
			return i;
	return SUP_NONE;
}

bool world_populated(const struct world_unit *u)
{
	return (u->main && !u->zombie) || u->extras || (u->helper && u->helper_in_cgroup);
}

static const enum unit_kind kinds[] = {UNIT_CONTAINER, UNIT_CONTAINER, UNIT_CONTAINER,
				       UNIT_CONTAINER, UNIT_CONTAINER, UNIT_SERVICE,
				       UNIT_SERVICE,   UNIT_SERVICE,   UNIT_TARGET,
				       UNIT_NETWORK,   UNIT_VOLUME,    UNIT_POD};

static void make_probe(struct world *w, struct policy_probe *p)
{
	p->on = true;
	p->interval_usec = 1000000 + below(w, 30) * 1000000;
	p->timeout_usec = 500000 + below(w, 5) * 1000000;
	p->start_period_usec = percent(w, 50) ? 0 : 5000000;
	p->retries = (uint32_t)below(w, 4);
	p->successes = 1 + (uint32_t)below(w, 2);
}

static void make_restart(struct world *w, struct unit_policy *p)
{
	p->restart = percent(w, 50) ? POLICY_RESTART_ALWAYS
				    : (enum policy_restart)below(w, POLICY_RESTART__N);
	p->restart_usec = 100000;
	p->restart_max_delay_usec = 60000000;
	p->restart_reset_usec = 10000000;
	p->restart_doubles = percent(w, 60);
	if (!p->restart_doubles) {
		p->restart_usec = below(w, 3) * 500000;
		p->restart_steps = (uint32_t)below(w, 4);
	}
	if (percent(w, 20)) {
		p->start_limit_burst = 1 + (uint32_t)below(w, 5);
		p->start_limit_interval_usec = 10000000;
	}
	if (percent(w, 10))
		p->restart_prevent.codes[0] = 1 << 2;
	if (percent(w, 10))
		p->restart_force.codes[0] = 1 << 3;
}

static void make_policy(struct world *w, struct unit_policy *p, enum unit_kind kind)
{
	memset(p, 0, sizeof(*p));
	p->type = kind == UNIT_SERVICE ? (enum policy_type)below(w, POLICY_TYPE_NONE)
		  : percent(w, 15)     ? POLICY_TYPE_ONESHOT
				       : POLICY_TYPE_NOTIFY;
	p->ready = POLICY_READY_EXEC;
	if (p->type == POLICY_TYPE_SIMPLE)
		p->ready = POLICY_READY_NOW;
	if (p->type == POLICY_TYPE_ONESHOT)
		p->ready = POLICY_READY_EXIT;
	if (p->type == POLICY_TYPE_NOTIFY && percent(w, 40))
		p->ready = percent(w, 50) ? POLICY_READY_NOTIFY : POLICY_READY_HEALTHY;
	p->remain_after_exit = p->type == POLICY_TYPE_ONESHOT && percent(w, 50);
	make_restart(w, p);
	if (p->type == POLICY_TYPE_ONESHOT &&
	    (p->restart == POLICY_RESTART_ALWAYS || p->restart == POLICY_RESTART_ON_SUCCESS))
		p->restart = POLICY_RESTART_ON_FAILURE;
	p->start_timeout_usec = percent(w, 10) ? POLICY_INFINITY : 1000000 + below(w, 20) * 1000000;
	p->stop_timeout_usec = percent(w, 5) ? 0 : 1000000 + below(w, 15) * 1000000;
	p->watchdog_usec = percent(w, 15) ? 3000000 : 0;
	p->abort_timeout_usec = percent(w, 30) ? 7000000 : 0;
	p->restart_direct = percent(w, 10);
	p->runtime_max_usec = percent(w, 5) ? 20000000 : 0;
	p->oom = (enum policy_oom)below(w, POLICY_OOM__N);
	if (percent(w, 25) || p->ready == POLICY_READY_HEALTHY)
		make_probe(w, &p->health);
	if (percent(w, 5))
		make_probe(w, &p->startup);
	p->on_unhealthy = (enum policy_health_action)below(w, POLICY_HEALTH__N);
	p->pod_stops_with_members = percent(w, 50);
	p->network_on_demand = kind == UNIT_NETWORK && percent(w, 50);
}

/* Orders go from higher to lower numbers, so that there is no cycle; now and then one is made. */
static void make_edges(struct world *w, uint32_t i)
{
	struct sup_unit_config *c = &w->configs[i];

	c->edges = w->edges[i];
	c->n_edges = 0;
	for (uint32_t to = 0; i == w->n - 1 && to < i; to++)
		if (percent(w, 75)) /* the one that is started at boot */
			w->edges[i][c->n_edges++] = (struct sup_edge){DEP_WANTS, to};
	while (i && i < w->n - 1 && c->n_edges + 2 <= 6 && percent(w, 65)) {
		uint32_t to = (uint32_t)below(w, i);
		enum dep_kind kind = percent(w, 80) ? (enum dep_kind)below(w, DEP_CONFLICTS)
						    : (enum dep_kind)below(w, DEP__N);

		if (kind == DEP_BEFORE && !percent(w, 10))
			kind = DEP_AFTER;
		w->edges[i][c->n_edges++] = (struct sup_edge){kind, to};
		if (percent(w, 60))
			w->edges[i][c->n_edges++] = (struct sup_edge){DEP_AFTER, to};
	}
	if (percent(w, 2) && c->n_edges < WORLD_EDGES)
		w->edges[i][c->n_edges++] = (struct sup_edge){DEP_AFTER, (uint32_t)below(w, w->n)};
}

static void make_units(struct world *w)
{
	w->n = 1 + (uint32_t)below(w, WORLD_UNITS);
	for (uint32_t i = 0; i < w->n; i++) {
		struct sup_unit_config *c = &w->configs[i];

		snprintf(w->names[i], sizeof(w->names[i]), "u%u", i);
		*c = (struct sup_unit_config){.name = w->names[i], .policy = &w->policies[i]};
		c->kind = i == w->n - 1 ? UNIT_TARGET
					: kinds[below(w, sizeof(kinds) / sizeof(*kinds))];
		make_policy(w, &w->policies[i], c->kind);
		make_edges(w, i);
		c->hash = c->pinned = 1;
		c->disabled = percent(w, 5);
		c->refused = percent(w, 3) ? "line 3: no" : NULL;
		if (c->kind != UNIT_CONTAINER && c->kind != UNIT_SERVICE)
			continue;
		c->pre = percent(w, 10);
		c->post = percent(w, 10);
		c->stop_cmd = percent(w, 10);
		c->stop_post = percent(w, 10);
		c->reload = percent(w, 20);
	}
}

/* --- talking to the core ------------------------------------------------------------------------ */

static void obey(struct world *w, const struct action *a);

static void print_wants(const struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct sup_unit_info u;

		if (w->ids[i] != SUP_NONE && sup_unit_info(w->sup, w->ids[i], &u))
			fprintf(w->trace, " %s:%s/%s", u.name, sup_state_names[u.state],
				sup_want_names[u.want]);
	}
	fputc('\n', w->trace);
}

static void step(struct world *w, const struct event *event)
{
	bool more = true;

	note_wants(w, event);
	for (int i = 0; more && !*w->broken; i++) {
		const struct action *a;
		size_t n;

		if (i > 200)
			world_break(w, "the core does not come to rest");
		more = sup_step(w->sup, i ? NULL : event, w->now);
		w->steps++;
		a = sup_actions(w->sup, &n);
		for (size_t j = 0; j < n && !*w->broken; j++) {
			check_action(w, &a[j]);
			obey(w, &a[j]);
		}
	}
	if (w->trace && getenv("SIM_WANTS"))
		print_wants(w);
	if (!*w->broken)
		check_quiet(w);
}

static void send(struct world *w, struct event e)
{
	uint32_t i = e.unit;

	e.now = w->now;
	if (i < w->n && e.kind != EVENT_NETWORK && e.kind != EVENT_SHUTDOWN)
		e.unit = w->ids[i];
	if (w->trace)
		fprintf(w->trace, "%12.6f > %s %s code %d flag %d%s%s\n", (double)w->now / 1e9,
			event_names[e.kind], i < w->n ? w->names[i] : "", e.code, e.flag,
			e.token ? " token" : "", e.step ? e.step : "");
	step(w, &e);
}

static void send_unit(struct world *w, enum event_kind kind, uint32_t i, int code, bool flag)
{
	send(w, (struct event){.kind = kind, .unit = i, .code = code, .flag = flag});
}

static bool is_news(const struct world *w, const struct world_event *e, uint32_t i)
{
	return e->what == SEND && e->event.kind == EVENT_CGROUP_EMPTY && e->event.unit == i &&
	       e->life == w->units[i].life;
}

bool world_empty_is_told(const struct world *w, uint32_t i)
{
	for (uint32_t k = 0; k < w->n_events; k++)
		if (is_news(w, &w->events[k], i))
			return true;
	return false;
}

/* PID 1 reads cgroup.events: a change that was read is not told any more (poll of kernfs). */
static bool read_populated(struct world *w, uint32_t i)
{
	for (uint32_t k = 0; k < w->n_events; k++)
		if (is_news(w, &w->events[k], i))
			w->events[k--] = w->events[--w->n_events];
	return world_populated(&w->units[i]);
}

/* The kernel tells that the cgroup is empty; now and then the news is lost (the core asks again). */
static void maybe_empty(struct world *w, uint32_t i)
{
	if (world_populated(&w->units[i]))
		return;
	w->units[i].news_lost = !w->calm && percent(w, 2);
	if (w->units[i].news_lost)
		return;
	plan_unit(w, delay(w), SEND, i, 0);
	w->events[w->n_events - 1].event.kind = EVENT_CGROUP_EMPTY;
}

/* --- processes -------------------------------------------------------------------------------- */

static void start(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (!u->pinned && w->configs[i].kind == UNIT_CONTAINER)
		u->pinned = w->configs[i].pinned;
	u->life++;
	u->starter = true;
	u->cloned = u->zombie = u->uninterruptible = u->cancelled = u->news_lost = false;
	u->ignores_term = percent(w, 20);
	plan_unit(w, percent(w, 5) ? 40 * S : delay(w), percent(w, 12) ? START_FAILS : CLONE, i,
		  EAGAIN);
}

static int random_status(struct world *w)
{
	static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGSEGV | 0x80, SIGHUP};

	if (percent(w, 70))
		return (int)below(w, 5) << 8;
	return signals[below(w, 5)];
}

static void clone(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (!u->starter || u->cancelled)
		return;
	u->cloned = u->main = true;
	u->uninterruptible = !w->calm && percent(w, 2);
	send_unit(w, EVENT_CLONED, i, 1000 + (int)below(w, 30000), false);
	if (percent(w, 8)) { /* it dies on the way: exit and failure come in any order */
		plan_unit(w, delay(w), MAIN_DIES, i, 1 << 8);
		plan_unit(w, delay(w), percent(w, 70) ? START_FAILS : EXEC, i, EINVAL);
		return;
	}
	plan_unit(w, percent(w, 3) ? 30 * S : delay(w), EXEC, i, 0);
}

static void live(struct world *w, uint32_t i)
{
	const struct unit_policy *p = &w->policies[i];
	bool quick = p->type == POLICY_TYPE_ONESHOT || percent(w, w->calm ? 5 : 30);

	if (percent(w, 20))
		w->units[i].extras = 1 + (int)below(w, 2);
	if (percent(w, 85)) {
		plan_unit(w, delay(w), SEND, i, 0);
		w->events[w->n_events - 1].event.kind = EVENT_READY;
	}
	for (int k = 0; p->watchdog_usec && k < (int)below(w, 8); k++) {
		plan_unit(w, (uint64_t)k * 2 * S + below(w, 500) * MS, SEND, i, 0);
		w->events[w->n_events - 1].event.kind = EVENT_NOTIFY_WATCHDOG;
	}
	if (quick)
		plan_unit(w, delay(w), MAIN_DIES, i, random_status(w));
	else if (percent(w, 50))
		plan_unit(w, below(w, 60) * S, MAIN_DIES, i, random_status(w));
	if (percent(w, 10)) {
		plan_unit(w, below(w, 20) * S, SEND, i, 0);
		w->events[w->n_events - 1].event.kind = EVENT_OOM;
	}
}

static void exec(struct world *w, uint32_t i)
{
	if (!w->units[i].starter || w->units[i].cancelled)
		return;
	w->units[i].starter = false;
	send_unit(w, EVENT_EXECED, i, 0, false);
	if (w->units[i].main && !w->units[i].zombie)
		live(w, i);
}

static void start_fails(struct world *w, uint32_t i, int error)
{
	struct world_unit *u = &w->units[i];

	if (!u->starter)
		return;
	u->starter = false;
	send(w, (struct event){.kind = EVENT_START_FAILED,
			       .unit = i,
			       .code = error,
			       .step = "mount",
			       .text = "it failed",
			       .flag = read_populated(w, i)});
	/* What it had begun to make sees its socket closed and exits. */
	if (u->main && !u->zombie)
		plan_unit(w, delay(w), MAIN_DIES, i, 1 << 8);
}

static void main_dies(struct world *w, uint32_t i, int status)
{
	struct world_unit *u = &w->units[i];

	if (!u->main || u->zombie)
		return;
	if (u->uninterruptible && (status & 0x7f) == SIGKILL)
		return;
	u->zombie = true;
	if (w->configs[i].kind == UNIT_CONTAINER)
		u->extras = 0; /* its pid namespace dies with it */
	maybe_empty(w, i);
	plan_unit(w, delay(w), SEND, i, status);
	w->events[w->n_events - 1].event.kind = EVENT_EXITED;
	w->events[w->n_events - 1].event.flag = percent(w, 5);
}

static void extra_dies(struct world *w, uint32_t i)
{
	if (!w->units[i].extras)
		return;
	w->units[i].extras = 0;
	maybe_empty(w, i);
}

static void cg_kill(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (u->main && !u->zombie && !u->uninterruptible)
		plan_unit(w, below(w, 20) * MS, MAIN_DIES, i, SIGKILL);
	if (u->main && u->uninterruptible)
		plan_unit(w, below(w, 100) * S, RELEASED, i, 0);
	if (u->extras)
		plan_unit(w, below(w, 20) * MS, EXTRA_DIES, i, 0);
	if (u->helper && u->helper_in_cgroup)
		plan(w, below(w, 20) * MS, HELPER_ENDS, u->helper_life,
		     (struct event){.unit = i, .code = 137});
}

static void signal_main(struct world *w, uint32_t i, int signal)
{
	struct world_unit *u = &w->units[i];

	if (!u->main || u->zombie)
		return;
	if (signal == SIGKILL || !u->ignores_term)
		plan_unit(w, signal == SIGKILL ? 0 : delay(w), MAIN_DIES, i,
			  signal           ? signal
			  : percent(w, 50) ? SIGTERM
					   : 0);
}

static void run_helper(struct world *w, uint32_t i, int which)
{
	struct world_unit *u = &w->units[i];
	int code = percent(w, 80) ? 0 : which == SUP_HELPER_PRE && percent(w, 50) ? -1 : 3;

	u->helper = true;
	u->helper_kind = which;
	u->helper_life++;
	u->helper_in_cgroup = which != SUP_HELPER_NET_DOWN && which != SUP_HELPER_NET_UP;
	if (percent(w, w->calm ? 0 : 8))
		return; /* hangs */
	plan(w, delay(w), HELPER_ENDS, u->helper_life, (struct event){.unit = i, .code = code});
}

static void helper_ends(struct world *w, uint32_t i, int code)
{
	struct world_unit *u = &w->units[i];

	if (!u->helper)
		return;
	u->helper = false;
	if (u->helper_kind == SUP_HELPER_NET_DOWN)
		u->pinned = 0;
	if (u->helper_in_cgroup && percent(w, 5))
		u->extras++; /* leaves something behind */
	send_unit(w, EVENT_HELPER_DONE, i, code, read_populated(w, i));
}

static void run_probe(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	u->probe = true;
	u->probe_life++;
	w->probes++;
	if (!percent(w, 5))
		plan(w, delay(w), PROBE_ENDS, u->probe_life,
		     (struct event){.unit = i, .code = percent(w, 70) ? 0 : 1});
}

static void probe_ends(struct world *w, uint32_t i, int code)
{
	if (!w->units[i].probe)
		return;
	w->units[i].probe = false;
	w->probes--;
	send_unit(w, EVENT_PROBE_DONE, i, code, false);
}

static void cancel_start(struct world *w, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	if (!u->starter || u->cancelled)
		return;
	u->cancelled = true;
	if (!u->cloned && percent(w, 20))
		u->extras++; /* it had just cloned, and could not tell */
	plan_unit(w, delay(w), START_FAILS, i, EINTR);
	if (u->extras)
		plan_unit(w, delay(w), EXTRA_DIES, i, 0);
}

/* --- actions ---------------------------------------------------------------------------------- */

/* OnFailure= and OnSuccess= start what they name, even if that was once stopped. */
static void triggered(struct world *w, uint32_t i)
{
	for (size_t k = 0; k < w->configs[i].n_edges; k++)
		if (w->edges[i][k].kind == DEP_ON_FAILURE || w->edges[i][k].kind == DEP_ON_SUCCESS)
			w->units[w->edges[i][k].to].stopped_by_hand = false;
}

/* The shell knows at once, the disk in its own time. */
static void save_intent(struct world *w, uint32_t i, int enabled)
{
	if (w->units[i].saving)
		world_break(w, "%s: two writers of its intent", w->names[i]);
	w->units[i].saving = true;
	w->configs[i].disabled = !enabled;
	plan(w, percent(w, 10) ? 17 * S : delay(w), INTENT_SAVED, 0,
	     (struct event){.kind = EVENT_INTENT_SAVED,
			    .unit = i,
			    .code = percent(w, 20) ? ETIMEDOUT : 0,
			    .text = "it does not answer"});
}

static void intent_saved(struct world *w, const struct event *e)
{
	struct world_unit *u = &w->units[e->unit];

	u->saving = false;
	if (!e->code)
		u->disk = w->configs[e->unit].disabled ? DISK_DISABLED : DISK_ENABLED;
	if (w->ids[e->unit] != SUP_NONE)
		send(w, *e);
}

static void obey_unit(struct world *w, const struct action *a, uint32_t i)
{
	struct world_unit *u = &w->units[i];

	switch (a->kind) {
	case ACTION_SPAWN_CONTAINER:
	case ACTION_SPAWN_SERVICE: start(w, i); break;
	case ACTION_CANCEL_START: cancel_start(w, i); break;
	case ACTION_SIGNAL_MAIN: signal_main(w, i, a->code); break;
	case ACTION_CG_KILL: cg_kill(w, i); break;
	case ACTION_CG_CHECK:
		if (!world_populated(u)) {
			plan_unit(w, 0, SEND, i, 0);
			w->events[w->n_events - 1].event.kind = EVENT_CGROUP_EMPTY;
		}
		break;
	case ACTION_RUN_HELPER: run_helper(w, i, a->code); break;
	case ACTION_KILL_HELPER:
		if (u->helper)
			plan(w, delay(w), HELPER_ENDS, u->helper_life,
			     (struct event){.unit = i, .code = 137});
		break;
	case ACTION_RUN_PROBE: run_probe(w, i); break;
	case ACTION_KILL_PROBE:
		if (u->probe)
			plan(w, delay(w), PROBE_ENDS, u->probe_life,
			     (struct event){.unit = i, .code = 137});
		break;
	case ACTION_STATE:
		u->state = a->to;
		u->result = a->result;
		if (a->to == SUP_FAILED || a->to == SUP_DOWN)
			triggered(w, i);
		break;
	case ACTION_SAVE_INTENT: save_intent(w, i, a->code); break;
	case ACTION_FORGOTTEN: w->ids[i] = SUP_NONE; break;
	default: break;
	}
}

static void print_action(struct world *w, const struct action *a, uint32_t i)
{
	fprintf(w->trace, "%12.6f   %s %s", (double)w->now / 1e9, action_names[a->kind],
		i == SUP_NONE ? "" : w->names[i]);
	if (a->kind == ACTION_STATE)
		fprintf(w->trace, " %s -> %s (%s, %s)", sup_state_names[a->from],
			sup_state_names[a->to], a->text, sup_result_names[a->result]);
	else
		fprintf(w->trace, " %d %s", a->code, a->text);
	fputc('\n', w->trace);
}

static void obey(struct world *w, const struct action *a)
{
	uint32_t i = a->unit == SUP_NONE ? SUP_NONE : world_index(w, a->unit);

	if (w->trace)
		print_action(w, a, i);
	if (i != SUP_NONE)
		obey_unit(w, a, i);
	if (a->kind == ACTION_SHUTDOWN && a->code == SUP_SHUTDOWN_KILLING)
		w->forced = true;
	if (a->kind == ACTION_SHUTDOWN && a->code == SUP_SHUTDOWN_DOWN)
		w->over = true;
}

/* --- requests and faults ------------------------------------------------------------------------ */

/* Whatever a start by hand pulls in may run again. */
static void pulled(struct world *w, uint32_t i)
{
	bool seen[WORLD_UNITS] = {false};
	uint32_t stack[WORLD_UNITS * WORLD_EDGES + 1], n = 0;

	stack[n++] = i;
	while (n) {
		uint32_t at = stack[--n];

		if (seen[at])
			continue;
		seen[at] = true;
		w->units[at].stopped_by_hand = false;
		w->units[at].limit_count = at == i ? 0 : w->units[at].limit_count;
		for (size_t k = 0; k < w->configs[at].n_edges; k++) {
			enum dep_kind kind = w->edges[at][k].kind;

			if (kind == DEP_REQUIRES || kind == DEP_WANTS || kind == DEP_BINDS_TO ||
			    kind == DEP_UPHOLDS)
				stack[n++] = w->edges[at][k].to;
		}
	}
}

static uint32_t new_token(struct world *w)
{
	if (w->n_tokens == WORLD_TOKENS - 1)
		return 0;
	w->tokens[++w->n_tokens] = true;
	return w->n_tokens;
}

static void request(struct world *w)
{
	static const enum event_kind requests[] = {
		EVENT_START,  EVENT_START, EVENT_STOP,         EVENT_STOP,    EVENT_RESTART,
		EVENT_RELOAD, EVENT_KILL,  EVENT_RESET_FAILED, EVENT_DISABLE, EVENT_ENABLE};
	struct event e = {.kind = requests[below(w, sizeof(requests) / sizeof(*requests))],
			  .unit = (uint32_t)below(w, w->n),
			  .code = percent(w, 50) ? SIGKILL : SIGHUP};
	bool main = w->units[e.unit].main;

	if (w->ids[e.unit] == SUP_NONE)
		return;
	e.token = percent(w, 70) ? new_token(w) : 0;
	w->asked[e.token].kind = e.kind;
	w->asked[e.token].unit = e.unit;
	w->must_refuse[e.token] = w->shutdown && e.token &&
				  (e.kind == EVENT_START || e.kind == EVENT_RESTART);
	if ((e.kind == EVENT_START || e.kind == EVENT_RESTART) && !w->configs[e.unit].refused &&
	    !w->shutdown)
		pulled(w, e.unit);
	if (e.kind == EVENT_RESET_FAILED)
		w->units[e.unit].limit_count = 0;
	if (e.kind == EVENT_STOP)
		w->units[e.unit].stopped_by_hand = true;
	send(w, e);
	if (e.kind == EVENT_KILL && main)
		signal_main(w, e.unit, 0);
}

static void fault(struct world *w)
{
	uint32_t i = (uint32_t)below(w, w->n);

	switch (below(w, 5)) {
	case 0: /* the machine slept */
		w->now += 3600 * S;
		if (w->trace)
			fprintf(w->trace, "%12.6f ! slept an hour\n", (double)w->now / 1e9);
		break;
	case 1: /* PID 1 was slow */ w->now += below(w, 5000) * MS; break;
	case 2: /* extras appear */
		if (w->units[i].main && !w->units[i].zombie)
			w->units[i].extras++;
		break;
	case 3: /* a stray event */
		send_unit(w, EVENT_READY + (enum event_kind)below(w, 5), i, 0, false);
		break;
	case 4:
		if (w->units[i].main)
			plan_unit(w, 0, MAIN_DIES, i, random_status(w));
		break;
	}
}

/* Some change, some go: as an edit of the unit files would have it. */
static void reload_units(struct world *w)
{
	uint32_t keep = w->n;

	for (uint32_t i = 0; i < w->n; i++) {
		if (w->ids[i] == SUP_NONE)
			return; /* one edit with a removal is enough for a world */
		if (percent(w, 20)) {
			w->configs[i].hash++, w->units[i].limit_count = 0;
			w->configs[i].pinned += percent(w, 50);
		}
		if (percent(w, 10))
			make_policy(w, &w->policies[i], w->configs[i].kind);
	}
	if (percent(w, 30) && w->n > 2)
		keep = w->n - 1;
	if (w->trace)
		fprintf(w->trace, "%12.6f ! reload, %u of %u units\n", (double)w->now / 1e9, keep,
			w->n);
	w->reloaded = true;
	for (uint32_t i = keep; i < w->n; i++)
		w->units[i].removed = true;
	if (sup_load(w->sup, w->configs, keep, percent(w, 30), NULL))
		world_break(w, "sup_load failed");
	step(w, NULL);
}

static void revive(struct world *w)
{
	struct buf before = {0}, after = {0};
	struct sup *next = sup_new(NULL);
	struct fail f = {0};

	for (uint32_t i = 0; i < w->n; i++)
		if (w->ids[i] == SUP_NONE) {
			sup_free(next);
			return;
		}
	sup_encode(w->sup, &before);
	if (!next || sup_load(next, w->configs, w->n, false, NULL) ||
	    sup_decode(next, before.data, before.len, &f)) {
		world_break(w, "revival failed: %s", f.text);
	} else {
		sup_encode(next, &after);
		if (before.len != after.len || memcmp(before.data, after.data, before.len))
			world_break(w, "revival changed the state");
		sup_free(w->sup);
		w->sup = next;
		next = NULL;
		for (uint32_t i = 0; i < w->n; i++)
			w->ids[i] = sup_find(w->sup, w->names[i]);
		if (w->trace)
			fprintf(w->trace, "%12.6f ! revived\n", (double)w->now / 1e9);
		step(w, NULL);
	}
	sup_free(next);
	buf_done(&before);
	buf_done(&after);
}

static void shut_down(struct world *w)
{
	w->shutdown = true;
	w->shutdown_end = w->now + 90 * S;
	send(w, (struct event){.kind = EVENT_SHUTDOWN,
			       .code = 1 + (int)below(w, 3),
			       .unit = SUP_NONE,
			       .flag = percent(w, 5)});
}

/* --- running ---------------------------------------------------------------------------------- */

static void happen(struct world *w, const struct world_event *e)
{
	uint32_t i = e->event.unit;
	bool of_unit = e->what <= RELEASED && e->life;

	if (of_unit && e->what == HELPER_ENDS) {
		if (e->life == w->units[i].helper_life)
			helper_ends(w, i, e->event.code);
		return;
	}
	if (of_unit && e->what == PROBE_ENDS) {
		if (e->life == w->units[i].probe_life)
			probe_ends(w, i, e->event.code);
		return;
	}
	if (of_unit && e->life != w->units[i].life)
		return;
	switch (e->what) {
	case SEND:
		if (e->event.kind == EVENT_EXITED) {
			if (!w->units[i].main)
				return;
			w->units[i].main = w->units[i].zombie = false;
		}
		if (e->event.kind == EVENT_CGROUP_EMPTY && world_populated(&w->units[i]))
			return;
		send(w, e->event);
		break;
	case CLONE: clone(w, i); break;
	case EXEC: exec(w, i); break;
	case START_FAILS: start_fails(w, i, e->event.code); break;
	case MAIN_DIES: main_dies(w, i, e->event.code); break;
	case EXTRA_DIES: extra_dies(w, i); break;
	case RELEASED:
		w->units[i].uninterruptible = false;
		main_dies(w, i, SIGKILL);
		break;
	case REQUEST: request(w); break;
	case FAULT: fault(w); break;
	case RELOAD_UNITS: reload_units(w); break;
	case REVIVE: revive(w); break;
	case SHUT_DOWN: shut_down(w); break;
	case INTENT_SAVED: intent_saved(w, &e->event); break;
	}
}

/* The world's next event or the core's next deadline, whichever is first; timers may be late. */
static bool advance(struct world *w)
{
	uint64_t world = next_at(w), core = sup_next_deadline(w->sup);

	if (world == UINT64_MAX && core == SUP_NEVER)
		return false;
	if (core < world) {
		w->now = core > w->now ? core : w->now;
		if (!w->calm && percent(w, 5))
			w->now += below(w, 50) * MS;
		send(w, (struct event){.kind = EVENT_TIMER, .unit = SUP_NONE});
	} else {
		struct world_event e = take_next(w);

		w->now = e.at > w->now ? e.at : w->now;
		happen(w, &e);
	}
	return true;
}

static void plan_life(struct world *w)
{
	plan(w, below(w, 5) * S, SEND, 0,
	     (struct event){.kind = EVENT_NETWORK, .unit = SUP_NONE, .code = percent(w, 10)});
	for (uint64_t i = below(w, 25); i; i--)
		plan(w, below(w, 60) * S + below(w, 1000) * MS, REQUEST, 0, (struct event){0});
	for (uint64_t i = below(w, 6); i; i--)
		plan(w, below(w, 60) * S + below(w, 1000) * MS, FAULT, 0, (struct event){0});
	if (percent(w, 15))
		plan(w, below(w, 60) * S, RELOAD_UNITS, 0, (struct event){0});
	for (uint64_t i = below(w, 3); i; i--)
		plan(w, below(w, 60) * S, REVIVE, 0, (struct event){0});
	plan(w, below(w, 90) * S, SHUT_DOWN, 0, (struct event){0});
}

static void print_units(const struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		fprintf(w->trace, "%s kind %d%s%s:", w->names[i], w->configs[i].kind,
			w->configs[i].disabled ? " disabled" : "",
			w->configs[i].refused ? " refused" : "");
		for (size_t k = 0; k < w->configs[i].n_edges; k++)
			fprintf(w->trace, " %d:%s", w->edges[i][k].kind,
				w->names[w->edges[i][k].to]);
		fprintf(w->trace, " type %d restart %d\n", w->policies[i].type,
			w->policies[i].restart);
	}
}

bool world_run(struct world *w, uint64_t seed, FILE *trace)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->rng = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	w->trace = trace;
	w->now = 1000 * S;
	for (int i = 0; i < 8; i++)
		chance(w);
	make_units(w);
	for (uint32_t i = 0; i < w->n; i++)
		w->units[i].life = 1; /* 0 is for events of no unit */
	if (trace)
		print_units(w);
	w->sup = sup_new(NULL);
	if (!w->sup || sup_load(w->sup, w->configs, w->n, false, NULL)) {
		world_break(w, "sup_load failed");
		return false;
	}
	for (uint32_t i = 0; i < w->n; i++)
		w->ids[i] = sup_find(w->sup, w->names[i]);
	step(w, NULL);
	plan_life(w);
	pulled(w, w->n - 1);
	send(w, (struct event){.kind = EVENT_START, .unit = w->n - 1});
	for (int i = 0; i < 20000 && !*w->broken && !w->over && advance(w); i++)
		;
	if (!*w->broken && !w->over)
		world_break(w, "shutdown did not end");
	w->sup = sup_free(w->sup);
	return !*w->broken;
}
