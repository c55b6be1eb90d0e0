/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"

static int open_unit(const char *unit, bool make, struct fail *f)
{
	char path[512];
	int fd, r;

	snprintf(path, sizeof(path), SCRATCH "/%s", unit);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		r = io_mkdirs(path, 0700, f);
		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", path) : fd;
}

static bool has_leftovers(int fd)
{
	struct stat st;

	/* "." , the parent's entry, and one link for each directory in it */
	return fstat(fd, &st) == 0 && st.st_nlink != 2;
}

/* A child of its own: who starts a container does not wait until the last one's files are gone. */
static void remove_in_background(int fd, const char *keep)
{
	pid_t pid = fork();

	if (pid != 0)
		return; /* a fork that failed: the next start tries again */
	if (fd != 3)
		dup2(fd, 3);
	for (int i = 0; i < 3; i++)
		close(i);
	close_range(4, ~0u, 0);
	setpriority(PRIO_PROCESS, 0, 10);
	(void)io_empty_dir_but(3, keep, NULL);
	_exit(0);
}

int scratch_make(const char *unit, int *ret_fd, char **ret_name, struct fail *f)
{
	struct timespec now;
	_free_
	char *name = NULL;
	_fd_
	int parent = open_unit(unit, true, f), fd = -1;
	bool leftovers;

	if (parent < 0)
		return parent;
	leftovers = has_leftovers(parent);
	clock_gettime(CLOCK_REALTIME, &now);
	if (asprintf(&name, "%llx%08lx", (unsigned long long)now.tv_sec,
		     (unsigned long)now.tv_nsec) < 0)
		return fail_set(f, ENOMEM, "scratch");
	if (mkdirat(parent, name, 0700) < 0)
		return fail_set(f, errno, "mkdir(\"" SCRATCH "/%s/%s\")", unit, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0755) < 0) {
		int r = fail_set(f, errno, "making \"" SCRATCH "/%s/%s\"", unit, name);

		(void)io_remove_tree(parent, name, NULL);
		return r;
	}
	if (leftovers)
		remove_in_background(parent, name);
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

int scratch_clean(const char *unit, struct fail *f)
{
	_fd_
	int fd = open_unit(unit ? unit : "", false, f);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return io_empty_dir(fd, f);
}
