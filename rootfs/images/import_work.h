/* SPDX-License-Identifier: Apache-2.0 */
/* An import in progress. For import.c, which makes, and commit.c, which puts into place; not for others. */
#pragma once

#include "rootfs/images/archive.h"
#include "rootfs/images/import.h"

/* A layer that was made and waits for its place. */
struct made {
	char name[STORE_HEX_MAX + 1]; /* in layers/, and in the work directory */
	struct layer_meta meta;
};

struct import {
	const struct store *store;
	const struct import_limits *limits;
	const struct out *out;
	struct archive_file archive;
	char work_name[32];
	int work; /* directory in tmp/ */
	struct made *made;
	size_t n_made;
};

/* Writes a file of the work directory, which import_commit() will sync. */
int import_write_work(struct import *m, const char *path, const struct buf *text, struct fail *f);

/* Everything has been checked: syncs it, and renames layers, then images, then names into place. */
int import_commit(struct import *m, struct fail *f);
