/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership that the eye can follow: a variable marked _fd_, _free_, _file_ or _dir_ owns what it
 * holds and gives it up at the end of its scope; take_fd() and take_ptr() mark the place where
 * somebody else becomes the owner. Cleaning up never changes errno, so that a failing function may
 * set it and return.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p); /* glibc's free keeps errno since 2.33 */
}

static inline void cleanup_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	errno = saved;
}

static inline void cleanup_dir(DIR **dir)
{
	int saved = errno;

	if (*dir)
		closedir(*dir);
	errno = saved;
}

#define _fd_   __attribute__((cleanup(cleanup_fd)))
#define _free_ __attribute__((cleanup(cleanup_free)))
#define _file_ __attribute__((cleanup(cleanup_file)))
#define _dir_  __attribute__((cleanup(cleanup_dir)))

/* The fd in *fd, which is -1 from now on: the caller is its owner. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The pointer in p, which is NULL from now on: the caller is its owner. */
#define take_ptr(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
