/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that are not the container's own: a pod's, another container's, or a network that somebody else has made.
 *
 * A pod has a folder PATH_PODS/<pod> in which its namespaces are pinned as files (user, net, ipc, uts) beside
 * its /dev/shm. Whichever member starts first makes them, under a lock; `orlop-run clean POD` takes them
 * away when the pod is down. "uts" is pinned last: where it is, all of them are.
 *
 * The ipc namespace is orlop-run's own for the rest of its life, so that the clone inherits it. Like that of
 * a container alone it belongs to the host's user namespace.
 */
#include "runtime/pod.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

/* In the order in which they are pinned. */
static const char *const kinds[] = {"user", "net", "ipc", "uts"};

static void pod_path(char path[512], const char *pod, const char *name)
{
	snprintf(path, 512, PATH_PODS "/%s/%s", pod, name);
}

/* Held until it is closed, and by the container's first process only up to its exec. */
static int pod_lock(const char *pod, struct fail *f)
{
	char path[512];
	_fd_
	int fd = -1;
	int r = io_mkdirs(PATH_PODS, 0700, f);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), PATH_PODS "/%s.lock", pod);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return fail_set(f, errno, "lock \"%s\"", path);
	return take_fd(&fd);
}

/* A pinned namespace, or -1: there is none of this kind. */
static int open_pinned(const char *pod, const char *kind)
{
	char path[512];
	struct statfs fs;
	_fd_
	int fd = -1;

	pod_path(path, pod, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return -1;
	return take_fd(&fd);
}

static void remove_pinned(const char *pod)
{
	char path[512];

	for (size_t i = ARRAY_LEN(kinds); i--;) {
		pod_path(path, pod, kinds[i]);
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
		unlink(path);
	}
	pod_path(path, pod, "shm");
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	rmdir(path);
	pod_path(path, pod, "");
	rmdir(path);
}

static int join_ipc(const char *pod, struct fail *f)
{
	_fd_
	int ipc = open_pinned(pod, "ipc");

	if (ipc < 0 || setns(ipc, CLONE_NEWIPC) < 0)
		return fail_set(f, ipc < 0 ? ENOENT : errno, "ipc namespace of %s", pod);
	return 0;
}

int pod_apply(struct run *run, char *const *arg, struct fail *f)
{
	run->pod_lock = pod_lock(arg[0], f);
	if (run->pod_lock < 0)
		return run->pod_lock;
	/* what PID 1 handed in is an earlier pod's, if anything */
	run->userns = run->netns = -1;
	run->uts = open_pinned(arg[0], "uts");
	if (run->uts < 0) {
		remove_pinned(arg[0]); /* half made by a start that was killed */
		run->pod_new = true;
		return unshare(CLONE_NEWIPC) < 0 ? fail_set(f, errno, "unshare(ipc)") : 0;
	}
	run->userns = open_pinned(arg[0], "user");
	run->netns = open_pinned(arg[0], "net");
	return join_ipc(arg[0], f);
}

static int pin_file(const char *pod, const char *kind, int fd, struct fail *f)
{
	char path[512], source[64];
	_fd_
	int file = -1;

	pod_path(path, pod, kind);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0)
		return fail_set(f, errno, "pinning \"%s\"", path);
	return 0;
}

static int make_shm(const char *pod, const char *options, struct fail *f)
{
	char path[512];
	int r;

	pod_path(path, pod, "shm");
	r = io_mkdirs(path, 0700, f);
	if (r == 0 && mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		r = fail_set(f, errno, "mount \"%s\"", path);
	return r;
}

int pod_keep_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int ipc = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	const int fds[] = {run->userns, run->net_is_others ? -1 : run->netns, ipc, run->uts};
	int r = 0;

	if (run->pod_new)
		r = ipc < 0 ? fail_set(f, errno, "open(\"/proc/self/ns/ipc\")")
			    : make_shm(arg[0], arg[1], f);
	for (size_t i = 0; r == 0 && run->pod_new && i < ARRAY_LEN(kinds); i++)
		if (fds[i] >= 0)
			r = pin_file(arg[0], kinds[i], fds[i], f);
	if (r < 0)
		remove_pinned(arg[0]);
	else
		run->pod_kept = true;
	close(take_fd(&run->pod_lock));
	return r;
}

/* Opened anew at each start, a pod's member's too: where the path leads to another namespace since, that is meant. */
int net_path_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct statfs fs;
	_fd_
	int fd = -1;

	run->net_is_others = true;
	/* who waits for the other end of a pipe never hears that it is no namespace */
	fd = open(arg[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail_set(f, errno, "Network=" SPEC_NET_PATH "%s", arg[0]);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return fail_set(f, 0, "Network=" SPEC_NET_PATH "%s is no network namespace",
				arg[0]);
	run->netns = take_fd(&fd);
	return 0;
}

int joined_apply(struct run *run, char *const *arg, struct fail *f)
{
	if (run->netns < 0 || (run->plan->mapped && run->userns < 0))
		return fail_set(f, ENOENT, "%s, whose network this is to share, does not run",
				arg[0]);
	return 0;
}

void pod_clean(const char *pod)
{
	_fd_
	int lock = pod_lock(pod, NULL);

	if (lock >= 0)
		remove_pinned(pod);
}
