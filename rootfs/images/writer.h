/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes one layer's tree from the entries of its tar, in overlayfs form.
 *
 * Everything is done relative to fds below the tree's root. A parent path is walked component by
 * component; a symbolic link on the way is followed as a process chrooted to the image would, which
 * never leaves the tree. The last component is never followed.
 *
 * A layer's tree depends on its tar alone, so that images can share it by its diff id, with two
 * exceptions. Where the tar takes for granted what only a layer below has (a hard link's target, a
 * parent directory with attributes of its own, a symbolic link on the way), that is copied up and the
 * tree is `dependent`: it is only good on top of these layers. Where it leaves out a parent directory
 * that has common attributes (0755 root) or is nowhere, the directory is made so and its path noted
 * in `assumes`: the tree may be shared wherever the same holds (layer_assumptions_hold()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "rootfs/images/lower.h"
#include "rootfs/images/policy.h"

struct dir_time {
	char *path;
	struct timespec mtime;
};

struct writer {
	int root;                   /* of the tree; the caller's */
	const struct layers *below; /* the caller's */
	struct quota *quota;        /* the caller's */
	void (*note)(void *arg, const char *text);
	void *note_arg;
	bool dependent;
	struct buf assumes;      /* words: normalised paths */
	uint64_t bytes, entries; /* of this layer */

	/* the file that is being written */
	int file;           /* or -1 */
	struct entry entry; /* strings in entry_text */
	struct buf entry_text;
	/* the directory entries came into last: its name in the tar, its real path, its fd */
	char parent[LIMIT_ENTRY_PATH + 1];
	char real[LIMIT_ENTRY_PATH + 1];
	int parent_fd; /* or -1 */

	bool root_seen;         /* the tar had an entry for the root */
	bool root_opaque;       /* the tar hides all of the layers below */
	struct dir_time *times; /* set when nothing will be written any more */
	size_t n_times, cap_times;
};

/* root: an fd of an empty directory. */
void writer_init(struct writer *w, int root, const struct layers *below, struct quota *q);
void writer_done(struct writer *w);

int writer_entry(struct writer *w, const struct entry *e, struct fail *f);
int writer_data(struct writer *w, uint64_t offset, const void *data, size_t len, struct fail *f);

/* The end of the tar: what had to wait is done. */
int writer_finish(struct writer *w, struct fail *f);

/* Whether directories made without being in the tar (words) would be made the same on these layers.
 * 1, 0 or -errno. */
int layer_assumptions_hold(const char *assumes, size_t len, const struct layers *below,
			   struct fail *f);
