/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer takes over from the ones below. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "rootfs/images/tree.h"

static int copy_xattrs(int from, int to, struct fail *f)
{
	char names[64 << 10], value[64 << 10];
	ssize_t len = flistxattr(from, names, sizeof(names));

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n;

		if (!policy_xattr(names + at))
			continue;
		n = fgetxattr(from, names + at, value, sizeof(value));
		if (n < 0 || fsetxattr(to, names + at, value, (size_t)n, 0) < 0)
			return fail_set(f, errno, "copy attribute %.80s", names + at);
	}
	return len < 0 && errno != ENOTSUP ? fail_set(f, errno, "list attributes") : 0;
}

int tree_copy_attributes(int from, int to, const struct stat *st, struct fail *f)
{
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return fail_set(f, errno, "copy owner and mode");
	return copy_xattrs(from, to, f);
}

int tree_hide_all_below(struct writer *w, struct fail *f)
{
	for (size_t i = 0; i < w->below->n; i++) {
		int fd = openat(w->below->fd[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_dir_ DIR *list = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *e;

		if (!list)
			return fail_set(f, errno, "list the root of a layer below");
		while ((errno = 0, e = readdir(list))) {
			int r;

			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			w->dependent = true;
			r = tree_whiteout(w->root, e->d_name, f);
			if (r < 0)
				return r;
		}
		if (errno)
			return fail_set(f, errno, "list the root of a layer below");
	}
	return 0;
}

static int copy_content(int from, int to, uint64_t size, struct fail *f)
{
	while (size) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, size, 0);

		if (n <= 0)
			return fail_set(f, n < 0 ? errno : EIO, "copy from a layer below");
		size -= (uint64_t)n;
	}
	return 0;
}

static int copy_file(int from, const char *name, const struct stat *st, int to, struct fail *f)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
	_fd_
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_fd_
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (in < 0 || out < 0)
		return fail_set(f, errno, "copy \"%s\" from a layer below", name);
	r = copy_content(in, out, (uint64_t)st->st_size, f);
	if (r == 0)
		r = tree_copy_attributes(in, out, st, f);
	if (r == 0 && futimens(out, times) < 0)
		r = fail_set(f, errno, "time of \"%s\"", name);
	return r;
}

/* Links and FIFOs: what has no content. */
static int copy_special(int from, const char *name, const struct stat *st, int to, struct fail *f)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, st->st_mtim};
	char target[PATH_MAX];
	ssize_t n = 0;
	int r;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(from, name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		r = n < 0 ? -1 : symlinkat(target, to, name);
	} else {
		r = mknodat(to, name, S_IFIFO | (st->st_mode & 07777), 0);
	}
	if (r < 0 || fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "copy \"%s\" from a layer below", name);
	return 0;
}

int tree_copy_up(struct writer *w, int from, const char *name, const struct stat *st, int to,
		 struct fail *f)
{
	int r;

	w->dependent = true;
	if (S_ISREG(st->st_mode)) {
		r = quota_add(w->quota, (uint64_t)st->st_size, f);
		return r < 0 ? r : copy_file(from, name, st, to, f);
	}
	if (S_ISLNK(st->st_mode) || S_ISFIFO(st->st_mode))
		return copy_special(from, name, st, to, f);
	return fail_set(f, EPERM, "a hard link to a directory in a layer below");
}
