/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int io_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_len,
	       struct fail *f)
{
	_free_
	char *data = NULL;
	struct stat st;
	size_t used = 0;

	if (fstat(fd, &st) < 0)
		return fail_set(f, errno, "stat(\"%s\")", name);
	if (S_ISDIR(st.st_mode))
		return fail_set(f, EISDIR, "\"%s\"", name);
	if (!S_ISREG(st.st_mode))
		return fail_set(f, EINVAL, "\"%s\" is not a regular file", name);
	if (st.st_size > 0 && (unsigned long long)st.st_size > max)
		return fail_set(f, EFBIG, "\"%s\" has %lld bytes, at most %zu are read", name,
				(long long)st.st_size, max);
	/* procfs says 0 bytes and has some, so the size is only where to begin; and what lies below
	 * /proc/sys can be read from offset 0 alone, so it must fit at once */
	for (size_t cap = st.st_size ? (size_t)st.st_size + 1 : 4096;; cap = cap * 2 + 512) {
		char *grown = realloc(data, cap + 1);
		ssize_t n;

		if (!grown)
			return fail_set(f, ENOMEM, "reading \"%s\"", name);
		data = grown;
		while (used < cap && (n = pread(fd, data + used, cap - used, (off_t)used)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return fail_set(f, errno, "read(\"%s\")", name);
			used += (size_t)n;
		}
		if (used > max)
			return fail_set(f, EFBIG, "\"%s\": at most %zu bytes are read", name, max);
		if (used < cap)
			break;
	}
	data[used] = '\0';
	*ret_data = take_ptr(data);
	*ret_len = used;
	return 0;
}

int io_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len,
		 struct fail *f)
{
	_fd_
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	return io_read_fd(fd, path, max, ret_data, ret_len, f);
}

int io_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_write_file(int dirfd, const char *path, const char *value, struct fail *f)
{
	_fd_
	int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	n = write(fd, value, len);
	if (n < 0)
		return fail_set(f, errno, "write \"%s\" to \"%s\"", value, path);
	if ((size_t)n != len)
		return fail_set(f, EIO, "short write to \"%s\"", path);
	return 0;
}

static int write_temporary(int dirfd, const char *temporary, const void *data, size_t len,
			   mode_t mode, struct fail *f)
{
	_fd_
	int fd = -1;
	int r;

	/* made anew: one that an interrupted attempt left behind may have another mode, or a reader */
	if (unlinkat(dirfd, temporary, 0) < 0 && errno != ENOENT)
		return fail_set(f, errno, "unlink(\"%s\")", temporary);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return fail_set(f, errno, "create(\"%s\")", temporary);
	r = io_write_all(fd, data, len);
	if (r < 0)
		return fail_set(f, -r, "write(\"%s\")", temporary);
	if (fsync(fd) < 0)
		return fail_set(f, errno, "fsync(\"%s\")", temporary);
	return 0;
}

int io_replace_file(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		    struct fail *f)
{
	char temporary[NAME_MAX + 1];
	_fd_
	int parent = -1;
	int r;

	if (strchr(name, '/') ||
	    snprintf(temporary, sizeof(temporary), ".%s.tmp", name) >= (int)sizeof(temporary))
		return fail_set(f, ENAMETOOLONG, "\"%s\" is no file name", name);
	r = write_temporary(dirfd, temporary, data, len, mode, f);
	if (r == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		r = fail_set(f, errno, "rename(\"%s\", \"%s\")", temporary, name);
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		return r;
	}
	parent = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0 || fsync(parent) < 0)
		return fail_set(f, errno, "sync the directory of \"%s\"", name);
	return 0;
}

int io_mkdirs(const char *path, mode_t mode, struct fail *f)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len >= sizeof(part))
		return fail_set(f, ENAMETOOLONG, "\"%.64s...\"", path);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST && errno != EROFS)
			return fail_set(f, errno, "mkdir(\"%s\")", part);
		part[i] = path[i];
	}
	if (stat(path, &st) < 0)
		return fail_set(f, errno, "mkdir(\"%s\")", path);
	return S_ISDIR(st.st_mode) ? 0 : fail_set(f, ENOTDIR, "mkdir(\"%s\")", path);
}

/* Empties the directory dir and closes it. What is mounted in it stays: the caller's rmdir then says EBUSY. */
static int empty_dir(int dir, dev_t dev, int depth)
{
	_dir_ DIR *list = fdopendir(dir);
	struct dirent *e;

	if (!list) {
		int code = errno;

		close(dir);
		return -code;
	}
	while ((errno = 0, e = readdir(list))) {
		struct stat st;
		_fd_
		int child = -1;
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dir, e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR)
			return -errno;
		child = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0 || fstat(child, &st) < 0)
			return -errno;
		if (st.st_dev != dev)
			return -EXDEV;
		if (depth <= 0)
			return -ELOOP;
		r = empty_dir(take_fd(&child), dev, depth - 1);
		if (r < 0)
			return r;
		if (unlinkat(dir, e->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return -errno;
	}
	return -errno;
}

int io_remove_tree(int dirfd, const char *name, struct fail *f)
{
	_fd_
	int dir = -1;
	struct stat st;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return fail_set(f, errno, "unlink(\"%s\")", name);
	dir = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return fail_set(f, errno, "open(\"%s\")", name);
	/* one fd a level: 500 levels stay far below RLIMIT_NOFILE of 1024 */
	r = empty_dir(take_fd(&dir), st.st_dev, 500);
	if (r < 0)
		return fail_set(f, -r, "emptying \"%s\"", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fail_set(f, errno, "rmdir(\"%s\")", name);
	return 0;
}

int io_empty_dir_but(int fd, const char *keep, struct fail *f)
{
	_dir_ DIR *dir = NULL;
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int first = 0;

	if (again < 0)
		return fail_set(f, errno, "open a directory");
	dir = fdopendir(again);
	if (!dir) {
		close(again);
		return fail_set(f, ENOMEM, "read a directory");
	}
	for (struct dirent *e; (e = readdir(dir));) {
		int r = 0;

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    (!keep || strcmp(e->d_name, keep)))
			r = io_remove_tree(fd, e->d_name, first ? NULL : f);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int io_empty_dir(int dir, struct fail *f)
{
	return io_empty_dir_but(dir, NULL, f);
}

int io_sealed_memfd(const char *name, const void *data, size_t len, struct fail *f)
{
	_fd_
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return fail_set(f, errno, "memfd_create(\"%s\")", name);
	r = io_write_all(fd, data, len);
	if (r < 0)
		return fail_set(f, -r, "write to memfd \"%s\"", name);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return fail_set(f, errno, "seal memfd \"%s\"", name);
	return take_fd(&fd);
}

union fds_message {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * IO_FDS_MAX)];
};

ssize_t io_send_fds(int sock, const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	union fds_message control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (n_fds > IO_FDS_MAX)
		return -E2BIG;
	if (n_fds) {
		struct cmsghdr *c = &control.align;

		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t io_recv_fds(int sock, void *data, size_t len, int fds[IO_FDS_MAX], size_t *ret_n_fds)
{
	struct iovec iov = {.iov_base = data, .iov_len = len};
	union fds_message control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	size_t n_fds = 0;
	ssize_t n;

	*ret_n_fds = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
	}
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return -EMSGSIZE;
	}
	*ret_n_fds = n_fds;
	return n;
}
