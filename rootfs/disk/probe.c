/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/disk/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOBODY 65534

struct probe {
	pid_t pid;
	int answer; /* read end of the pipe, or -1 */
};

/* Nothing to gain from whoever takes over this process: no files, no memory, no time, no privilege. */
static int lock_up(void)
{
	static const struct {
		int what;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_CPU, PROBE_SECONDS}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 0},
		{RLIMIT_NPROC, 0},           {RLIMIT_CORE, 0},
	};

	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct rlimit r = {limits[i].limit, limits[i].limit};

		if (setrlimit(limits[i].what, &r) < 0)
			return -errno;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static _Noreturn void probe_child(const struct disk *d, int out)
{
	int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		_exit(1);
	const uint8_t *bytes = mmap(NULL, d->size, PROT_READ, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED)
		_exit(1);
	/* The samples lie far apart: what is read ahead would never be looked at. */
	madvise((void *)bytes, d->size, MADV_RANDOM);
	/* The pipe is the one thing it may write to. */
	if (dup2(out, 0) < 0 || close_range(1, ~0u, 0) < 0 || lock_up() < 0)
		_exit(1);

	struct sniff answer;

	sniff(bytes, d->size, &answer);
	if (write(0, &answer, sizeof(answer)) < 0) { /* the reader sees the end of file */
	}
	/* Strict mode knows exit, and not the exit_group that _exit() uses. */
	syscall(SYS_exit, 0);
	__builtin_unreachable();
}

static int probe_start(const struct disk *d, struct probe *p, struct fail *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe2");
	p->pid = fork();
	if (p->pid == 0)
		probe_child(d, ends[1]);
	int code = errno;

	close(ends[1]);
	if (p->pid < 0) {
		close(ends[0]);
		return fail_set(f, code, "fork");
	}
	p->answer = ends[0];
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void probe_finish(struct probe *p, int64_t deadline, struct sniff *ret)
{
	struct pollfd wait = {p->answer, POLLIN, 0};
	int64_t left = deadline - now_ms();
	bool over = poll(&wait, 1, left > 0 ? (int)left : 0) == 1;
	struct sniff said;

	memset(ret, 0, sizeof(*ret));
	if (over && read(p->answer, &said, sizeof(said)) == sizeof(said) &&
	    said.kind > SNIFF_UNREADABLE && said.kind < SNIFF__N) {
		*ret = said;
		ret->label[sizeof(ret->label) - 1] = '\0';
	}
	kill(p->pid, SIGKILL);
	close(p->answer);
	/* One that hangs in the disk's driver dies when the driver lets go of it; PID 1 buries it then. */
	while (waitpid(p->pid, NULL, over ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
}

int probe_disks(struct disk *disks, size_t n, struct fail *f)
{
	struct probe probes[DISK_MAX];
	size_t started = 0;
	int r = 0;

	while (started < n && r == 0) {
		r = probe_start(&disks[started], &probes[started], f);
		started += r == 0;
	}
	int64_t deadline = now_ms() + PROBE_SECONDS * 1000;

	for (size_t i = 0; i < started; i++)
		probe_finish(&probes[i], deadline, &disks[i].found);
	return r;
}
