/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "init/addresses.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/verbs.h"
#include "units/unit_json.h"
#include "units/value.h"

/* Members of the published ports: ["8080->80/tcp"]. */
static void add_ports(struct json_out *j, const struct unit *u)
{
	if (!u || !u->container)
		return;
	json_array(j, "ports");
	for (size_t i = 0; i < u->container->n_ports; i++) {
		const struct unit_port *p = &u->container->ports[i];
		char text[96];

		snprintf(text, sizeof(text), "%s%s%u->%u/%s", p->ip ? p->ip : "", p->ip ? ":" : "",
			 p->host, p->container, p->protocol);
		json_str(j, NULL, text);
	}
	json_end(j);
}

static void add_address(struct json_out *j, const struct unit *u)
{
	char address[64];

	addresses_of(u, address, sizeof(address));
	if (address[0])
		json_str(j, "address", address);
}

/* One sentence that says why: what the supervisor was told, else what the state itself says. */
static void add_why(struct json_out *j, uint32_t id, const struct sup_unit_info *info)
{
	char text[400] = "";
	uint32_t waits[4];

	if (info->status[0])
		snprintf(text, sizeof(text), "%s", info->status);
	else if (info->refused)
		snprintf(text, sizeof(text), "%s", info->refused);
	else if (info->state == SUP_WAITING && sup_waits_for(shell_sup(), id, waits, 1)) {
		struct sup_unit_info other;

		if (sup_unit_info(shell_sup(), waits[0], &other))
			snprintf(text, sizeof(text), "waits for %s", other.name);
	} else if (info->state == SUP_FAILED || info->state == SUP_BACKOFF ||
		   info->result != SUP_SUCCESS)
		snprintf(text, sizeof(text), "%s%s%s%s%s", sup_result_names[info->result],
			 info->step[0] ? ": " : "", info->step, info->text[0] ? ": " : "",
			 info->text);
	if (text[0])
		json_str(j, "status", text);
}

static void add_common(struct json_out *j, const struct sup_unit_info *info)
{
	json_str(j, "unit", info->name);
	json_str(j, "state", sup_state_names[info->state]);
	json_int(j, "since_usec", wall_usec(info->since));
	if (info->pid)
		json_int(j, "pid", info->pid);
	if (info->health != SUP_HEALTH_NONE)
		json_str(j, "health", sup_health_names[info->health]);
}

static bool shown(const struct sup_unit_info *info, const struct unit *u, bool all)
{
	if (all)
		return true;
	/* what somebody wrote and can be seen to run or fail; targets and networks are means to that */
	if (info->kind != UNIT_CONTAINER && info->kind != UNIT_SERVICE && info->state != SUP_FAILED)
		return false;
	return info->state != SUP_DOWN || (u && u->state == UNIT_REJECTED);
}

void verb_ps(const struct request *r)
{
	bool all = r->argc > 1 && !strcmp(r->argv[1], "-a");

	for (uint32_t id = 0; id < sup_count(shell_sup()); id++) {
		const struct unit *u = shell_unit(id);
		struct sup_unit_info info;
		struct line l;

		if (!sup_unit_info(shell_sup(), id, &info) || !shown(&info, u, all))
			continue;
		line_begin(&l);
		add_common(&l.j, &info);
		json_int(&l.j, "restarts", info.restarts);
		add_address(&l.j, u);
		add_ports(&l.j, u);
		add_why(&l.j, id, &info);
		line_send(&l, &r->answer);
	}
	answer_end(&r->answer, EXIT_OK, NULL);
}

static void add_waits(struct json_out *j, uint32_t id)
{
	uint32_t waits[32];
	size_t n = sup_waits_for(shell_sup(), id, waits, ARRAY_LEN(waits));

	if (!n)
		return;
	json_array(j, "waits_for");
	for (size_t i = 0; i < n; i++) {
		struct sup_unit_info other;

		if (sup_unit_info(shell_sup(), waits[i], &other))
			json_str(j, NULL, other.name);
	}
	json_end(j);
}

/* How its last main process ended. */
static void add_exit(struct json_out *j, const struct sup_unit_info *info)
{
	if (!info->exited)
		return;
	if (WIFEXITED(info->wait_status))
		json_int(j, "exit_code", WEXITSTATUS(info->wait_status));
	else
		json_str(j, "signal", value_signal_name(WTERMSIG(info->wait_status)));
	if (info->oom)
		json_bool(j, "oom", true);
}

/* What its files have wrong, each with its place. */
static void add_problems(struct json_out *j, const struct unit *u)
{
	if (!u || !u->n_diags)
		return;
	json_array(j, "problems");
	for (size_t i = 0; i < u->n_diags; i++) {
		char text[600];

		shell_diag_line(u->diags[i], text, sizeof(text));
		json_str(j, NULL, text);
	}
	json_end(j);
}

static void unit_status(const struct answer *a, uint32_t id)
{
	const struct unit *u = shell_unit(id);
	uint64_t now = loop_now();
	struct sup_unit_info info;
	struct line l;

	if (!sup_unit_info(shell_sup(), id, &info))
		return;
	line_begin(&l);
	add_common(&l.j, &info);
	if (run_find(id) && run_cgroup_frozen(run_find(id)))
		json_bool(&l.j, "paused", true);
	if (u && u->description.value)
		json_str(&l.j, "description", u->description.value);
	json_str(&l.j, "wanted", sup_want_names[info.want]);
	json_str(&l.j, "result", sup_result_names[info.result]);
	if (info.step[0])
		json_str(&l.j, "step", info.step);
	if (info.error)
		json_str(&l.j, "errno", strerrorname_np(info.error));
	if (info.text[0])
		json_str(&l.j, "text", info.text);
	if (info.refused)
		json_str(&l.j, "refused", info.refused);
	add_problems(&l.j, u);
	add_exit(&l.j, &info);
	json_int(&l.j, "restarts", info.restarts);
	if (info.state == SUP_BACKOFF && info.deadline != SUP_NEVER)
		json_int(&l.j, "next_start_usec",
			 info.deadline > now ? (int64_t)(info.deadline - now) / 1000 : 0);
	add_waits(&l.j, id);
	if (info.status[0])
		json_str(&l.j, "status", info.status);
	json_bool(&l.j, "enabled", !info.disabled);
	add_address(&l.j, u);
	add_ports(&l.j, u);
	if (u && u->container && u->container->image.value)
		json_str(&l.j, "image", u->container->image.value);
	if (u && u->n_sources) {
		json_array(&l.j, "files");
		for (size_t i = 0; i < u->n_sources; i++)
			json_str(&l.j, NULL, u->sources[i]);
		json_end(&l.j);
	}
	line_send(&l, a);
}

/* Says that there is no such unit. */
static void no_such_unit(const struct answer *a, const char *name)
{
	char text[300];

	snprintf(text, sizeof(text), "there is no unit \"%.200s\"", name);
	answer_end(a, EXIT_NO_SUCH_UNIT, text);
}

void verb_status(const struct request *r)
{
	uint32_t id = r->argc > 1 ? shell_find(r->argv[1]) : SUP_NONE;
	struct sup_unit_info info;
	bool runs;

	if (r->argc == 1) {
		host_status(&r->answer);
		answer_end(&r->answer, EXIT_OK, NULL);
	} else if (id == SUP_NONE || !sup_unit_info(shell_sup(), id, &info)) {
		no_such_unit(&r->answer, r->argv[1]);
	} else {
		unit_status(&r->answer, id);
		runs = info.state == SUP_UP || info.state == SUP_DONE;
		answer_end(&r->answer, runs ? EXIT_OK : EXIT_NOT_RUNNING, NULL);
	}
}

/* How a unit is, then what its files say; what is no unit may be an image. */
void verb_inspect(const struct request *r)
{
	uint32_t id = shell_find(r->argv[1]);
	const struct unit *u = id == SUP_NONE ? NULL : shell_unit(id);
	_buf_ struct buf definition = {0};
	struct json_out j;

	if (!u) {
		inspect_image(r);
		return;
	}
	unit_status(&r->answer, id);
	json_init(&j, &definition);
	unit_json(&j, u);
	if (definition.len <= LIMIT_FRAME)
		answer_line(&r->answer, &definition);
	answer_end(&r->answer, EXIT_OK,
		   definition.len <= LIMIT_FRAME ? NULL : "its definition is too long: orlop show");
}

void verb_ports(const struct request *r)
{
	for (uint32_t id = 0; id < sup_count(shell_sup()); id++) {
		const struct unit *u = shell_unit(id);
		struct sup_unit_info info;

		if (!u || !u->container || !sup_unit_info(shell_sup(), id, &info) || !info.pid)
			continue;
		for (size_t i = 0; i < u->container->n_ports; i++) {
			const struct unit_port *p = &u->container->ports[i];
			struct line l;

			line_begin(&l);
			json_int(&l.j, "host_port", p->host);
			json_str(&l.j, "protocol", p->protocol);
			json_str(&l.j, "host_address", p->ip ? p->ip : "*");
			json_str(&l.j, "unit", u->name);
			json_int(&l.j, "container_port", p->container);
			line_send(&l, &r->answer);
		}
	}
	answer_end(&r->answer, EXIT_OK, NULL);
}

/* All units must exist, or nothing is done. First word to look at is `first`. */
static bool find_all(const struct request *r, size_t first, uint32_t *ids)
{
	for (size_t i = first; i < r->argc; i++) {
		ids[i] = shell_find(r->argv[i]);
		if (ids[i] == SUP_NONE) {
			no_such_unit(&r->answer, r->argv[i]);
			return false;
		}
	}
	return true;
}

/* An event for each unit, whose answers come by token. */
static void ask(const struct request *r, size_t first, enum event_kind kind, int code)
{
	uint32_t ids[VERB_WORDS_MAX], tokens[VERB_WORDS_MAX];

	if (!find_all(r, first, ids))
		return;
	for (size_t i = first; i < r->argc; i++) {
		tokens[i] = answer_defer(&r->answer, ids[i]);
		if (!tokens[i]) {
			while (i-- > first) {
				struct answer ignored;
				uint32_t unit;
				int ended;

				answer_resume(tokens[i], 0, &ignored, &unit, &ended);
			}
			answer_end(&r->answer, EXIT_ERROR, "too many requests are waiting");
			return;
		}
	}
	for (size_t i = first; i < r->argc; i++)
		shell_push(&(struct event){
			.kind = kind, .unit = ids[i], .token = tokens[i], .code = code});
}

void verb_change(const struct request *r)
{
	static const struct {
		const char *verb;
		enum event_kind kind;
	} rows[] = {
		{"start", EVENT_START},     {"stop", EVENT_STOP},
		{"restart", EVENT_RESTART}, {"enable", EVENT_ENABLE},
		{"disable", EVENT_DISABLE}, {"reset-failed", EVENT_RESET_FAILED},
		{"reload", EVENT_RELOAD},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].verb, r->argv[0]))
			ask(r, 1, rows[i].kind, 0);
}

void verb_kill(const struct request *r)
{
	size_t first = 1;
	int sig = 9;

	if (!strcmp(r->argv[1], "-s")) {
		first = 3;
		if (r->argc < 4 || value_signal(r->argv[2], &sig)) {
			answer_end(&r->answer, EXIT_BAD_USAGE, "kill: -s SIGNAL UNIT...");
			return;
		}
	}
	ask(r, first, EVENT_KILL, sig);
}

void verb_pause(const struct request *r)
{
	uint32_t ids[VERB_WORDS_MAX];
	bool on = !strcmp(r->argv[0], "pause");
	int code = EXIT_OK;

	if (!find_all(r, 1, ids))
		return;
	for (size_t i = 1; i < r->argc; i++) {
		struct run *run = run_find(ids[i]);
		struct fail f = {0};
		struct line l;

		line_begin(&l);
		json_str(&l.j, "unit", shell_unit(ids[i]) ? shell_unit(ids[i])->name : r->argv[i]);
		if (!run || !run->main.pid) {
			json_str(&l.j, "error", "does not run");
			code = EXIT_NOT_RUNNING;
		} else if (run_cgroup_freeze(run, on, &f) < 0) {
			json_str(&l.j, "error", f.text);
			code = EXIT_ERROR;
		} else {
			json_str(&l.j, "state", on ? "paused" : "up");
		}
		line_send(&l, &r->answer);
	}
	answer_end(&r->answer, code, NULL);
}

void verb_reply(uint32_t token, int code, const char *text)
{
	struct sup_unit_info info;
	struct answer a;
	struct line l;
	uint32_t unit;
	int ended;

	if (!answer_resume(token, code, &a, &unit, &ended))
		return;
	line_begin(&l);
	if (sup_unit_info(shell_sup(), unit, &info)) {
		json_str(&l.j, "unit", info.name);
		json_str(&l.j, "state", sup_state_names[info.state]);
	}
	if (code)
		json_str(&l.j, "error", text);
	else if (text[0])
		json_str(&l.j, "text", text);
	line_send(&l, &a);
	if (ended >= 0)
		answer_end(&a, ended, NULL);
}
