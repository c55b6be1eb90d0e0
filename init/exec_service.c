/* SPDX-License-Identifier: Apache-2.0 */
/* What runs on the host itself: the main process of a .service, and every command of a command list. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/rlimit.h"
#include "base/spawn.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/logs.h"
#include "init/passwd.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/text.h"

#define ENV_FILE_MAX (64u << 10)

static const char *const host_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/orlop",
				       "HOME=/root", "TERM=linux"};

/* Adds NAME=value, in place of an earlier one of that name. */
static int env_set(struct strlist *env, const char *name, size_t name_len, const char *value)
{
	char *item = NULL;

	for (size_t i = 0; i < env->n; i++)
		if (!strncmp(env->items[i], name, name_len) && env->items[i][name_len] == '=') {
			if (asprintf(&item, "%.*s=%s", (int)name_len, name, value) < 0)
				return -ENOMEM;
			free(env->items[i]);
			env->items[i] = item;
			return 0;
		}
	if (asprintf(&item, "%.*s=%s", (int)name_len, name, value) < 0)
		return -ENOMEM;
	name_len = (size_t)strlist_add(env, item);
	free(item);
	return (int)name_len;
}

/* NAME=value lines; '#' and ';' begin comments, one pair of quotes around a value is taken off. */
static int env_file(struct strlist *env, const char *path, struct fail *f)
{
	bool optional = path[0] == '-';
	_free_
	char *text = NULL;
	char *rest, *line;
	size_t len;
	int e = io_read_file(AT_FDCWD, path + optional, ENV_FILE_MAX, &text, &len, f);

	if (e < 0)
		return optional ? 0 : e;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *value;

		line += strspn(line, " \t");
		value = strchr(line, '=');
		if (!value || value == line || line[0] == '#' || line[0] == ';')
			continue;
		*value++ = '\0';
		len = strlen(value);
		while (len &&
		       (value[len - 1] == ' ' || value[len - 1] == '\r' || value[len - 1] == '\t'))
			value[--len] = '\0';
		if (len >= 2 && (value[0] == '"' || value[0] == '\'') &&
		    value[len - 1] == value[0]) {
			value[len - 1] = '\0';
			value++;
		}
		if (env_set(env, line, strlen(line), value) < 0)
			return fail_set(f, ENOMEM, "environment");
	}
	return 0;
}

/* What PID 1 itself tells a process: where to report, how often, who the main process is. */
static int own_env(struct strlist *env, const struct unit *u, pid_t main, struct fail *f)
{
	char number[24];
	int e = 0;

	if (u->policy.ready == POLICY_READY_NOTIFY || u->policy.watchdog_usec)
		e = env_set(env, "NOTIFY_SOCKET", strlen("NOTIFY_SOCKET"), PATH_NOTIFY);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)u->policy.watchdog_usec);
	if (e == 0 && u->policy.watchdog_usec)
		e = env_set(env, "WATCHDOG_USEC", strlen("WATCHDOG_USEC"), number);
	snprintf(number, sizeof(number), "%d", main);
	if (e == 0 && main)
		e = env_set(env, "MAINPID", strlen("MAINPID"), number);
	return e < 0 ? fail_set(f, ENOMEM, "environment") : 0;
}

static int make_env(struct strlist *env, const struct unit *u, pid_t main, struct fail *f)
{
	const struct unit_service *exec = u->exec;

	for (size_t i = 0; i < ARRAY_LEN(host_env); i++)
		if (strlist_add(env, host_env[i]) < 0)
			return fail_set(f, ENOMEM, "environment");
	for (size_t i = 0; i < exec->env.n; i++) {
		const struct pair *p = &exec->env.items[i];

		if (p->value && env_set(env, p->name, strlen(p->name), p->value) < 0)
			return fail_set(f, ENOMEM, "environment");
	}
	for (size_t i = 0; i < exec->env_files.n; i++) {
		int e = env_file(env, exec->env_files.items[i].value, f);

		if (e < 0)
			return e;
	}
	return own_env(env, u, main, f);
}

static int find_user(const struct unit_service *exec, struct spawn *s, struct fail *f)
{
	_free_
	char *passwd = NULL;
	_free_
	char *group = NULL;
	size_t len;

	if (!exec->user.value && !exec->group.value)
		return 0;
	io_read_file(AT_FDCWD, "/etc/passwd", 1 << 20, &passwd, &len, NULL);
	io_read_file(AT_FDCWD, "/etc/group", 1 << 20, &group, &len, NULL);
	if (exec->user.value &&
	    !passwd_user(passwd ? passwd : "", exec->user.value, &s->uid, &s->gid))
		return fail_set(f, ESRCH, "there is no user \"%s\"", exec->user.value);
	if (exec->group.value && !passwd_group(group ? group : "", exec->group.value, &s->gid))
		return fail_set(f, ESRCH, "there is no group \"%s\"", exec->group.value);
	return 0;
}

#define RLIMITS_MAX 16

/* LimitNOFILE= and its kin: "1024:2048", or one value for both. */
static size_t make_rlimits(const struct unit_service *exec,
			   struct spawn_rlimit rlimits[RLIMITS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < exec->rlimits.n && n < RLIMITS_MAX; i++) {
		const char *soft = exec->rlimits.items[i].value;
		const char *colon = soft ? strchr(soft, ':') : NULL;
		char first[32];

		if (!soft || rlimit_resource(exec->rlimits.items[i].name) < 0)
			continue;
		text_cut(first, sizeof(first), soft);
		first[strcspn(first, ":")] = '\0';
		rlimits[n++] = (struct spawn_rlimit){
			.resource = rlimit_resource(exec->rlimits.items[i].name),
			.limit = {rlimit_value(first), rlimit_value(colon ? colon + 1 : first)},
		};
	}
	return n;
}

static bool is(const struct text *text, const char *value)
{
	return text->value && !strcmp(text->value, value);
}

pid_t run_command(struct run *r, const struct unit *u, const struct command *command,
		  int *ret_pidfd, struct fail *f)
{
	const struct unit_service *exec = u->exec;
	struct spawn s = {.argv = (const char *const *)command->argv,
			  .cgroup = r->cgroup,
			  .fds = {-1, -1, -1},
			  .n_fds = 3,
			  .cwd = exec->working_directory.value};
	struct spawn_rlimit rlimits[RLIMITS_MAX];
	mode_t mask = (mode_t)exec->umask.value;
	struct strlist env = {0};
	int e, out = -1;
	pid_t pid;

	e = make_env(&env, u, r->main.pid, f);
	if (e == 0)
		e = find_user(exec, &s, f);
	if (e == 0 && !is(&exec->standard_output, "null"))
		e = out = logs_pipe(r->service, f);
	if (e < 0) {
		strlist_done(&env);
		return e;
	}
	s.mask = exec->umask.set ? &mask : NULL;
	s.rlimits = rlimits;
	s.n_rlimits = make_rlimits(exec, rlimits);
	s.envp = (const char *const *)env.items;
	s.fds[1] = out;
	s.fds[2] = is(&exec->standard_error, "null") ? -1 : out;
	if (is(&exec->standard_input, "tty"))
		s.tty = exec->tty_path.value ? exec->tty_path.value : "/dev/console";
	pid = spawn(&s, ret_pidfd, f);
	strlist_done(&env);
	return pid;
}

/* What systemd says for a program that could not be exec'ed. */
#define EXIT_EXEC 203

/* A oneshot's commands run one after the other; the supervisor sees one process. true: the next one runs. *status is
 * corrected: a command with '-' in front cannot fail, one that cannot be run does. */
static bool next_command(struct run *r, int code, int *status)
{
	const struct unit *u = shell_unit(r->unit);
	struct fail f = {0};
	int pidfd;
	pid_t pid;

	if (!u || u->kind != UNIT_SERVICE || r->command >= u->exec->exec_start.n ||
	    code != CLD_EXITED)
		return false;
	if (u->exec->exec_start.items[r->command].may_fail)
		*status = 0;
	if (*status != 0 || r->command + 1 >= u->exec->exec_start.n)
		return false;
	pid = run_command(r, u, &u->exec->exec_start.items[++r->command], &pidfd, &f);
	if (pid < 0) {
		console_say("%s: %s", r->name, f.text);
		*status = EXIT_EXEC;
		return false;
	}
	children_add(&r->main, pid, pidfd, run_main_ended);
	return true;
}

/* As waitpid() would have it. */
static int wait_status(int code, int status)
{
	if (code == CLD_EXITED)
		return (status & 0xff) << 8;
	return status | (code == CLD_DUMPED ? 0x80 : 0);
}

/* --- MAINPID= ----------------------------------------------------------------------------------- */

void run_stranger_close(struct run *r)
{
	if (!r->stranger.active)
		return;
	loop_unwatch(&r->stranger);
	close(r->stranger.fd);
}

static bool is_our_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* It has ended. As our child, which it may have become, it is reaped with the others; else nobody tells us how. */
static void stranger_ended(struct watch *w, uint32_t events)
{
	struct run *r = container_of(w, struct run, stranger);

	(void)events;
	run_stranger_close(r);
	if (is_our_child(r->main.pid))
		return;
	children_drop(&r->main);
	shell_push(&(struct event){.kind = EVENT_EXITED, .unit = r->unit});
}

/* A main process whose parent lives is that one's to reap. Its pidfd says when it has ended. */
void run_watch_stranger(struct run *r)
{
	int fd;

	run_stranger_close(r);
	if (!r->main.pid || is_our_child(r->main.pid))
		return;
	fd = fcntl(r->main.pidfd, F_DUPFD_CLOEXEC,
		   3); /* the child's own is closed by who reaps it */
	if (fd >= 0 && loop_watch(&r->stranger, fd, EPOLLIN, stranger_ended, NULL) < 0)
		close(fd);
}

/* A container ends with its first process, whatever that says. */
void run_main_is(uint32_t unit, pid_t pid, int pidfd)
{
	struct run *r = run_find(unit);
	const struct unit *u = shell_unit(unit);

	if (!r || !u || u->kind != UNIT_SERVICE || u->policy.type == POLICY_TYPE_ONESHOT ||
	    !r->main.pid || r->main.pid == pid) {
		close(pidfd);
		return;
	}
	children_drop(&r->main);
	children_add(&r->main, pid, pidfd, run_main_ended);
	run_watch_stranger(r);
	shell_push(&(struct event){.kind = EVENT_NOTIFY_MAIN, .unit = unit, .code = pid});
}

void run_main_ended(struct child *c, int code, int status)
{
	struct run *r = container_of(c, struct run, main);

	run_stranger_close(r);
	if (next_command(r, code, &status))
		return;
	shell_push(&(struct event){
		.kind = EVENT_EXITED,
		.unit = r->unit,
		.code = wait_status(code, status),
		.flag = run_cgroup_oom(r),
	});
}

void exec_spawn_service(const struct action *a)
{
	const struct unit *u = shell_unit(a->unit);
	struct run *r = run_get(a->unit);
	struct fail f = {0};
	const char *step = "cgroup";
	int pidfd, e;
	pid_t pid;

	if (!r || !u || !u->exec || !u->exec->exec_start.n) {
		shell_push(&(struct event){.kind = EVENT_START_FAILED,
					   .unit = a->unit,
					   .code = ENOMEM,
					   .step = "prepare",
					   .text = "no memory, or nothing to run"});
		return;
	}
	r->stop_signal = 0;
	r->command = 0;
	e = run_cgroup_fresh(r, &f);
	if (e == 0 && (step = "limits"))
		e = run_cgroup_limits(r, &u->exec->limits, &f);
	if (e < 0) {
		run_start_failed(r, step, &f);
		return;
	}
	pid = run_command(r, u, &u->exec->exec_start.items[0], &pidfd, &f);
	if (pid < 0) {
		run_start_failed(r, "exec", &f);
		return;
	}
	children_add(&r->main, pid, pidfd, run_main_ended);
	shell_push(&(struct event){.kind = EVENT_CLONED, .unit = a->unit, .code = pid});
	shell_push(&(struct event){.kind = EVENT_EXECED, .unit = a->unit});
}
