/* SPDX-License-Identifier: Apache-2.0 */
/* The record stream, as a reader that has been taken over could write it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/path.h"
#include "rootfs/images/policy.h"
#include "rootfs/images/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted must be writable again and mean the same. */
static void round_trip(const struct entry *e)
{
	struct buf b = {0};
	struct record again;
	size_t used;

	record_add_entry(&b, e);
	if (b.bad || record_parse(b.data, b.len, &again, &used) != RECORD_READY || used != b.len ||
	    strcmp(again.entry.path, e->path) != 0 || again.entry.n_xattrs != e->n_xattrs)
		abort();
	buf_done(&b);
}

static void judge(const struct entry *e)
{
	char path[LIMIT_ENTRY_PATH + 1];
	const char *why;

	(void)policy_kind(e->kind, &why);
	(void)policy_owner(e, NULL);
	for (size_t i = 0; i < e->n_xattrs; i++)
		(void)policy_xattr(e->xattrs[i].name);
	(void)path_normalise(e->path, path, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* at the end of an allocation, so that ASan sees the first byte too many */
	char *copy = malloc(size ? size : 1), *at = copy;
	struct record r;
	size_t used;

	memcpy(copy, data, size);
	while (record_parse(at, size, &r, &used) == RECORD_READY) {
		if (used == 0 || used > size)
			abort();
		if (r.kind == REC_ENTRY) {
			round_trip(&r.entry);
			judge(&r.entry);
		}
		at += used;
		size -= used;
	}
	free(copy);
	return 0;
}
