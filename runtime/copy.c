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
#include "base/io.h"
#include "base/tree.h"

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
		return fail_set(f, 0, "\"%s\" is no regular file", c->path);
	/* only now: nothing else was changed by a look at it */
	if (c->into && ftruncate(fd, 0) < 0)
		return fail_set(f, errno, "\"%s\"", c->path);
	return take_fd(&fd);
}

static int copy_bytes(const struct copy *c, struct fail *f)
{
	static char data[65536];
	int from, to;
	ssize_t n;
	_fd_
	int file = -1;

	file = open_regular(c, c->into ? O_WRONLY | O_CREAT : O_RDONLY, f);
	if (file < 0)
		return file;
	from = c->into ? STDIN_FILENO : file;
	to = c->into ? file : STDOUT_FILENO;
	while ((n = read(from, data, sizeof(data))) != 0) {
		int r = n < 0 ? -errno : io_write_all(to, data, (size_t)n);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return fail_set(f, -r, "copying \"%s\"", c->path);
	}
	return 0;
}

/* --- trees ------------------------------------------------------------------------------------ */

static unsigned left_out;

static void skipped(const char *name, const char *why)
{
	left_out++;
	dprintf(STDERR_FILENO, "orlop: \"%s\" is left out: %s\n", name, why);
}

static int send_tree(const struct copy *c, struct fail *f)
{
	_fd_
	int fd = open_inside(ROOT_FD, c->path, O_RDONLY, 0);
	struct stat st;
	int r;

	if (fd < 0)
		return fail_set(f, -fd, "\"%s\"", c->path);
	if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return fail_set(f, 0, "\"%s\" is neither a regular file nor a folder", c->path);
	r = tree_send(STDOUT_FILENO, fd, skipped, f);
	if (r == 0 && left_out)
		return fail_set(f, 0, "not everything was copied");
	return r;
}

static int folder_in(int dir, const char *name, unsigned mode, struct fail *f)
{
	int fd;

	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return fail_set(f, errno, "\"%s\"", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "\"%s\"", name) : fd;
}

/* The folder that what comes becomes: the path itself if it is not there, else below it. */
static int target(void *ctx, bool folder, unsigned mode, struct fail *f)
{
	const struct copy *c = ctx;
	char parent[4096];
	char *slash;
	_fd_
	int fd = -1;

	if (!folder)
		return fail_set(f, EBADMSG, "a folder was announced");
	fd = open_inside(ROOT_FD, c->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0)
		return c->name ? folder_in(fd, c->name, mode, f) : take_fd(&fd);
	if (fd != -ENOENT || strlen(c->path) >= sizeof(parent))
		return fail_set(f, -fd, "\"%s\"", c->path);
	strcpy(parent, c->path);
	for (size_t len = strlen(parent); len > 1 && parent[len - 1] == '/'; len--)
		parent[len - 1] = '\0';
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	fd = open_inside(ROOT_FD, slash && *parent ? parent : "/", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fail_set(f, -fd, "\"%s\"", c->path);
	return folder_in(fd, slash ? slash + 1 : parent, mode, f);
}

static int receive_tree(const struct copy *c, struct fail *f)
{
	struct tree_place place = {
		.open = target,
		.ctx = (void *)c,
		.modes = c->archive ? 07777 : 0777,
		.owners = c->archive,
	};

	return tree_receive(STDIN_FILENO, &place, f);
}

int copy_file(struct run *run, const struct copy *c, struct fail *f)
{
	if (run->root != ROOT_FD && dup2(run->root, ROOT_FD) < 0)
		return fail_set(f, errno, "the container's root");
	close_range(ROOT_FD + 1, ~0u, 0);
	if (c->tree)
		return c->into ? receive_tree(c, f) : send_tree(c, f);
	return copy_bytes(c, f);
}
