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

/* A child that does nothing but be in the new namespaces while they are pinned. It is born in them, so that
 * there is nothing to wait for, unless it must first join a user namespace that there is already. It shares our
 * memory (no page tables are copied), so it tells its errno by leaving it here. */
struct founder {
	int userns; /* to join first, or -1 */
	int flags;  /* of the namespaces to make */
	int ready;  /* pipe, if it joins */
	int error;
};

static int founder_main(void *arg)
{
	struct founder *c = arg;

	if (c->userns >= 0) {
		/* made by a process of that user namespace, it belongs to it: the container has NET_* over it */
		if (setns(c->userns, CLONE_NEWUSER) < 0 || unshare(c->flags) < 0)
			c->error = errno;
		(void)!write(c->ready, "", 1);
	}
	while (true)
		pause();
	return 0;
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

static int pin_all(struct run *run, int flags, pid_t pid, char *const *map, struct fail *f)
{
	int r = 0;

	if (flags & CLONE_NEWUSER) {
		r = write_map(pid, "uid_map", map[0], f);
		if (r == 0)
			r = write_map(pid, "gid_map", map[1], f);
		if (r == 0)
			r = pin(pid, "user", &run->userns, f);
	}
	if (r == 0 && flags & CLONE_NEWNET)
		r = pin(pid, "net", &run->netns, f);
	if (r == 0 && flags & CLONE_NEWUTS)
		r = pin(pid, "uts", &run->uts, f);
	return r;
}

static int wait_ready(const struct founder *c, int fd, struct fail *f)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || c->error)
		return fail_set(f, n == 1 ? c->error : EIO, "making the namespaces");
	return 0;
}

static int found(struct run *run, int flags, char *const *map, struct fail *f)
{
	static char stack[32768] __attribute__((aligned(16)));
	static struct founder c; /* not on our stack: it lives longer than this call */
	bool joins = run->plan->mapped && !(flags & CLONE_NEWUSER);
	int pipefd[2] = {-1, -1}, r = 0;

	if (joins && pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	c = (struct founder){
		.userns = joins ? run->userns : -1, .flags = flags, .ready = pipefd[1]};
	/* of namespaces made in one call, the user namespace comes first and owns the others */
	run->founder = clone(founder_main, stack + sizeof(stack),
			     CLONE_VM | SIGCHLD | (joins ? 0 : flags), &c);
	if (run->founder < 0)
		r = fail_set(f, errno, "clone%s",
			     flags & CLONE_NEWUSER && errno == EUSERS
				     ? " (user.max_user_namespaces is reached)"
				     : "");
	if (joins)
		close(pipefd[1]); /* the end of the founder, however it comes, is the end of the pipe */
	if (r == 0 && joins)
		r = wait_ready(&c, pipefd[0], f);
	if (r == 0)
		r = pin_all(run, flags, run->founder, map, f);
	if (run->founder > 0)
		kill(run->founder, SIGKILL);
	if (joins)
		close(pipefd[0]);
	return r;
}

void run_reap_founder(struct run *run)
{
	if (run->founder > 0)
		waitpid(run->founder, NULL, 0);
	run->founder = 0;
}

int namespaces_apply(struct run *run, char *const *arg, struct fail *f)
{
	int flags = run->pod_new ? CLONE_NEWUTS : 0;

	if (strcmp(arg[0], "host") && run->userns < 0)
		flags |= CLONE_NEWUSER;
	if (!strcmp(arg[2], "new") && run->netns < 0)
		flags |= CLONE_NEWNET;
	run->fresh_net = flags & CLONE_NEWNET;
	return flags ? found(run, flags, arg, f) : 0;
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

static void go_on(void *run)
{
	steps_continue(run);
}

int clone_apply(struct run *run, char *const *arg, struct fail *f)
{
	/* Its parent is ours (PID 1), which waits for it as for any child; the signal it ends with is
	 * then ours too, so exit_signal must be 0. No user namespace yet: what is mounted by the host's
	 * root, the container's root can neither unmount nor remount. */
	struct clone_args args = {
		.flags = CLONE_FILES | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP |
			 (run->uts < 0 ? CLONE_NEWIPC : 0) | CLONE_INTO_CGROUP | CLONE_PIDFD |
			 CLONE_PARENT | CLONE_PARENT_SETTID,
		.pidfd = (uintptr_t)&run->pidfd,
		.parent_tid = (uintptr_t)&run->pid,
		.cgroup = (uint64_t)run->cgroup,
	};
	(void)arg;
	if (clone_vfork(&args, go_on, run) < 0)
		return fail_set(f, errno, "clone3%s",
				errno == EAGAIN ? " (pids.max is reached)" : "");
	return 0;
}

/* In the container's first process: with its pid and pidfd, which the kernel has put into our memory
 * before it first ran. */
int hand_over_apply(struct run *run, char *const *arg, struct fail *f)
{
	/* PID 1 pins what is the unit's own */
	bool own = !run->spec->joins, own_net = own && !run->net_is_others;
	int r = report_cloned(run->report, run->pid, (int)run->plan->process.stop_signal,
			      run->pidfd, own ? run->userns : -1, own_net ? run->netns : -1);

	(void)arg;
	return r < 0 ? fail_set(f, -r, "sending the pidfd") : 0;
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

/* What is mounted here must not reach the host. What the host mounts reaches us only where a volume asks for it:
 * then its copy of the host's mount must still hear, until it is attached. */
int private_apply(struct run *run, char *const *arg, struct fail *f)
{
	run->hears_host = arg[0];
	if (mount(NULL, "/", NULL, MS_REC | (arg[0] ? MS_SLAVE : MS_PRIVATE), NULL) < 0)
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
