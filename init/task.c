/* SPDX-License-Identifier: Apache-2.0 */
#include "init/task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/spawn.h"
#include "init/console.h"
#include "init/vault.h"

/* From being killed to not being waited for any more. */
#define DIE_TIME (2 * NSEC_PER_SEC)

static void end_line(struct task *t)
{
	if (t->have) {
		console_say("%s: %.*s", t->name, (int)t->have, t->line);
		t->said = t->have;
	}
	t->have = 0;
}

/* Reads what is there; ends at EAGAIN or end of file. */
static void read_output(struct task *t)
{
	char text[512];
	ssize_t n;

	while ((n = read(t->out.fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] == '\n' || t->have == sizeof(t->line))
				end_line(t);
			if (text[i] != '\n')
				t->line[t->have++] = text[i];
		}
	if (n == 0)
		loop_unwatch(&t->out);
}

static void output(struct watch *w, uint32_t events)
{
	(void)events;
	read_output(container_of(w, struct task, out));
}

static void close_output(struct task *t)
{
	loop_untimer(&t->deadline);
	read_output(t);
	end_line(t);
	loop_unwatch(&t->out);
	vault_close(t->out.fd);
	t->out.fd = -1;
}

static void ended(struct child *c, int code, int status)
{
	struct task *t = container_of(c, struct task, child);
	enum task_end end = t->late                             ? TASK_LATE
			    : code == CLD_EXITED && status == 0 ? TASK_OK
								: TASK_FAILED;

	close_output(t);
	if (end == TASK_FAILED && code != CLD_EXITED)
		console_say("%s: killed by signal %d", t->name, status);
	t->over(t, end);
}

/* It waits for a disk that does not answer. Nobody else has to. */
static void does_not_die(struct timer *timer)
{
	struct task *t = container_of(timer, struct task, deadline);

	console_say("%s: does not die, left behind", t->name);
	close_output(t);
	children_drop(&t->child);
	t->over(t, TASK_LATE);
}

static void too_late(struct timer *timer)
{
	struct task *t = container_of(timer, struct task, deadline);

	t->late = true;
	console_say("%s: not done in time, killed", t->name);
	children_signal(&t->child, SIGKILL);
	loop_timer(&t->deadline, loop_now() + DIE_TIME, does_not_die);
}

int task_start(struct task *t, const char *name, const char *const *argv, const int *fds,
	       size_t n_fds, uint64_t timeout, void (*over)(struct task *, enum task_end),
	       struct fail *f)
{
	struct spawn s = {.argv = argv, .cgroup = -1, .fds = {-1, -1, -1}, .n_fds = 3 + n_fds};
	_fd_
	int in = -1;
	_fd_
	int out = -1;
	int pipefd[2], pidfd;
	pid_t pid;
	int r;

	if (n_fds > TASK_FDS_MAX)
		return fail_set(f, EINVAL, "%s: too many fds", name);
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	in = pipefd[0];
	out = pipefd[1];
	fcntl(in, F_SETFL, O_NONBLOCK);
	s.fds[2] = out;
	for (size_t i = 0; i < n_fds; i++)
		s.fds[3 + i] = fds[i];
	*t = (struct task){.name = name, .over = over};
	r = loop_watch(&t->out, in, EPOLLIN, output, f);
	if (r < 0)
		return r;
	pid = spawn(&s, &pidfd, f);
	if (pid < 0) {
		loop_unwatch(&t->out);
		return (int)pid;
	}
	take_fd(&in);
	children_add(&t->child, pid, pidfd, ended);
	loop_timer(&t->deadline, loop_now() + timeout, too_late);
	return 0;
}

bool task_runs(const struct task *t)
{
	return t->child.pid != 0;
}

void task_save(const struct task *t, struct vault_writer *w)
{
	vault_number(w, t->child.pid);
	vault_fd(w, t->child.pid ? t->child.pidfd : -1);
	vault_fd(w, t->child.pid ? t->out.fd : -1);
}

int task_restore(struct task *t, const char *name, char *const *args, uint64_t timeout,
		 void (*over)(struct task *, enum task_end), struct fail *f)
{
	int r;

	*t = (struct task){.name = name, .over = over};
	r = loop_watch(&t->out, atoi(args[2]), EPOLLIN, output, f);
	if (r < 0)
		return r;
	children_adopt(&t->child, atoi(args[0]), atoi(args[1]), ended);
	loop_timer(&t->deadline, loop_now() + timeout, too_late);
	return 0;
}
