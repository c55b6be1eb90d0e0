/* SPDX-License-Identifier: Apache-2.0 */
/* The two jobs that handle bytes without knowing what they mean: inflate and hash. */
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "rootfs/images/digest.h"
#include "rootfs/images/jobs.h"
#include "rootfs/images/source.h"

int job_put(const void *data, size_t len, struct job_status *st)
{
	int r = io_write_all(JOB_OUT, data, len);

	return r < 0 ? job_fail(st, -r, "write: %s", strerror(-r)) : 0;
}

/* The filters' magic numbers decide, not the media type: both are foreign, and only one of them is
 * what must be decoded. What has neither magic is passed on as it is. */
static int inflate(struct archive *a, struct source *s, struct job_status *st)
{
	struct archive_entry *entry;
	const void *block;
	la_int64_t offset;
	size_t len;
	int r;

	archive_read_support_filter_gzip(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	r = source_open(s, a, st);
	if (r < 0)
		return r;
	r = archive_read_next_header(a, &entry);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return source_fail(a, "unpack", st);
	while ((r = archive_read_data_block(a, &block, &len, &offset)) == ARCHIVE_OK) {
		r = job_put(block, len, st);
		if (r < 0)
			return r;
	}
	return r == ARCHIVE_EOF ? 0 : source_fail(a, "unpack", st);
}

int job_inflate(const void *arg, struct job_status *st)
{
	const struct range *part = arg;
	static struct source s;
	struct archive *a = archive_read_new();

	s.at = s.base = part->offset;
	s.left = part->len;
	return a ? inflate(a, &s, st) : job_fail(st, ENOMEM, "unpack: no memory");
}

int job_hash(const void *arg, struct job_status *st)
{
	const struct hash_arg *h = arg;
	static char block[256 << 10];
	struct digest d;

	digest_init(&d, h->like);
	for (;;) {
		ssize_t n = read(JOB_IN, block, sizeof(block));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return job_fail(st, errno, "read: %s", strerror(errno));
		if (n == 0)
			break;
		st->bytes += (uint64_t)n;
		if (st->bytes > h->max_bytes)
			return job_fail(st, EFBIG,
					"unpacks to more than %llu bytes, the limit for its size"
					" (--max-ratio, --max-bytes raise it)",
					(unsigned long long)h->max_bytes);
		digest_add(&d, block, (size_t)n);
		r = job_put(block, (size_t)n, st);
		if (r < 0)
			return r;
	}
	digest_end(&d, st->digest);
	return 0;
}
