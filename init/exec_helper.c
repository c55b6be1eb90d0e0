/* SPDX-License-Identifier: Apache-2.0 */
/* What runs beside a main process: the command lists of [Service], conditions, and the end of a unit's network. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "init/boot_jobs.h"
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

/* --- conditions ------------------------------------------------------------------------------- */

static bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool path_is(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static bool path_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool path_is_link(const char *path)
{
	return path_is(path, S_IFLNK);
}

static bool path_is_writable(const char *path)
{
	return access(path, W_OK) == 0;
}

static bool file_has_content(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool file_is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static bool directory_has_content(const char *path)
{
	_dir_ DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return true;
	return false;
}

static bool path_is_mount_point(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, 0, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static const struct {
	const char *check;
	bool (*holds)(const char *path);
} conditions[] = {
	{"ConditionPathExists", path_exists},
	{"ConditionPathIsDirectory", path_is_directory},
	{"ConditionPathIsSymbolicLink", path_is_link},
	{"ConditionPathIsMountPoint", path_is_mount_point},
	{"ConditionPathIsReadWrite", path_is_writable},
	{"ConditionDirectoryNotEmpty", directory_has_content},
	{"ConditionFileNotEmpty", file_has_content},
	{"ConditionFileIsExecutable", file_is_executable},
};

static bool holds(const struct unit_condition *c)
{
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (!strcmp(c->check, conditions[i].check))
			return conditions[i].holds(c->arg) != c->negate;
	return true; /* the reader of units warned about it */
}

/* The first condition that does not hold; of those with '|', all must fail for that. NULL: go on. */
static const struct unit_condition *fails(const struct unit *u)
{
	const struct unit_condition *or_failed = NULL;
	bool or_held = false;

	for (size_t i = 0; i < u->n_conditions; i++) {
		const struct unit_condition *c = &u->conditions[i];
		bool held = holds(c);

		if (!c->or_group && !held)
			return c;
		if (c->or_group) {
			or_held |= held;
			or_failed = c;
		}
	}
	return or_held ? NULL : or_failed;
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

void run_helper_ended(struct child *c, int code, int status)
{
	struct run *r = container_of(c, struct run, helper);
	const struct unit *u = shell_unit(r->unit);
	const struct command_list *list = u && u->exec && lists[r->which] ? list_of(u, r->which)
									  : NULL;
	bool may_fail = list && r->helper_at < list->n && list->items[r->helper_at].may_fail;

	if (code != CLD_EXITED)
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

static void run_pre(struct run *r, const struct unit *u)
{
	const struct unit_condition *c = fails(u);
	char text[160];

	if (!c) {
		run_list(r, u);
		return;
	}
	snprintf(text, sizeof(text), "%s=%s%s does not hold", c->check, c->negate ? "!" : "",
		 c->arg);
	done(r, r->unit, SUP_SKIP_CODE, text);
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
