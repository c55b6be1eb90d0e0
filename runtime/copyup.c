/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/copyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEPTH_MAX 64 /* fds that are open at a time */

static int copy_dir(int from, int to, int depth, struct fail *f);

/* Owner, then mode: chown takes setuid bits away. */
static int copy_meta(int to, const struct stat *st, struct fail *f)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0 ||
	    futimens(to, times) < 0)
		return fail_set(f, errno, "owner and mode of a copy");
	return 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st, struct fail *f)
{
	_fd_
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1;
	off_t left = st->st_size;

	if (in >= 0)
		out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (in < 0 || out < 0)
		return fail_set(f, errno, "copying \"%s\"", name);
	while (left > 0) {
		ssize_t n = sendfile(out, in, NULL, left > (1 << 30) ? 1 << 30 : (size_t)left);

		if (n < 0)
			return fail_set(f, errno, "copying \"%s\"", name);
		if (n == 0)
			break;
		left -= n;
	}
	return copy_meta(out, st, f);
}

static int copy_link(int from, int to, const char *name, const struct stat *st, struct fail *f)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail_set(f, errno, "readlink(\"%s\")", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0 ||
	    fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "copying \"%s\"", name);
	return 0;
}

static int copy_folder(int from, int to, const char *name, int depth, struct fail *f)
{
	_fd_
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1;

	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return fail_set(f, errno, "copying \"%s\"", name);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return fail_set(f, errno, "copying \"%s\"", name);
	return copy_dir(in, out, depth + 1, f);
}

static int copy_one(int from, int to, const char *name, int depth, struct fail *f)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "stat(\"%s\")", name);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st, f);
	if (S_ISDIR(st.st_mode))
		return copy_folder(from, to, name, depth, f);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st, f);
	if (S_ISFIFO(st.st_mode) &&
	    (mknodat(to, name, st.st_mode & (S_IFMT | 0777), 0) < 0 ||
	     fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0))
		return fail_set(f, errno, "copying \"%s\"", name);
	return 0;
}

static int copy_dir(int from, int to, int depth, struct fail *f)
{
	_dir_ DIR *dir = NULL;
	struct stat st;
	int r = 0, again;

	if (depth == DEPTH_MAX)
		return fail_set(f, ELOOP, "the image's folder is nested more than %d deep",
				DEPTH_MAX);
	if (fstat(from, &st) < 0 ||
	    (again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail_set(f, errno, "reading a folder of the image");
	dir = fdopendir(again);
	if (!dir) {
		close(again);
		return fail_set(f, ENOMEM, "reading a folder of the image");
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = copy_one(from, to, e->d_name, depth, f);
	return r < 0 ? r : copy_meta(to, &st, f);
}

int copyup(int from, int to, struct fail *f)
{
	return copy_dir(from, to, 0, f);
}
