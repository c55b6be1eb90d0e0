/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/boot.h"
#include "init/console.h"

/* Six fds a unit (pipe, pidfd, user and network namespace, cgroup events), thousands of units. */
#define FDS_MAX 65536

/* 0, 1 and 2 are /dev/null: a stray write of a library goes nowhere, and no later open() gets their number. */
static void null_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* As far as it goes: in a container of somebody else's (--inside) there may be a limit above us. */
static void raise_files(void)
{
	struct rlimit files = {FDS_MAX, FDS_MAX};

	if (setrlimit(RLIMIT_NOFILE, &files) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

void boot_self(void)
{
	const struct rlimit no_core = {0, 0};
	/* Finite, or a stack overflow would eat all memory before it is noticed. */
	const struct rlimit stack = {8 << 20, 8 << 20};
	struct fail f = {0};

	null_stdio();
	clearenv();
	umask(0022);
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	setrlimit(RLIMIT_STACK, &stack);
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	/* Never chosen when memory runs out; spawn() resets it in children. */
	if (io_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "-1000", &f) < 0 &&
	    f.code != EACCES)
		console_say("%s", f.text);
}

int boot_cgroups(void)
{
	_fd_
	int root = open(PATH_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_fd_
	int units = -1;
	struct fail f = {0};

	if (root < 0) {
		console_say("cgroups: open(\"" PATH_CGROUP "\"): %s", strerror(errno));
		return -1;
	}
	mkdirat(root, CGROUP_INIT, 0755);
	mkdirat(root, CGROUP_UNITS, 0755);
	/* Out of the root first: a cgroup with processes in it cannot have controllers for its children. */
	if (io_write_file(root, CGROUP_INIT "/cgroup.procs", "0", &f) < 0)
		console_say("cgroups: %s", f.text);
	units = openat(root, CGROUP_UNITS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (units < 0) {
		console_say("cgroups: open(\"" CGROUP_UNITS "\"): %s", strerror(errno));
		return -1;
	}
	/* A controller that the kernel lacks is told to the unit that needs it, not here. */
	cg_enable(root, cg_unit_controllers);
	cg_enable(units, cg_unit_controllers);
	return take_fd(&units);
}

void boot_give_back(void)
{
	extern const char __ehdr_start[], etext[]; /* the linker's */
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)__ehdr_start + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)etext & ~(page - 1);

	malloc_trim(0);
	/* private, from a file and never written to: what is dropped is read again, not lost */
	madvise((void *)from, to - from, MADV_DONTNEED);
}
