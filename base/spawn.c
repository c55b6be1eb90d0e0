/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILES_SOFT 1024

/* What a child that could not exec says about it, over a close-on-exec pipe. */
struct child_report {
	int code;
	char step[24];
};

static const char *const default_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/orlop",
					  "HOME=/", "TERM=linux", NULL};

/* Ends the child. Only async-signal-safe calls in here and below: it is a copy of its parent. */
static void __attribute__((noreturn)) child_die(int report, const char *step)
{
	struct child_report r = {.code = errno};

	strncpy(r.step, step, sizeof(r.step) - 1);
	if (write(report, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

static void child_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL); /* KILL, STOP and libc's own refuse: as wanted */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What PID 1 has for itself and its children must not inherit. Where it cannot be set, it is right already. */
static void child_limits(const struct spawn *s)
{
	struct rlimit files;
	int fd;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > FILES_SOFT) {
		files.rlim_cur = FILES_SOFT;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (s->oom_keep)
		return;
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "0", 1) < 0)
			errno = 0;
		close(fd);
	}
}

/* Puts every fd at its number: first all of them above the target range, so that none is overwritten
 * before it was copied. Returns where the report pipe is now. */
static int child_fds(const struct spawn *s, int report)
{
	int high[SPAWN_FDS_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	report = fcntl(report, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX + 1);
	for (size_t i = 0; i < SPAWN_FDS_MAX; i++) {
		int fd = i < s->n_fds ? s->fds[i] : -1;

		if (fd < 0 && i < 3)
			fd = null;
		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX + 1);
		if (fd >= 0 && high[i] < 0)
			child_die(report, "fds");
	}
	for (int i = 0; i < SPAWN_FDS_MAX; i++)
		if (high[i] < 0)
			close(i);
		else if (dup2(high[i], i) < 0)
			child_die(report, "fds");
	close(SPAWN_FDS_MAX); /* between the targets and the copies */
	if (syscall(SYS_close_range, SPAWN_FDS_MAX + 1, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) < 0)
		child_die(report, "close_range");
	return report;
}

static void child_tty(const struct spawn *s, int report)
{
	int fd = open(s->tty, O_RDWR | O_NOCTTY);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		child_die(report, "tty");
	if (fd > 2)
		close(fd);
	/* 1 = take it from a session that has it; without a controlling tty the shell has no job control */
	ioctl(0, TIOCSCTTY, 1);
}

static void __attribute__((noreturn)) child(const struct spawn *s, int report)
{
	child_signals();
	child_limits(s);
	umask(s->mask ? *s->mask : 0022);
	for (size_t i = 0; i < s->n_rlimits; i++)
		if (setrlimit((__rlimit_resource_t)s->rlimits[i].resource, &s->rlimits[i].limit) <
		    0)
			child_die(report, "rlimits");
	report = child_fds(s, report);
	setsid();
	if (s->tty)
		child_tty(s, report);
	if (chdir(s->cwd ? s->cwd : "/") < 0)
		child_die(report, "chdir");
	if (s->gid && (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0))
		child_die(report, "setgid");
	if (s->uid && setresuid(s->uid, s->uid, s->uid) < 0)
		child_die(report, "setuid");
	execve(s->argv[0], (char *const *)s->argv,
	       (char *const *)(s->envp ? s->envp : default_env));
	child_die(report, "exec");
}

pid_t spawn(const struct spawn *s, int *ret_pidfd, struct fail *f)
{
	_fd_
	int pidfd = -1, in = -1, out = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | (s->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = s->cgroup >= 0 ? (uint64_t)s->cgroup : 0,
	};
	struct child_report r;
	int pipefd[2];
	pid_t pid;
	ssize_t n;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	in = pipefd[0];
	out = pipefd[1];
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return fail_set(f, errno, "clone3 for %s", s->argv[0]);
	if (pid == 0)
		child(s, out);
	close(take_fd(&out));
	do
		n = read(in, &r, sizeof(r)); /* ends at exec: a millisecond, not somebody's mercy */
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(r)) {
		waitpid(pid, NULL, 0);
		return fail_set(f, r.code, "%s: %s", s->argv[0], r.step);
	}
	*ret_pidfd = take_fd(&pidfd);
	return pid;
}
