/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is accepted of a layer's entries, as tables; and how much.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "rootfs/images/record.h"

enum verdict {
	VERDICT_WRITE,
	VERDICT_SKIP, /* leave it out and say so */
	VERDICT_REFUSE,
};

struct quota {
	uint64_t max_bytes, max_entries;
	uint64_t bytes, entries; /* so far, over all layers of the image */
};

/* What to do with an entry of this kind; *ret_why is set unless it is written. */
enum verdict policy_kind(enum entry_kind kind, const char **ret_why);

/* Whether an attribute is kept. Of foreign layers come file capabilities, POSIX ACLs and user.*;
 * trusted.* could forge overlayfs's own marks, security.* the host's labels. */
bool policy_xattr(const char *name);

/* Owner and mode as they can be stored: -EINVAL for ids that no file can have. */
int policy_owner(const struct entry *e, struct fail *f);

/* Counts an entry and its declared size. -EFBIG past a limit, naming the option that raises it. */
int quota_add(struct quota *q, uint64_t bytes, struct fail *f);

/* How far a packed layer may unpack: LIMIT_IMAGE_RATIO times, or 64 MiB, at most max_bytes. */
uint64_t quota_unpacked(uint64_t packed, uint64_t ratio, uint64_t max_bytes);
