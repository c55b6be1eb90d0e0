/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the writer that find and make things below the tree's root. Not for others. */
#pragma once

#include "rootfs/images/writer.h"

/* Opens a directory of the tree by its real path ("" = the root). */
int tree_open(const struct writer *w, const char *real, struct fail *f);

/* Walks a normalised path to a directory of the tree, making what is missing. Returns its fd, its
 * real path in ret_real. */
int tree_walk(struct writer *w, const char *path, char ret_real[LIMIT_ENTRY_PATH + 1],
	      struct fail *f);

/* Owner, mode and attributes of the opened file or directory, in the order that keeps setuid bits and
 * capabilities. */
int tree_attributes(struct writer *w, int fd, const struct entry *e, struct fail *f);

/* Puts down a directory's time for later. */
int tree_time_later(struct writer *w, const char *real, struct timespec mtime, struct fail *f);

/* Owner, mode and attributes of an opened file of a layer below. */
int tree_copy_attributes(int from, int to, const struct stat *st, struct fail *f);

/* Copies a file, link or FIFO of a layer below to the same place in this tree. */
int tree_copy_up(struct writer *w, int from, const char *name, const struct stat *st, int to,
		 struct fail *f);

/* Makes the root of a tar without an entry for it like the root below it. */
int tree_root_from_below(struct writer *w, struct fail *f);

/* Hides everything that the layers below have, name by name: overlayfs merges roots whatever is
 * said, and a tree with marks for these names is only good on these layers. */
int tree_hide_all_below(struct writer *w, struct fail *f);

/* Writes an entry of each kind at a name of a directory; NULL where policy_kind() does not say WRITE. */
extern int (*const tree_writers[ENTRY__N])(struct writer *, int parent, const char *name,
					   const struct entry *, struct fail *);

int tree_set_opaque(int dir, struct fail *f);
int tree_whiteout(int parent, const char *name, struct fail *f);
void writer_note(struct writer *w, const char *path, const char *text);
