/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

static int open_dir(const char *path, bool make, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make) {
		int r = io_mkdirs(path, 0700, f);

		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", path) : fd;
}

static int open_unit(const char *unit, bool make, struct fail *f)
{
	char path[512];

	snprintf(path, sizeof(path), SCRATCH "/%s", unit);
	return open_dir(path, make, f);
}

static bool has_entries(int fd)
{
	struct stat st;

	/* ".", the parent's entry, and one link for each directory in it */
	return fstat(fd, &st) == 0 && st.st_nlink != 2;
}

/* Renames everything in a unit's directory into the trash. */
static int throw_away(int fd, const char *unit, bool *ret_any, struct fail *f)
{
	_fd_
	int trash = -1, again = -1;
	_dir_ DIR *dir = NULL;

	trash = open_dir(SCRATCH_TRASH, true, f);
	if (trash < 0)
		return trash;
	again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = again < 0 ? NULL : fdopendir(again);
	if (!dir)
		return fail_set(f, errno, "reading \"" SCRATCH "/%s\"", unit);
	take_fd(&again); /* dir has it */
	for (struct dirent *e; (e = readdir(dir));) {
		char name[512];

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s.%s", unit, e->d_name);
		if (renameat(fd, e->d_name, trash, name) < 0 && errno != ENOENT)
			return fail_set(f, errno, "rename into \"" SCRATCH_TRASH "\"");
		*ret_any = true;
	}
	return 0;
}

int scratch_make(const char *unit, int *ret_fd, char **ret_name, bool *ret_trash, struct fail *f)
{
	struct timespec now;
	_free_
	char *name = NULL;
	_fd_
	int parent = open_unit(unit, true, f), fd = -1;
	int r;

	if (parent < 0)
		return parent;
	r = has_entries(parent) ? throw_away(parent, unit, ret_trash, f) : 0;
	if (r < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	if (asprintf(&name, "%llx%08lx", (unsigned long long)now.tv_sec,
		     (unsigned long)now.tv_nsec) < 0)
		return fail_set(f, ENOMEM, "scratch");
	if (mkdirat(parent, name, 0700) < 0)
		return fail_set(f, errno, "mkdir(\"" SCRATCH "/%s/%s\")", unit, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0755) < 0) {
		r = fail_set(f, errno, "making \"" SCRATCH "/%s/%s\"", unit, name);
		(void)io_remove_tree(parent, name, NULL);
		return r;
	}
	*ret_fd = take_fd(&fd);
	*ret_name = take_ptr(name);
	return 0;
}

void scratch_remove(const char *unit, const char *name)
{
	_fd_
	int parent = open_unit(unit, false, NULL);

	if (parent >= 0)
		(void)io_remove_tree(parent, name, NULL);
}

static int sweeper(void *arg)
{
	int trash;

	(void)arg;
	close_range(0, ~0u, 0);
	setpriority(PRIO_PROCESS, 0, 10);
	trash = open_dir(SCRATCH_TRASH, false, NULL);
	if (trash >= 0)
		(void)io_empty_dir(trash, NULL); /* another sweeper may be at it too */
	_exit(0);
}

void scratch_sweep(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	/* in our memory: copying page tables costs more than all of the rest. Failed: the next start tries */
	(void)clone(sweeper, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
}

int scratch_clean(const char *unit, struct fail *f)
{
	_fd_
	int fd = open_unit(unit ? unit : "", false, f), trash = -1;
	bool any;
	int r = fd;

	if (fd >= 0)
		r = unit ? throw_away(fd, unit, &any, f) : io_empty_dir(fd, f);
	trash = open_dir(SCRATCH_TRASH, false, NULL);
	if (trash >= 0 && (r == 0 || r == -ENOENT))
		r = io_empty_dir(trash, f);
	return r == -ENOENT ? 0 : r;
}
