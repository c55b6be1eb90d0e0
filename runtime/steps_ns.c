/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: made and pinned, joined, and the process that lives in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clone.h"
#include "base/io.h"
#include "base/wire.h"
#include "runtime/founder.h"
#include "runtime/report.h"
#include "runtime/run.h"
#include "runtime/steps.h"

/* --- made and pinned ----------------------------------------------------------------------- */

int namespaces_apply(struct run *run, char *const *arg, struct fail *f)
{
	int flags = run->pod_new ? CLONE_NEWUTS : 0;

	if (strcmp(arg[0], "host") && run->userns < 0)
		flags |= CLONE_NEWUSER;
	if (!strcmp(arg[2], "new") && run->netns < 0)
		flags |= CLONE_NEWNET;
	run->fresh_net = flags & CLONE_NEWNET;
	return flags ? founder_make(run, flags, arg, f) : 0;
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
	if (!run->fresh_net || run->ahead)
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
