/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount API of Linux 5.2 to 5.12 in four verbs. A mount is made detached, gets all its attributes
 * there, and becomes visible last, on an fd: nobody ever sees it half made. The fd that made it goes on
 * to mean the mount's root.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

/* A new file system, detached. options: comma list of KEY or KEY=VALUE; attr: MOUNT_ATTR_* bits. */
int mnt_new(const char *type, const char *options, uint64_t attr, struct fail *f);

/* A detached copy of the mount at path below dirfd ("" = dirfd itself), with all mounts in it if
 * `recursive`. A link at the end of path is followed. */
int mnt_clone(int dirfd, const char *path, bool recursive, struct fail *f);

/* Sets and clears MOUNT_ATTR_* bits of a mount (and all below it if `recursive`); userns >= 0: files
 * show ids as that user namespace maps them. -EINVAL: the file system cannot be idmapped. */
int mnt_attr(int mount, uint64_t set, uint64_t clear, int userns, bool recursive, struct fail *f);

/* Makes it private, slave or shared (MS_PRIVATE...), recursively. */
int mnt_propagation(int mount, uint64_t propagation, struct fail *f);

/* Attaches a detached mount on the file or directory that target (any fd, O_PATH too) is. */
int mnt_attach(int mount, int target, struct fail *f);

/* "ro,nosuid,noexec" -> MOUNT_ATTR_* bits; words that are no attribute are skipped. */
uint64_t mnt_attr_parse(const char *flags);
