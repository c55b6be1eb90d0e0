/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers below the one that is being written, looked at as the kernel's overlayfs would show them:
 * the upper name hides the lower one, whiteouts and opaque directories hide what is below.
 *
 * Most layers never ask. Those that name a hard link's target, or a parent directory, that only a
 * layer below has, do; see rootfs/images/writer.h for what follows from that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/limits.h"

#define OPAQUE_XATTR "trusted.overlay.opaque"

struct layers {
	int fd[LIMIT_IMAGE_LAYERS]; /* directory of each layer's tree, lowest first; owned */
	size_t n;
};

void layers_done(struct layers *l);

/*
 * Finds a normalised path that has no symbolic link among its parents in the merged view. `top` is
 * one more tree above them all, for its whiteouts and opaque directories only, or -1. The last
 * component is not followed. 1: found, *ret_dir is an fd (the caller's) of the directory it lies in, *ret_st
 * its status. 0: nothing there. -errno.
 */
int layers_find(const struct layers *l, int top, const char *path, int *ret_dir,
		struct stat *ret_st, struct fail *f);

/* Whether st is what overlayfs takes for "removed": a character device 0:0. */
bool is_whiteout(const struct stat *st);

/* Whether the directory fd hides what the layers below have there. */
bool is_opaque(int dir);
