/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/images/policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
	enum verdict verdict;
	const char *why;
} kinds[ENTRY__N] = {
	[ENTRY_FILE] = {VERDICT_WRITE, NULL},
	[ENTRY_DIR] = {VERDICT_WRITE, NULL},
	[ENTRY_SYMLINK] = {VERDICT_WRITE, NULL},
	[ENTRY_HARDLINK] = {VERDICT_WRITE, NULL},
	[ENTRY_FIFO] = {VERDICT_WRITE, NULL},
	[ENTRY_DEVICE] = {VERDICT_SKIP, "a device node (containers get their own /dev)"},
	[ENTRY_SOCKET] = {VERDICT_SKIP, "a socket (nobody can be listening on it)"},
	[ENTRY_OTHER] = {VERDICT_REFUSE, "of a type that layers do not have"},
};

enum verdict policy_kind(enum entry_kind kind, const char **ret_why)
{
	*ret_why = kinds[kind].why;
	return kinds[kind].verdict;
}

/* A name that ends in '.' stands for all that begin with it. */
static const char *const kept_xattrs[] = {
	"security.capability",
	"system.posix_acl_access",
	"system.posix_acl_default",
	"user.",
};

bool policy_xattr(const char *name)
{
	for (size_t i = 0; i < sizeof(kept_xattrs) / sizeof(*kept_xattrs); i++) {
		size_t len = strlen(kept_xattrs[i]);

		if (kept_xattrs[i][len - 1] == '.'
			    ? !strncmp(name, kept_xattrs[i], len) && name[len]
			    : !strcmp(name, kept_xattrs[i]))
			return true;
	}
	return false;
}

int policy_owner(const struct entry *e, struct fail *f)
{
	/* 2^32-1 means "leave it" to chown */
	if (e->uid >= UINT32_MAX || e->gid >= UINT32_MAX)
		return fail_set(f, 0, "owner %llu:%llu cannot be stored",
				(unsigned long long)e->uid, (unsigned long long)e->gid);
	return 0;
}

int quota_add(struct quota *q, uint64_t bytes, struct fail *f)
{
	if (++q->entries > q->max_entries)
		return fail_set(f, EFBIG, "more than %llu entries (--max-entries raises the limit)",
				(unsigned long long)q->max_entries);
	if (bytes > q->max_bytes - q->bytes)
		return fail_set(f, EFBIG, "more than %llu bytes (--max-bytes raises the limit)",
				(unsigned long long)q->max_bytes);
	q->bytes += bytes;
	return 0;
}

uint64_t quota_unpacked(uint64_t packed, uint64_t ratio, uint64_t max_bytes)
{
	uint64_t floor = 64u << 20;
	uint64_t far = packed > UINT64_MAX / ratio ? UINT64_MAX : packed * ratio;

	if (far < floor)
		far = floor;
	return far < max_bytes ? far : max_bytes;
}
