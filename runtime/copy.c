/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/store.h"

#define ROOT_FD 3 /* nothing else is open above 2 */

static int open_inside(int dir, const char *path, uint64_t flags, unsigned mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* The file, whatever was put there meanwhile. */
static int open_regular(const struct copy *c, uint64_t flags, struct fail *f)
{
	char below[8192];
	struct stat st;
	_fd_
	int fd = -1;

	fd = open_inside(ROOT_FD, c->path, flags, c->mode);
	if (fd == -EISDIR && c->into && c->name) {
		snprintf(below, sizeof(below), "%s/%s", c->path, c->name);
		fd = open_inside(ROOT_FD, below, flags, c->mode);
	}
	if (fd < 0)
		return fail_set(f, -fd, "\"%s\"", c->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail_set(f, 0,
				"\"%s\" is no regular file; for a directory: orlop exec UNIT tar",
				c->path);
	/* only now: nothing else was changed by a look at it */
	if (c->into && ftruncate(fd, 0) < 0)
		return fail_set(f, errno, "\"%s\"", c->path);
	return take_fd(&fd);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int copy_file(struct run *run, const struct copy *c, struct fail *f)
{
	static char data[65536];
	int from, to;
	ssize_t n;
	_fd_
	int file = -1;

	if (run->root != ROOT_FD && dup2(run->root, ROOT_FD) < 0)
		return fail_set(f, errno, "the container's root");
	close_range(ROOT_FD + 1, ~0u, 0);
	file = open_regular(c, c->into ? O_WRONLY | O_CREAT : O_RDONLY, f);
	if (file < 0)
		return file;
	from = c->into ? STDIN_FILENO : file;
	to = c->into ? file : STDOUT_FILENO;
	while ((n = read(from, data, sizeof(data))) != 0) {
		int r = n < 0 ? -errno : write_all(to, data, (size_t)n);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return fail_set(f, -r, "copying \"%s\"", c->path);
	}
	return 0;
}
