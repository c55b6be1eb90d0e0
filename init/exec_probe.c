/* SPDX-License-Identifier: Apache-2.0 */
/* Health probes: `orlop-run exec` runs the unit's command inside the container; how it exits is the answer. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "base/wire.h"
#include "init/exec.h"
#include "init/logs.h"
#include "init/run.h"
#include "init/shell.h"

static void done(uint32_t unit, int code)
{
	shell_push(&(struct event){.kind = EVENT_PROBE_DONE, .unit = unit, .code = code});
}

void run_probe_ended(struct child *c, int code, int status)
{
	struct run *r = container_of(c, struct run, probe);

	done(r->unit, code == CLD_EXITED ? status : 128 + status);
}

pid_t run_inside(struct run *r, const struct text_list *command, int *ret_pidfd, struct fail *f)
{
	_free_
	const char **argv = calloc(command->n + 4, sizeof(*argv));
	struct spawn s = {.argv = argv, .cgroup = -1, .n_fds = RUN_EXEC_CGROUP + 1};

	if (!argv)
		return fail_set(f, ENOMEM, "command in the container");
	s.fds[0] = s.fds[1] = s.fds[2] = -1;
	s.fds[RUN_EXEC_PIDFD] = r->main.pidfd;
	s.fds[RUN_EXEC_CGROUP] = r->cgroup;
	argv[0] = PATH_RUN;
	argv[1] = "exec";
	argv[2] = r->name;
	for (size_t i = 0; i < command->n; i++)
		argv[3 + i] = command->items[i].value;
	return spawn(&s, ret_pidfd, f);
}

void exec_run_probe(const struct action *a)
{
	const struct unit *u = shell_unit(a->unit);
	struct run *r = run_find(a->unit);
	const struct text_list *command;
	struct fail f = {0};
	int pidfd;
	pid_t pid;

	if (!r || !u || !u->container || !r->main.pid) {
		done(a->unit, 125);
		return;
	}
	if (run_cgroup_frozen(r)) {
		done(a->unit, 0); /* paused: it cannot answer, and is not ill */
		return;
	}
	command = a->code == 1 ? &u->container->health_startup_cmd : &u->container->health_cmd;
	pid = run_inside(r, command, &pidfd, &f);
	if (pid < 0)
		done(a->unit, 125);
	else
		children_add(&r->probe, pid, pidfd, run_probe_ended);
}

void exec_kill_probe(const struct action *a)
{
	struct run *r = run_find(a->unit);

	if (r)
		children_signal(&r->probe, SIGKILL);
}
