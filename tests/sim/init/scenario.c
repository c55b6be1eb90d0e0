/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/init/scenario.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/sup.h"

#define UNITS 16
#define EDGES 16
#define WORDS 24

struct scene {
	struct sup *sup;
	uint64_t now;
	bool loaded;
	struct sup_unit_config configs[UNITS];
	struct unit_policy policies[UNITS];
	struct sup_edge edges[UNITS][EDGES];
	char *names[UNITS];
	size_t n;
	struct buf *out;
	const char *why;
};

/* --- words ------------------------------------------------------------------------------------ */

static const char *const signal_names[] = {
	[SIGHUP] = "HUP",   [SIGINT] = "INT",   [SIGABRT] = "ABRT", [SIGKILL] = "KILL",
	[SIGSEGV] = "SEGV", [SIGPIPE] = "PIPE", [SIGTERM] = "TERM",
};

static int signal_of(const char *word)
{
	for (size_t i = 1; i < sizeof(signal_names) / sizeof(*signal_names); i++)
		if (signal_names[i] && !strcmp(signal_names[i], word))
			return (int)i;
	return 0;
}

/* "3", or "KILL", or "SEGV+core": a wait status. */
static int status_of(const char *word)
{
	char name[16] = "";

	if (*word >= '0' && *word <= '9')
		return atoi(word) << 8;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "+"), word);
	return signal_of(name) | (strchr(word, '+') ? 0x80 : 0);
}

static uint64_t usec_of(const char *word)
{
	char *end;
	uint64_t n = strtoull(word, &end, 10);

	if (!strcmp(word, "infinity"))
		return POLICY_INFINITY;
	return n * (!strcmp(end, "ms")    ? 1000
		    : !strcmp(end, "us")  ? 1
		    : !strcmp(end, "min") ? 60000000
		    : !strcmp(end, "h")   ? 3600000000ull
					  : 1000000);
}

static size_t index_of(const struct scene *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->names[i], name))
			return i;
	return UNITS;
}

static int word_in(const char *word, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], word))
			return i;
	return -1;
}

/* --- units ------------------------------------------------------------------------------------ */

enum setting {
	SET_USEC,
	SET_NUMBER,
	SET_RESTART,
	SET_TYPE,
	SET_OOM,
	SET_UNHEALTHY,
	SET_EXITS,
	SET_PROBE,
	SET_FLAG,
	SET_POLICY_FLAG,
	SET_ACTION,
};

static const struct {
	const char *key;
	enum setting kind;
	size_t offset; /* in the policy, or (FLAG) in the configuration */
} settings[] = {
	{"restart", SET_RESTART, offsetof(struct unit_policy, restart)},
	{"type", SET_TYPE, 0},
	{"restart_sec", SET_USEC, offsetof(struct unit_policy, restart_usec)},
	{"restart_direct", SET_POLICY_FLAG, offsetof(struct unit_policy, restart_direct)},
	{"restart_steps", SET_NUMBER, offsetof(struct unit_policy, restart_steps)},
	{"restart_max_delay", SET_USEC, offsetof(struct unit_policy, restart_max_delay_usec)},
	{"start_limit_burst", SET_NUMBER, offsetof(struct unit_policy, start_limit_burst)},
	{"start_limit_action", SET_ACTION, offsetof(struct unit_policy, start_limit_action)},
	{"failure_action", SET_ACTION, offsetof(struct unit_policy, failure_action)},
	{"success_action", SET_ACTION, offsetof(struct unit_policy, success_action)},
	{"start_timeout", SET_USEC, offsetof(struct unit_policy, start_timeout_usec)},
	{"stop_timeout", SET_USEC, offsetof(struct unit_policy, stop_timeout_usec)},
	{"watchdog", SET_USEC, offsetof(struct unit_policy, watchdog_usec)},
	{"abort_timeout", SET_USEC, offsetof(struct unit_policy, abort_timeout_usec)},
	{"runtime_max", SET_USEC, offsetof(struct unit_policy, runtime_max_usec)},
	{"oom", SET_OOM, offsetof(struct unit_policy, oom)},
	{"on_unhealthy", SET_UNHEALTHY, offsetof(struct unit_policy, on_unhealthy)},
	{"success", SET_EXITS, offsetof(struct unit_policy, success)},
	{"prevent", SET_EXITS, offsetof(struct unit_policy, restart_prevent)},
	{"force", SET_EXITS, offsetof(struct unit_policy, restart_force)},
	{"health", SET_PROBE, offsetof(struct unit_policy, health)},
	{"startup", SET_PROBE, offsetof(struct unit_policy, startup)},
	{"pre", SET_FLAG, offsetof(struct sup_unit_config, pre)},
	{"post", SET_FLAG, offsetof(struct sup_unit_config, post)},
	{"stop_cmd", SET_FLAG, offsetof(struct sup_unit_config, stop_cmd)},
	{"stop_post", SET_FLAG, offsetof(struct sup_unit_config, stop_post)},
	{"reload", SET_FLAG, offsetof(struct sup_unit_config, reload)},
	{"disabled", SET_FLAG, offsetof(struct sup_unit_config, disabled)},
};

static const char *const restart_words[] = {
	"no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"};
static const char *const oom_words[] = {"stop", "continue", "kill"};
static const char *const unhealthy_words[] = {"none", "kill", "restart", "stop"};
static const char *const action_words[] = {
	"none",     "reboot",         "reboot-force",      "reboot-immediate",
	"poweroff", "poweroff-force", "poweroff-immediate"};
static const char *const dep_words[DEP__N] = {
	[DEP_REQUIRES] = "requires",
	[DEP_REQUISITE] = "requisite",
	[DEP_WANTS] = "wants",
	[DEP_BINDS_TO] = "binds_to",
	[DEP_PART_OF] = "part_of",
	[DEP_UPHOLDS] = "upholds",
	[DEP_CONFLICTS] = "conflicts",
	[DEP_AFTER] = "after",
	[DEP_BEFORE] = "before",
	[DEP_ON_FAILURE] = "on_failure",
	[DEP_ON_SUCCESS] = "on_success",
	[DEP_RELOAD_TO] = "reload_to",
	[DEP_RELOAD_FROM] = "reload_from",
};

/* simple, exec, notify, healthy, oneshot, remain */
static void set_type(struct unit_policy *p, const char *word)
{
	p->type = POLICY_TYPE_NOTIFY;
	if (!strcmp(word, "simple"))
		p->type = POLICY_TYPE_SIMPLE, p->ready = POLICY_READY_NOW;
	else if (!strcmp(word, "notify"))
		p->ready = POLICY_READY_NOTIFY;
	else if (!strcmp(word, "healthy"))
		p->ready = POLICY_READY_HEALTHY;
	else if (!strcmp(word, "oneshot") || !strcmp(word, "remain"))
		p->type = POLICY_TYPE_ONESHOT, p->ready = POLICY_READY_EXIT;
	p->remain_after_exit = !strcmp(word, "remain");
}

/* "interval/timeout/retries[/start period]" */
static void set_probe(struct policy_probe *probe, char *word)
{
	char *interval = strsep(&word, "/"), *timeout = strsep(&word, "/"),
	     *retries = strsep(&word, "/");

	probe->on = true;
	probe->successes = 1;
	probe->interval_usec = usec_of(interval);
	probe->timeout_usec = timeout ? usec_of(timeout) : 30000000;
	probe->retries = retries ? (uint32_t)atoi(retries) : 3;
	probe->start_period_usec = word ? usec_of(word) : 0;
}

static void set_exits(struct policy_exits *set, const char *word)
{
	int code = atoi(word);

	if (signal_of(word))
		set->signals |= 1ull << signal_of(word);
	else
		set->codes[code / 64 & 3] |= 1ull << code % 64;
}

static bool set(struct scene *s, size_t i, const char *key, char *value)
{
	if (!strcmp(key, "pinned")) { /* another number: another network, other ids */
		s->configs[i].pinned = (uint64_t)atoi(value);
		return true;
	}
	for (size_t k = 0; k < sizeof(settings) / sizeof(*settings); k++) {
		char *at = (char *)&s->policies[i] + settings[k].offset;

		if (strcmp(settings[k].key, key))
			continue;
		switch (settings[k].kind) {
		case SET_USEC: *(uint64_t *)at = usec_of(value); break;
		case SET_NUMBER: *(uint32_t *)at = (uint32_t)atoi(value); break;
		case SET_RESTART: *(int *)at = word_in(value, restart_words, 7); break;
		case SET_TYPE: set_type(&s->policies[i], value); break;
		case SET_OOM: *(int *)at = word_in(value, oom_words, 3); break;
		case SET_UNHEALTHY: *(int *)at = word_in(value, unhealthy_words, 4); break;
		case SET_ACTION: *(int *)at = word_in(value, action_words, 7); break;
		case SET_EXITS: set_exits((struct policy_exits *)at, value); break;
		case SET_PROBE: set_probe((struct policy_probe *)at, value); break;
		case SET_POLICY_FLAG: *(bool *)at = true; break;
		case SET_FLAG: *(bool *)((char *)&s->configs[i] + settings[k].offset) = true; break;
		}
		if (!strcmp(key, "restart_sec"))
			s->policies[i].restart_doubles = false;
		return true;
	}
	return false;
}

static bool add_edges(struct scene *s, size_t i, enum dep_kind kind, char *names)
{
	char *name;

	while ((name = strsep(&names, ","))) {
		size_t to = index_of(s, name);

		if (to == UNITS || s->configs[i].n_edges == EDGES)
			return false;
		s->edges[i][s->configs[i].n_edges++] = (struct sup_edge){kind, (uint32_t)to};
	}
	return true;
}

static enum unit_kind kind_of(const char *name)
{
	static const char *const suffixes[UNIT_KIND__N] = {
		[UNIT_CONTAINER] = "container", [UNIT_VOLUME] = "volume",
		[UNIT_NETWORK] = "network",     [UNIT_POD] = "pod",
		[UNIT_IMAGE] = "image",         [UNIT_SERVICE] = "service",
		[UNIT_TARGET] = "target",
	};
	const char *dot = strrchr(name, '.');
	int kind = dot ? word_in(dot + 1, suffixes, UNIT_KIND__N) : -1;

	return kind < 0 ? UNIT_SERVICE : (enum unit_kind)kind;
}

static void new_unit(struct scene *s, size_t i, const char *name)
{
	free(s->names[i]); /* of one that was removed */
	s->names[i] = strdup(name);
	s->policies[i] = (struct unit_policy){
		.type = POLICY_TYPE_NOTIFY,
		.ready = POLICY_READY_EXEC,
		.restart_doubles = true,
		.restart_usec = 100000,
		.restart_max_delay_usec = 60000000,
		.restart_reset_usec = 10000000,
		.start_limit_interval_usec = 10000000,
		.start_timeout_usec = 90000000,
		.stop_timeout_usec = 10000000,
		.oom = POLICY_OOM_KILL,
	};
	s->configs[i] = (struct sup_unit_config){.name = s->names[i],
						 .kind = kind_of(name),
						 .policy = &s->policies[i],
						 .edges = s->edges[i],
						 .hash = 1,
						 .pinned = 1};
}

/* A unit that is there already is changed: what is not said again stays. */
static bool do_unit(struct scene *s, char **words, size_t n)
{
	size_t i = n > 1 ? index_of(s, words[1]) : UNITS;

	if (n < 2 || (i == UNITS && s->n == UNITS))
		return false;
	if (i == UNITS)
		new_unit(s, i = s->n++, words[1]);
	else
		s->configs[i].hash++;
	for (size_t k = 2; k < n; k++) {
		char *value = words[k], *key = strsep(&value, "=");
		int kind = word_in(key, dep_words, DEP__N);

		if (kind >= 0 ? !value || !add_edges(s, i, (enum dep_kind)kind, value)
			      : !set(s, i, key, value ? value : ""))
			return false;
	}
	return true;
}

/* --- what comes out --------------------------------------------------------------------------- */

static const char *name_of(const struct scene *s, uint32_t id)
{
	struct sup_unit_info info;

	if (sup_unit_info(s->sup, id, &info))
		return info.name;
	return id < UNITS && s->names[id] ? s->names[id] : "-"; /* forgotten in this step */
}

static void print_action(struct scene *s, const struct action *a)
{
	static const char *const steps[] = {"begun", "waiting", "killing", "down"};

	buf_str(s->out, "  ");
	switch (a->kind) {
	case ACTION_STATE:
		buf_fmt(s->out, "%s: %s -> %s (%s)", name_of(s, a->unit), sup_state_names[a->from],
			sup_state_names[a->to], a->text);
		if (a->to == SUP_FAILED || a->to == SUP_BACKOFF)
			buf_fmt(s->out, " %s", sup_result_names[a->result]);
		break;
	case ACTION_REPLY: buf_fmt(s->out, "reply %u: %d %s", a->token, a->code, a->text); break;
	case ACTION_LOG: buf_fmt(s->out, "log: %s", a->text); break;
	case ACTION_SHUTDOWN: buf_fmt(s->out, "shutdown: %s", steps[a->code]); break;
	case ACTION_RUN_HELPER:
		buf_fmt(s->out, "%s: run %s", name_of(s, a->unit), sup_helper_names[a->code]);
		break;
	case ACTION_SIGNAL_MAIN:
		buf_fmt(s->out, "%s: signal %s", name_of(s, a->unit),
			a->code ? signal_names[a->code] : "stop");
		break;
	case ACTION_SAVE_INTENT:
		buf_fmt(s->out, "%s: save %s", name_of(s, a->unit),
			a->code ? "enabled" : "disabled");
		break;
	default: buf_fmt(s->out, "%s: %s", name_of(s, a->unit), action_names[a->kind]); break;
	}
	buf_chr(s->out, '\n');
}

static void step(struct scene *s, const struct event *e)
{
	bool more = true;

	for (int i = 0; more && i < 100; i++) {
		const struct action *a;
		size_t n;

		more = sup_step(s->sup, i ? NULL : e, s->now);
		a = sup_actions(s->sup, &n);
		for (size_t k = 0; k < n; k++)
			print_action(s, &a[k]);
	}
}

/* The deadlines on the way print the time that has passed. */
static void wait_until(struct scene *s, uint64_t end)
{
	uint64_t begin = s->now;

	while (sup_next_deadline(s->sup) <= end) {
		size_t before = s->out->len;
		struct buf later = {0}, *out = s->out;

		if (sup_next_deadline(s->sup) > s->now)
			s->now = sup_next_deadline(s->sup);
		s->out = &later;
		step(s, &(struct event){.kind = EVENT_TIMER, .now = s->now, .unit = SUP_NONE});
		s->out = out;
		if (later.len)
			buf_fmt(out, "  +%.3f s\n", (double)(s->now - begin) / 1e9);
		buf_add(out, later.data ? later.data : "", later.len);
		buf_done(&later);
		if (out->len - before > 20000)
			return; /* a loop: the text will not be the expected one */
	}
	s->now = end;
}

/* --- commands --------------------------------------------------------------------------------- */

static void send(struct scene *s, struct event e)
{
	e.now = s->now;
	step(s, &e);
}

static uint32_t id_of(struct scene *s, const char *name)
{
	uint32_t id = sup_find(s->sup, name);

	if (id == SUP_NONE)
		s->why = "no such unit";
	return id;
}

static bool do_load(struct scene *s, char **words, size_t n)
{
	bool keep = n > 1 && !strcmp(words[1], "keep");

	if (sup_load(s->sup, s->configs, s->n, keep, NULL))
		return false;
	s->loaded = true;
	step(s, NULL);
	return true;
}

/* remove UNIT: out of the configuration, which must be the last one added */
static bool do_remove(struct scene *s, char **words, size_t n)
{
	if (n != 2 || !s->n || strcmp(s->names[s->n - 1], words[1]))
		return false;
	s->n--; /* the name is still needed for what is told of it */
	return true;
}

static bool do_wait(struct scene *s, char **words, size_t n)
{
	if (n != 2)
		return false;
	wait_until(s, s->now + usec_of(words[1]) * 1000);
	return true;
}

/* Nobody was there: the clock jumps, then the timer fires. */
static bool do_sleep(struct scene *s, char **words, size_t n)
{
	if (n != 2)
		return false;
	s->now += usec_of(words[1]) * 1000;
	send(s, (struct event){.kind = EVENT_TIMER, .unit = SUP_NONE});
	return true;
}

static bool do_revive(struct scene *s, char **words, size_t n)
{
	struct buf state = {0};
	struct sup *next = sup_new(NULL);

	(void)words;
	(void)n;
	sup_encode(s->sup, &state);
	if (!next || sup_load(next, s->configs, s->n, false, NULL) ||
	    sup_decode(next, state.data, state.len, NULL))
		return false;
	sup_free(s->sup);
	s->sup = next;
	buf_done(&state);
	step(s, NULL);
	return true;
}

static bool do_shutdown(struct scene *s, char **words, size_t n)
{
	int kind = n > 1 ? word_in(words[1], sup_shutdown_names, SUP_SHUTDOWN__N) : -1;

	send(s, (struct event){.kind = EVENT_SHUTDOWN,
			       .unit = SUP_NONE,
			       .code = kind,
			       .flag = n > 2 && !strcmp(words[2], "now")});
	return kind > 0;
}

static bool do_network(struct scene *s, char **words, size_t n)
{
	send(s, (struct event){.kind = EVENT_NETWORK,
			       .unit = SUP_NONE,
			       .code = n > 1 ? atoi(words[1]) : 0,
			       .text = "nft: syntax error"});
	return true;
}

/* run UNIT: clone and exec it */
static bool do_run(struct scene *s, char **words, size_t n)
{
	uint32_t id = n == 2 ? id_of(s, words[1]) : SUP_NONE;

	send(s, (struct event){.kind = EVENT_CLONED, .unit = id, .code = 100});
	send(s, (struct event){.kind = EVENT_EXECED, .unit = id});
	return n == 2;
}

/* exit UNIT STATUS [oom]: and its cgroup is empty */
static bool do_exit(struct scene *s, char **words, size_t n)
{
	uint32_t id = n > 2 ? id_of(s, words[1]) : SUP_NONE;

	if (n < 3)
		return false;
	send(s,
	     (struct event){
		     .kind = EVENT_EXITED, .unit = id, .code = status_of(words[2]), .flag = n > 3});
	send(s, (struct event){.kind = EVENT_CGROUP_EMPTY, .unit = id});
	return true;
}

/* exited UNIT STATUS: with processes left */
static bool do_exited(struct scene *s, char **words, size_t n)
{
	if (n != 3)
		return false;
	send(s, (struct event){.kind = EVENT_EXITED,
			       .unit = id_of(s, words[1]),
			       .code = status_of(words[2])});
	return true;
}

/* start-failed UNIT STEP ERRNO */
static bool do_start_failed(struct scene *s, char **words, size_t n)
{
	if (n != 4)
		return false;
	send(s, (struct event){.kind = EVENT_START_FAILED,
			       .unit = id_of(s, words[1]),
			       .step = words[2],
			       .code = atoi(words[3]),
			       .text = "it does not work"});
	return true;
}

static bool do_status(struct scene *s, char **words, size_t n)
{
	struct sup_unit_info u;
	uint32_t ids[UNITS];
	size_t waits;

	if (n != 2 || !sup_unit_info(s->sup, id_of(s, words[1]), &u))
		return false;
	buf_fmt(s->out, "  %s is %s, wanted %s, last result %s, restarts %u", u.name,
		sup_state_names[u.state], sup_want_names[u.want], sup_result_names[u.result],
		u.restarts);
	if (*u.step)
		buf_fmt(s->out, ", failed at %s (errno %d): %s", u.step, u.error, u.text);
	if (u.state == SUP_BACKOFF)
		buf_fmt(s->out, ", next start in %.3f s", (double)(u.deadline - s->now) / 1e9);
	if (u.health)
		buf_fmt(s->out, ", %s", sup_health_names[u.health]);
	waits = sup_waits_for(s->sup, sup_find(s->sup, words[1]), ids, UNITS);
	for (size_t i = 0; i < waits; i++)
		buf_fmt(s->out, "%s %s", i ? "," : ", waits for", name_of(s, ids[i]));
	buf_chr(s->out, '\n');
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct scene *s, char **words, size_t n);
} commands[] = {
	{"unit", do_unit},         {"load", do_load},       {"remove", do_remove},
	{"wait", do_wait},         {"sleep", do_sleep},     {"revive", do_revive},
	{"shutdown", do_shutdown}, {"network", do_network}, {"run", do_run},
	{"exit", do_exit},         {"exited", do_exited},   {"start-failed", do_start_failed},
	{"status", do_status},
};

/* Everything else is an event's name: EVENT UNIT [CODE|SIGNAL] [token=N] */
static bool do_event(struct scene *s, char **words, size_t n)
{
	int kind = word_in(words[0], event_names, EVENT_KIND__N);
	struct event e = {.kind = (enum event_kind)kind, .text = "text"};

	if (kind <= 0 || n < 2)
		return false;
	e.unit = id_of(s, words[1]);
	for (size_t i = 2; i < n; i++) {
		if (!strncmp(words[i], "token=", 6))
			e.token = (uint32_t)atoi(words[i] + 6);
		else if (!strcmp(words[i], "populated"))
			e.flag = true;
		else if (kind == EVENT_NOTIFY_EXTEND)
			e.nsec = usec_of(words[i]) * 1000;
		else
			e.code = signal_of(words[i]) ? signal_of(words[i]) : atoi(words[i]);
	}
	send(s, e);
	return true;
}

static bool command(struct scene *s, char *line)
{
	char *words[WORDS], *word;
	size_t n = 0;

	while (n < WORDS && (word = strsep(&line, " ")))
		if (*word)
			words[n++] = word;
	if (!n)
		return false;
	if (!s->loaded && strcmp(words[0], "unit") && strcmp(words[0], "load"))
		do_load(s, words, 1);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, words[0]))
			return commands[i].run(s, words, n) && !s->why;
	return do_event(s, words, n) && !s->why;
}

int scenario_run(const char *text, struct buf *out, int *ret_line, const char **ret_why)
{
	struct scene s = {.sup = sup_new(NULL), .now = 1000ull * 1000000000, .out = out};
	char *copy = strdup(text), *at = copy, *line;
	int r = 0;

	*ret_line = 0;
	while (!r && (line = strsep(&at, "\n"))) {
		++*ret_line;
		if (line[0] == ' ' || (!*line && !at))
			continue; /* made anew; the end of the text */
		buf_fmt(out, "%s\n", line);
		if (line[0] == '>' && !command(&s, line + 1)) {
			*ret_why = s.why ? s.why : "not understood";
			r = -EINVAL;
		}
	}
	for (size_t i = 0; i < UNITS; i++)
		free(s.names[i]);
	free(copy);
	sup_free(s.sup);
	return r;
}
