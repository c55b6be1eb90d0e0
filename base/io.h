/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and sockets, the few shapes that every program needs. Shell code: system calls, no policy.
 * All fds that come out are O_CLOEXEC. Paths are taken below a directory fd (AT_FDCWD is one).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/fail.h"

/* Reads a regular file whole. *ret_data is NUL-terminated (the NUL does not count) and belongs to the
 * caller. Not a regular file: -EINVAL, -EISDIR; more than max bytes: -EFBIG. A FIFO or device is
 * never waited for. */
int io_read_file(int dirfd, const char *path, size_t max, char **ret_data, size_t *ret_len,
		 struct fail *f);

/* Reads an open fd from its start to its end by the same rules (memfds and regular files only). */
int io_read_fd(int fd, const char *name, size_t max, char **ret_data, size_t *ret_len,
	       struct fail *f);

/* Writes all bytes, whatever write() makes of them; for blocking fds. */
int io_write_all(int fd, const void *data, size_t len);

/* One write() of a whole string into an existing file, as sysfs, procfs and cgroupfs want it. */
int io_write_file(int dirfd, const char *path, const char *value, struct fail *f);

/* Makes or replaces a file: written beside it as `.<name>.tmp`, synced, renamed, directory synced.
 * Whoever looks sees the old content or the new one, also after a power cut. */
int io_replace_file(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		    struct fail *f);

/* mkdir -p: every missing part of path gets `mode`; symbolic links on the way are followed, so only
 * for paths that nobody else controls. */
int io_mkdirs(const char *path, mode_t mode, struct fail *f);

/* Removes name below dirfd, with all that is in it if it is a directory. Never follows a symbolic link
 * and never crosses into another mount. Nothing there: 0. */
int io_remove_tree(int dirfd, const char *name, struct fail *f);

/* Removes everything in a directory (any fd of it but O_PATH), by the same rules; goes on after an error
 * and returns the first one. The second form leaves the entry `keep`, if that is not NULL. */
int io_empty_dir(int dir, struct fail *f);
int io_empty_dir_but(int dir, const char *keep, struct fail *f);

/* A sealed memfd with these bytes, for handing to a child that reads and cannot change it. */
int io_sealed_memfd(const char *name, const void *data, size_t len, struct fail *f);

/* One packet with up to IO_FDS_MAX fds. Returns bytes sent, or -errno. Never raises SIGPIPE. */
#define IO_FDS_MAX 8
ssize_t io_send_fds(int sock, const void *data, size_t len, const int *fds, size_t n_fds);

/* One packet; fds (close-on-exec) are put into fds[], *ret_n_fds tells how many. A packet with more
 * fds than IO_FDS_MAX or bytes than len is refused with -EMSGSIZE and its fds closed. Returns bytes
 * received, 0 at end of file, or -errno. */
ssize_t io_recv_fds(int sock, void *data, size_t len, int fds[IO_FDS_MAX], size_t *ret_n_fds);
