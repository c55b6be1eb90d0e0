/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: made and pinned, joined, and the process that lives in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clone.h"
#include "base/io.h"
#include "base/wire.h"
#include "runtime/report.h"
#include "runtime/run.h"
#include "runtime/steps.h"

/* --- made and pinned ----------------------------------------------------------------------- */

/* A child that does nothing but be in the new namespaces while they are pinned. It shares our memory
 * (no page tables are copied), so it tells its errno by leaving it here. */
struct founder {
	int userns; /* to join, or -1: it is born in a new one, or stays */
	bool net, uts;
	int ready; /* pipe */
	int error;
};

static int founder_main(void *arg)
{
	struct founder *c = arg;

	if (c->userns >= 0 && setns(c->userns, CLONE_NEWUSER) < 0)
		c->error = errno;
	/* made by a process of that user namespace, it belongs to it: the container has NET_* over it */
	else if ((c->net || c->uts) &&
		 unshare((c->net ? CLONE_NEWNET : 0) | (c->uts ? CLONE_NEWUTS : 0)) < 0)
		c->error = errno;
	if (write(c->ready, "", 1) == 1)
		pause();
	_exit(0);
}

/* map: "inside:outside:count,..." */
static int write_map(pid_t pid, const char *file, const char *map, struct fail *f)
{
	char path[64];
	_buf_ struct buf text = {0};

	while (*map) {
		size_t len = strcspn(map, ",");

		for (size_t i = 0; i < len; i++)
			buf_chr(&text, map[i] == ':' ? ' ' : map[i]);
		buf_chr(&text, '\n');
		map += len + (map[len] == ',');
	}
	if (text.bad)
		return fail_set(f, ENOMEM, "id map");
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return io_write_file(AT_FDCWD, path, text.data, f);
}

static int pin(pid_t pid, const char *kind, int *ret_fd, struct fail *f)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	return 0;
}

static int pin_all(struct run *run, const struct founder *c, pid_t pid, bool user, char *const *map,
		   struct fail *f)
{
	int r = 0;

	if (c->error)
		return fail_set(f, c->error, "making the namespaces");
	if (user) {
		r = write_map(pid, "uid_map", map[0], f);
		if (r == 0)
			r = write_map(pid, "gid_map", map[1], f);
		if (r == 0)
			r = pin(pid, "user", &run->userns, f);
	}
	if (r == 0 && c->net)
		r = pin(pid, "net", &run->netns, f);
	if (r == 0 && c->uts)
		r = pin(pid, "uts", &run->uts, f);
	return r;
}

static int found(struct run *run, bool user, bool net, char *const *map, struct fail *f)
{
	static char stack[32768] __attribute__((aligned(16)));
	int pipefd[2];
	struct founder c = {.userns = user ? -1 : run->userns, .net = net, .uts = run->pod_new};
	int flags = CLONE_VM | SIGCHLD | (user ? CLONE_NEWUSER : 0);
	char byte;
	pid_t pid;
	int r;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	c.ready = pipefd[1];
	pid = clone(founder_main, stack + sizeof(stack), flags, &c);
	if (pid < 0) {
		r = fail_set(f, errno, "clone%s",
			     user && errno == EUSERS ? " (user.max_user_namespaces is reached)"
						     : "");
	} else {
		do
			r = (int)read(pipefd[0], &byte, 1);
		while (r < 0 && errno == EINTR);
		r = pin_all(run, &c, pid, user, map, f);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(pipefd[0]);
	close(pipefd[1]);
	return r;
}

int namespaces_apply(struct run *run, char *const *arg, struct fail *f)
{
	bool user = strcmp(arg[0], "host") && run->userns < 0;
	bool net = strcmp(arg[2], "host") && run->netns < 0;

	run->fresh_net = net;
	return user || net || run->pod_new ? found(run, user, net, arg, f) : 0;
}

void namespaces_undo(struct run *run, char *const *arg)
{
	(void)arg;
	if (run->uts >= 0)
		close(take_fd(&run->uts));
	if (run->fresh_net && run->netns >= 0)
		close(take_fd(&run->netns));
	if (run->userns >= 0)
		close(take_fd(&run->userns));
}

/* --- the container's first process --------------------------------------------------------- */

/* clone3 in the manner of fork. */
static pid_t clone_and_go_on(struct clone_args *args, struct run *run)
{
	pid_t pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));

	if (pid == 0)
		steps_continue(run);
	return pid;
}

static void go_on(void *run)
{
	steps_continue(run);
}

/* clone3 in the manner of vfork; with our fds too. */
static pid_t clone_and_wait(struct clone_args *args, struct run *run)
{
	args->flags |= CLONE_FILES;
	return clone_vfork(args, go_on, run);
}

static int hand_over(struct run *run, struct fail *f)
{
	/* PID 1 pins what is the unit's own */
	bool own = !run->spec->joins;
	int r = report_cloned(run->report, run->pid, (int)run->plan->process.stop_signal,
			      run->pidfd, own ? run->userns : -1, own ? run->netns : -1);

	return r < 0 ? fail_set(f, -r, "sending the pidfd") : 0;
}

int clone_apply(struct run *run, char *const *arg, struct fail *f)
{
	/* Its parent is ours (PID 1), which waits for it as for any child; the signal it ends with is
	 * then ours too, so exit_signal must be 0. No user namespace yet: what is mounted by the host's
	 * root, the container's root can neither unmount nor remount. */
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP |
			 (run->uts < 0 ? CLONE_NEWIPC : 0) | CLONE_INTO_CGROUP | CLONE_PIDFD |
			 CLONE_PARENT | CLONE_PARENT_SETTID,
		.pidfd = (uintptr_t)&run->pidfd,
		.parent_tid = (uintptr_t)&run->pid,
		.cgroup = (uint64_t)run->cgroup,
	};
	/* a small init of ours never execs, so nobody may wait for that */
	pid_t pid = run->spec->run_init ? clone_and_go_on(&args, run) : clone_and_wait(&args, run);

	(void)arg;
	if (pid < 0)
		return fail_set(f, errno, "clone3%s",
				errno == EAGAIN ? " (pids.max is reached)" : "");
	return run->spec->run_init ? hand_over(run, f) : 0;
}

/* In the container's first process: with its pid and pidfd, which the kernel has put into our memory
 * before it first ran. A process with memory and fds of its own (RunInit=) has neither: there the
 * parent has handed over already. */
int hand_over_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	return run->spec->run_init ? 0 : hand_over(run, f);
}

int wait_apply(struct run *run, char *const *arg, struct fail *f)
{
	char go = 0;
	ssize_t n;

	(void)arg;
	do
		n = read(run->report, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || go != RUN_GO)
		return fail_set(f, ECANCELED, "no go from PID 1");
	run->waited = true;
	return 0;
}

/* --- joined -------------------------------------------------------------------------------- */

int private_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)run;
	(void)arg;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_set(f, errno, "making the mounts private");
	return 0;
}

int join_net_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	if (setns(run->netns, CLONE_NEWNET) < 0)
		return fail_set(f, errno, "setns(net)");
	return 0;
}

int net_sysctl_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[128];

	if (!run->fresh_net)
		return 0;
	snprintf(path, sizeof(path), "/proc/sys/net/%s", arg[0]);
	return io_write_file(AT_FDCWD, path, arg[1], f);
}

int loopback_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_fd_
	int fd = -1;

	(void)arg;
	if (!run->fresh_net)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return fail_set(f, errno, "lo up");
	return 0;
}

int join_user_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	if (run->uts >= 0 && setns(run->uts, CLONE_NEWUTS) < 0)
		return fail_set(f, errno, "setns(uts)");
	if (run->plan->mapped && setns(run->userns, CLONE_NEWUSER) < 0)
		return fail_set(f, errno, "setns(user)");
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		return fail_set(f, errno, "becoming the container's root");
	/* the one namespace that belongs to the container: with CAP_SYS_ADMIN it may set its name */
	if (run->uts < 0 && unshare(CLONE_NEWUTS) < 0)
		return fail_set(f, errno, "unshare(uts)");
	return 0;
}

int hostname_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)run;
	if (sethostname(arg[0], strlen(arg[0])) < 0)
		return fail_set(f, errno, "sethostname(\"%s\")", arg[0]);
	return 0;
}
