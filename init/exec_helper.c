/* SPDX-License-Identifier: Apache-2.0 */
/* What runs beside a main process: the command lists of [Service], conditions, and the end of a unit's network. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "init/boot_network.h"
#include "init/condition.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/vault.h"

/* Together less than what the supervisor gives them (sup_limits.cleanup_nsec). */
#define NET_DOWN_TIME (10 * NSEC_PER_SEC)
#define CLEAN_TIME    (8 * NSEC_PER_SEC)

static void done(struct run *r, uint32_t unit, int code, const char *text)
{
	if (r)
		r->which = SUP_HELPER_NONE;
	shell_push(&(struct event){
		.kind = EVENT_HELPER_DONE,
		.unit = unit,
		.code = code,
		.text = text,
		.flag = r && run_cgroup_populated(r),
	});
}

/* --- command lists ---------------------------------------------------------------------------- */

static const size_t lists[SUP_HELPER__N] = {
	[SUP_HELPER_PRE] = offsetof(struct unit_service, exec_start_pre),
	[SUP_HELPER_POST] = offsetof(struct unit_service, exec_start_post),
	[SUP_HELPER_STOP] = offsetof(struct unit_service, exec_stop),
	[SUP_HELPER_RELOAD] = offsetof(struct unit_service, exec_reload),
	[SUP_HELPER_STOP_POST] = offsetof(struct unit_service, exec_stop_post),
};

static const struct command_list *list_of(const struct unit *u, enum sup_helper which)
{
	return (const struct command_list *)((const char *)u->exec + lists[which]);
}

static void run_next(struct run *r);
static void conditions_looked_at(struct run *r, int code, int status);

/* r->helper_at while the conditions are looked at, which comes before the first command. */
#define AT_CONDITIONS SIZE_MAX

void run_helper_ended(struct child *c, int code, int status)
{
	struct run *r = container_of(c, struct run, helper);
	const struct unit *u = shell_unit(r->unit);
	const struct command_list *list = u && u->exec && lists[r->which] ? list_of(u, r->which)
									  : NULL;
	bool may_fail = list && r->helper_at < list->n && list->items[r->helper_at].may_fail;

	if (r->helper_at == AT_CONDITIONS)
		conditions_looked_at(r, code, status);
	else if (code != CLD_EXITED)
		done(r, r->unit, 128 + status, "killed");
	else if (status != 0 && !may_fail)
		done(r, r->unit, status,
		     list && r->helper_at < list->n ? list->items[r->helper_at].argv[0] : "");
	else {
		r->helper_at++;
		run_next(r);
	}
}

/* Runs the next command of the list, or says that all are done. */
static void run_next(struct run *r)
{
	const struct unit *u = shell_unit(r->unit);
	const struct command_list *list = u && u->exec ? list_of(u, r->which) : NULL;
	struct fail f = {0};
	int pidfd;
	pid_t pid;

	if (!list || r->helper_at >= list->n) {
		done(r, r->unit, 0, NULL);
		return;
	}
	pid = run_command(r, u, &list->items[r->helper_at], &pidfd, &f);
	if (pid < 0)
		done(r, r->unit, 203, f.text);
	else
		children_add(&r->helper, pid, pidfd, run_helper_ended);
}

static void run_list(struct run *r, const struct unit *u)
{
	bool alone = r->which == SUP_HELPER_PRE || r->which == SUP_HELPER_STOP_POST;
	struct fail f = {0};

	r->helper_at = 0;
	/* before and after the main process the cgroup is nobody else's, and may have been killed */
	if (alone && list_of(u, r->which)->n && run_cgroup_fresh(r, &f) < 0)
		done(r, r->unit, 203, f.text);
	else
		run_next(r);
}

static void conditions_looked_at(struct run *r, int code, int status)
{
	const struct unit *u = shell_unit(r->unit);
	size_t failed = (size_t)(status - CONDITION_FAILED);
	char text[160] = "a condition";

	if (!u || !u->exec)
		done(r, r->unit, 1, "the unit's files are gone");
	else if (code != CLD_EXITED)
		done(r, r->unit, 128 + status, "killed while it looked at conditions");
	else if (status == 0)
		run_list(r, u);
	else if (status < CONDITION_FAILED)
		done(r, r->unit, status, "conditions");
	else {
		if (status < CONDITION_LAST && failed < u->n_conditions)
			condition_text(&u->conditions[failed], text, sizeof(text) - 20);
		strncat(text, " does not hold", sizeof(text) - strlen(text) - 1);
		done(r, r->unit, SUP_SKIP_CODE, text);
	}
}

static int look_at_conditions(struct run *r, const struct unit *u, struct fail *f)
{
	static const char *const argv[] = {PATH_INIT, "--aide", "conditions", NULL};
	_fd_
	int words = condition_pack(u, f);
	int e = words < 0 ? words : run_cgroup_fresh(r, f);
	struct spawn s = {.argv = argv, .fds = {-1, -1, -1, words}, .n_fds = 4};
	int pidfd;
	pid_t pid;

	if (e < 0)
		return e;
	s.cgroup = r->cgroup;
	pid = spawn(&s, &pidfd, f);
	if (pid < 0)
		return (int)pid;
	r->helper_at = AT_CONDITIONS;
	children_add(&r->helper, pid, pidfd, run_helper_ended);
	return 0;
}

static void run_pre(struct run *r, const struct unit *u)
{
	struct fail f = {0};

	if (!u->n_conditions)
		run_list(r, u);
	else if (look_at_conditions(r, u, &f) < 0)
		done(r, r->unit, 203, f.text);
}

/* ReloadCmd=, inside the container. */
static void reload_inside(struct run *r, const struct unit *u)
{
	struct fail f = {0};
	int pidfd;
	pid_t pid = run_inside(r, &u->container->reload_cmd, &pidfd, &f);

	r->helper_at = u->exec->exec_reload.n; /* the only one: nothing follows */
	if (pid < 0)
		done(r, r->unit, 203, f.text);
	else
		children_add(&r->helper, pid, pidfd, run_helper_ended);
}

static void run_reload(struct run *r, const struct unit *u)
{
	int e;

	if (u->container && u->container->reload_cmd.n) {
		reload_inside(r, u);
		return;
	}
	if (!u->policy.reload_signal) {
		run_list(r, u);
		return;
	}
	e = children_signal(&r->main, u->policy.reload_signal);
	done(r, r->unit, e < 0 ? 1 : 0, e < 0 ? strerror(-e) : NULL);
}

/* The end of a unit's network and of its disposable root: two tasks in turn. A second start may follow at
 * once, so both are over before the supervisor hears of it. */
static void root_is_gone(struct task *t, enum task_end end)
{
	struct run *r = container_of(t, struct run, net_down);

	if (end != TASK_OK)
		console_say("%s: what it wrote outside of volumes is removed later", r->name);
	done(r, r->unit, r->net_failed ? 1 : 0, r->net_failed ? "orlop-net down" : NULL);
}

static void net_is_down(struct task *t, enum task_end end)
{
	struct run *r = container_of(t, struct run, net_down);
	const char *const argv[] = {PATH_RUN, "clean", r->name, NULL};
	struct fail f = {0};

	/* the last process is gone: with these two the namespaces go as well */
	vault_close(r->netns);
	vault_close(r->userns);
	r->netns = r->userns = -1;
	r->net_failed = end != TASK_OK;
	if (task_start(t, "orlop-run", argv, NULL, 0, CLEAN_TIME, root_is_gone, &f) < 0) {
		console_say("%s: %s", r->name, f.text);
		root_is_gone(t, TASK_FAILED);
	}
}

static bool is_network(const struct run *r)
{
	struct sup_unit_info info;

	return sup_unit_info(shell_sup(), r->unit, &info) && info.kind == UNIT_NETWORK;
}

/* A network that comes or goes: all of them are set up together, one time after the other, so that an earlier wish
 * never comes after a later one; whoever waits hears of it together. */
static void run_networks(struct run *r, const struct unit *u)
{
	(void)r;
	(void)u;
	boot_network_again();
}

static bool waits_for_networks(const struct run *r)
{
	return r->which == SUP_HELPER_NET_UP || (r->which == SUP_HELPER_NET_DOWN && is_network(r));
}

void exec_network_over(bool ok)
{
	for (uint32_t i = 0; i < run_count(); i++) {
		struct run *r = run_find(i);

		if (r && waits_for_networks(r))
			done(r, i, ok ? 0 : 1, ok ? NULL : "orlop-net up");
	}
}

static void run_net_down(struct run *r, const struct unit *u)
{
	const char *const argv[] = {PATH_NET, "down", r->name, NULL};
	struct fail f = {0};

	if (is_network(r)) {
		run_networks(r, u);
		return;
	}
	if (task_start(&r->net_down, "orlop-net", argv, NULL, 0, NET_DOWN_TIME, net_is_down, &f) <
	    0) {
		console_say("%s: %s", r->name, f.text);
		net_is_down(&r->net_down, TASK_FAILED);
	}
}

static void (*const starts[SUP_HELPER__N])(struct run *, const struct unit *) = {
	[SUP_HELPER_PRE] = run_pre,         [SUP_HELPER_POST] = run_list,
	[SUP_HELPER_STOP] = run_list,       [SUP_HELPER_RELOAD] = run_reload,
	[SUP_HELPER_STOP_POST] = run_list,  [SUP_HELPER_NET_DOWN] = run_net_down,
	[SUP_HELPER_NET_UP] = run_networks,
};

void exec_run_helper(const struct action *a)
{
	const struct unit *u = shell_unit(a->unit);
	struct run *r = run_get(a->unit);
	bool needs_unit = a->code != SUP_HELPER_NET_DOWN && a->code != SUP_HELPER_NET_UP;

	if (!r || (needs_unit && (!u || !u->exec)) || !starts[a->code]) {
		done(r, a->unit, 1, "the unit's files are gone");
		return;
	}
	r->which = (enum sup_helper)a->code;
	starts[a->code](r, u);
}

void exec_kill_helper(const struct action *a)
{
	struct run *r = run_find(a->unit);

	if (!r)
		return;
	if (waits_for_networks(r)) /* the work goes on, for the others */
		done(r, a->unit, 1, "given up");
	children_signal(&r->helper, SIGKILL);
	children_signal(&r->net_down.child, SIGKILL);
}
