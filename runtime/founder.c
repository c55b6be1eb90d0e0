/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/founder.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"

struct founder {
	int userns; /* to join first, or -1 */
	int flags;  /* of the namespaces to make */
	int ready;  /* pipe, if there is something to wait for */
	int error;
	bool ahead;
	pid_t parent;
};

/* Of what a start most often needs and a spare can have made before it knows whose start it is. */
#define AHEAD (CLONE_NEWUSER | CLONE_NEWNET)

/* Not by the step: the kernel does it under a lock that it also takes namespaces down under. Returns an errno. */
static int bring_loopback_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int e = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return e;
}

static int founder_main(void *arg)
{
	struct founder *c = arg;

	/* a start can be killed at any moment: nobody else would ever end this */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != c->parent)
		_exit(1); /* it has been */
	if (c->userns >= 0) {
		/* made by a process of that user namespace, it belongs to it: the container has NET_* over it */
		if (setns(c->userns, CLONE_NEWUSER) < 0 || unshare(c->flags) < 0)
			c->error = errno;
		(void)!write(c->ready, "", 1);
	}
	if (c->ahead) {
		c->error = bring_loopback_up();
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

static int pin_all(struct run *run, int flags, pid_t pid, char *const *ids, struct fail *f)
{
	int r = 0;

	if (flags & CLONE_NEWUSER) {
		r = write_map(pid, "uid_map", ids[0], f);
		if (r == 0)
			r = write_map(pid, "gid_map", ids[1], f);
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

/* Begins one and waits until it is ready. */
static int begin(struct run *run, int userns, int flags, bool ahead, struct fail *f)
{
	static char stack[32768] __attribute__((aligned(16)));
	static struct founder c; /* not on our stack: it lives longer than this call */
	bool joins = userns >= 0, waits = joins || ahead;
	int pipefd[2] = {-1, -1}, r = 0;

	if (waits && pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	c = (struct founder){.userns = userns,
			     .flags = flags,
			     .ready = pipefd[1],
			     .ahead = ahead,
			     .parent = getpid()};
	/* of namespaces made in one call, the user namespace comes first and owns the others */
	run->founder = clone(founder_main, stack + sizeof(stack),
			     CLONE_VM | SIGCHLD | (joins ? 0 : flags), &c);
	if (run->founder < 0)
		r = fail_set(f, errno, "clone%s",
			     flags & CLONE_NEWUSER && errno == EUSERS
				     ? " (user.max_user_namespaces is reached)"
				     : "");
	if (!waits)
		return r;
	close(pipefd[1]); /* the end of the founder, however it comes, is the end of the pipe */
	if (r == 0)
		r = wait_ready(&c, pipefd[0], f);
	close(pipefd[0]);
	return r;
}

void founder_ahead(struct run *run)
{
	run->ahead = begin(run, -1, AHEAD, true, NULL) == 0;
	if (!run->ahead)
		founder_reap(run);
}

int founder_make(struct run *run, int flags, char *const *ids, struct fail *f)
{
	bool joins = run->plan->mapped && !(flags & CLONE_NEWUSER);
	int r = 0;

	if (!run->ahead || flags != AHEAD) {
		founder_reap(run);
		run->ahead = false;
		r = begin(run, joins ? run->userns : -1, flags, false, f);
	}
	if (r == 0)
		r = pin_all(run, flags, run->founder, ids, f);
	if (run->founder > 0)
		kill(run->founder, SIGKILL);
	return r;
}

void founder_reap(struct run *run)
{
	if (run->founder > 0) {
		kill(run->founder, SIGKILL);
		waitpid(run->founder, NULL, 0);
	}
	run->founder = 0;
}
