/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

/* IN_ROOT gives EAGAIN when something is renamed while ".." is resolved; whoever renames in a loop
 * must not be able to hold us up for ever. */
#define TRIES 64

static int resolve_in(int root, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};

	for (int i = 0; i < TRIES; i++) {
		int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

int inroot_open(int root, const char *path, uint64_t flags, uint64_t resolve, struct fail *f)
{
	int fd = resolve_in(root, path, flags, 0, resolve);

	return fd < 0 ? fail_set(f, -fd, "\"%s\" in the container", path) : fd;
}

bool inroot_is_kernels(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	       fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The slow way: part after part. Each directory is made below an fd of its parent, never by a path. */
static int make_parts(int root, const char *path)
{
	char prefix[PATH_MAX];
	_fd_
	int parent = resolve_in(root, "/", O_PATH | O_DIRECTORY, 0, 0);
	size_t at = 0;

	if (strlen(path) >= sizeof(prefix))
		return -ENAMETOOLONG;
	while (parent >= 0 && path[at]) {
		size_t start = at + 1;
		int fd;

		at = start + strcspn(path + start, "/");
		memcpy(prefix, path, at);
		prefix[at] = '\0';
		fd = resolve_in(root, prefix, O_PATH | O_DIRECTORY, 0, 0);
		if (fd == -ENOENT) {
			/* EEXIST: a link to nowhere; the second try says ENOENT again */
			if (mkdirat(parent, prefix + start, 0755) < 0 && errno != EEXIST)
				return -errno;
			fd = resolve_in(root, prefix, O_PATH | O_DIRECTORY, 0, 0);
		}
		close(parent);
		parent = fd;
	}
	return take_fd(&parent);
}

int inroot_mkdirs(int root, const char *path, struct fail *f)
{
	int fd = resolve_in(root, path, O_PATH | O_DIRECTORY, 0, 0);

	if (fd == -ENOENT)
		fd = make_parts(root, path);
	return fd < 0 ? fail_set(f, -fd, "directory \"%s\" in the container", path) : fd;
}

int inroot_parent(int root, const char *path, const char **ret_name, struct fail *f)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t len = (size_t)(slash - path);

	if (len >= sizeof(dir))
		return fail_set(f, ENAMETOOLONG, "\"%.40s...\"", path);
	memcpy(dir, path, len);
	dir[len] = '\0';
	*ret_name = slash + 1;
	return inroot_mkdirs(root, len ? dir : "/", f);
}

int inroot_mkfile(int root, const char *path, struct fail *f)
{
	_fd_
	int parent = -1, made = -1;
	const char *name;
	int fd = resolve_in(root, path, O_PATH, 0, 0);

	if (fd != -ENOENT)
		return fd < 0 ? fail_set(f, -fd, "\"%s\" in the container", path) : fd;
	parent = inroot_parent(root, path, &name, f);
	if (parent < 0)
		return parent;
	made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (made < 0 && errno != EEXIST)
		return fail_set(f, errno, "making \"%s\" in the container", path);
	return inroot_open(root, path, O_PATH, 0, f);
}
