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
#include "base/clone.h"

#define FILES_SOFT 1024

/* A start under way. The child works in our memory (base/clone.h) and leaves here why it could not exec. */
struct start {
	const struct spawn *spawn;
	int code; /* errno; 0 = it runs */
	const char *step;
};

static const char *const default_env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/orlop",
					  "HOME=/", "TERM=linux", NULL};

/* Ends the child. */
static void __attribute__((noreturn)) child_die(struct start *start, const char *step)
{
	start->code = errno;
	start->step = step;
	_exit(127);
}

static void child_signals(const struct spawn *s)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, sig == SIGHUP && s->hup_ignored ? &ignore : &dfl,
			  NULL); /* KILL, STOP and libc's own refuse: as wanted */
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
 * before it was copied. */
static void child_fds(struct start *start)
{
	const struct spawn *s = start->spawn;
	int high[SPAWN_FDS_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < SPAWN_FDS_MAX; i++) {
		int fd = i < s->n_fds ? s->fds[i] : -1;

		if (fd < 0 && i < 3)
			fd = null;
		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX + 1);
		if (fd >= 0 && high[i] < 0)
			child_die(start, "fds");
	}
	for (int i = 0; i < SPAWN_FDS_MAX; i++)
		if (high[i] < 0)
			close(i);
		else if (dup2(high[i], i) < 0)
			child_die(start, "fds");
	close(SPAWN_FDS_MAX); /* between the targets and the copies */
	if (syscall(SYS_close_range, SPAWN_FDS_MAX + 1, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) < 0)
		child_die(start, "close_range");
}

static void child_tty(struct start *start)
{
	int fd = open(start->spawn->tty, O_RDWR | O_NOCTTY);

	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		child_die(start, "tty");
	if (fd > 2)
		close(fd);
	/* 1 = take it from a session that has it; without a controlling tty the shell has no job control */
	ioctl(0, TIOCSCTTY, 1);
}

static void __attribute__((noreturn)) child(void *arg)
{
	struct start *start = arg;
	const struct spawn *s = start->spawn;

	child_signals(s);
	child_limits(s);
	umask(s->mask ? *s->mask : 0022);
	for (size_t i = 0; i < s->n_rlimits; i++)
		if (setrlimit((__rlimit_resource_t)s->rlimits[i].resource, &s->rlimits[i].limit) <
		    0)
			child_die(start, "rlimits");
	child_fds(start);
	setsid();
	if (s->tty)
		child_tty(start);
	if (chdir(s->cwd ? s->cwd : "/") < 0)
		child_die(start, "chdir");
	if (s->gid && (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0))
		child_die(start, "setgid");
	if (s->uid && setresuid(s->uid, s->uid, s->uid) < 0)
		child_die(start, "setuid");
	execve(s->argv[0], (char *const *)s->argv,
	       (char *const *)(s->envp ? s->envp : default_env));
	child_die(start, "exec");
}

pid_t spawn(const struct spawn *s, int *ret_pidfd, struct fail *f)
{
	_fd_
	int pidfd = -1;
	struct start start = {.spawn = s};
	struct clone_args args = {
		.flags = CLONE_PIDFD | (s->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = s->cgroup >= 0 ? (uint64_t)s->cgroup : 0,
	};
	pid_t pid = clone_vfork(&args, child, &start);

	if (pid < 0)
		return fail_set(f, errno, "clone3 for %s", s->argv[0]);
	/* it has exec'ed or ended: a millisecond, not somebody's mercy */
	if (start.code) {
		waitpid(pid, NULL, 0);
		return fail_set(f, start.code, "%s: %s", s->argv[0], start.step);
	}
	*ret_pidfd = take_fd(&pidfd);
	return pid;
}
