/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives into the store. Everything is made in a directory of tmp/ that belongs to this import alone,
 * synced once, and renamed into place when the last byte has been checked: layers first, then images,
 * then names. Killed at any moment, it leaves something in tmp/ and perhaps layers without an image.
 */
#pragma once

#include "rootfs/images/out.h"
#include "rootfs/images/policy.h"
#include "rootfs/images/store.h"

struct import_limits {
	uint64_t max_bytes, max_entries, max_ratio;
};

/* name: reference for the image, or NULL = as the archive says. */
int import_file(const struct store *s, const char *path, const char *name,
		const struct import_limits *limits, const struct out *o, struct fail *f);

/* 1 if an import of this file would change nothing, 0 if not, -errno. */
int import_has(const struct store *s, const char *path, const char *name, struct fail *f);
