/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that an image or a volume controls, resolved once, inside the container's root, to an fd.
 *
 * Everything is openat2() with RESOLVE_IN_ROOT and without magic links: a symbolic link, however hostile,
 * ends inside. What the caller then does, it does to the fd, so that a path swapped in between changes
 * nothing. `root` is a directory fd; paths are absolute ("/etc") and mean the container's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fail.h"

/* Opens an existing path. flags as for open(), O_CLOEXEC is added; resolve is added to IN_ROOT and
 * NO_MAGICLINKS. Returns the fd or -errno. */
int inroot_open(int root, const char *path, uint64_t flags, uint64_t resolve, struct fail *f);

/* Whether it lies in one of the kernel's own file systems, proc, sysfs or cgroup2: by a link in the image, or in a
 * volume mounted before, any path may turn out to. */
bool inroot_is_kernels(int fd);

/* O_PATH fd of a directory; missing parts are made with mode 0755. */
int inroot_mkdirs(int root, const char *path, struct fail *f);

/* O_PATH fd of path to mount a non-directory on: made as an empty file if missing, its folders too. */
int inroot_mkfile(int root, const char *path, struct fail *f);

/* O_PATH fd of the directory that holds path's last component, which *ret_name points to (into path). */
int inroot_parent(int root, const char *path, const char **ret_name, struct fail *f);
