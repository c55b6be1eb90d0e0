/* SPDX-License-Identifier: Apache-2.0 */
/* The two jobs that read tar: the members of an archive, and a layer. */
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "rootfs/images/jobs.h"
#include "rootfs/images/record.h"
#include "rootfs/images/source.h"

static const struct {
	mode_t type;
	enum entry_kind kind;
} kinds[] = {
	{S_IFREG, ENTRY_FILE},    {S_IFDIR, ENTRY_DIR},    {S_IFLNK, ENTRY_SYMLINK},
	{S_IFIFO, ENTRY_FIFO},    {S_IFCHR, ENTRY_DEVICE}, {S_IFBLK, ENTRY_DEVICE},
	{S_IFSOCK, ENTRY_SOCKET},
};

static enum entry_kind kind_of(struct archive_entry *ae)
{
	if (archive_entry_hardlink(ae))
		return ENTRY_HARDLINK;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (archive_entry_filetype(ae) == kinds[i].type)
			return kinds[i].kind;
	return ENTRY_OTHER;
}

/* Attributes beyond what a record holds are an error, not a silent loss. */
static int take_xattrs(struct archive_entry *ae, struct entry *e, struct job_status *st)
{
	size_t total = 0;

	archive_entry_xattr_reset(ae);
	for (;;) {
		struct xattr *x = &e->xattrs[e->n_xattrs];

		if (e->n_xattrs == ENTRY_XATTRS_MAX)
			break;
		if (archive_entry_xattr_next(ae, &x->name, &x->value, &x->len) != ARCHIVE_OK)
			return 0;
		total += strlen(x->name) + x->len;
		if (total > LIMIT_ENTRY_XATTRS)
			break;
		e->n_xattrs++;
	}
	return job_fail(st, E2BIG, "an entry has too many or too large extended attributes");
}

/* libarchive reads "-1.25" as -1 and .25; a timespec means -2 and .75. */
static void take_time(struct archive_entry *ae, struct entry *e)
{
	e->mtime = archive_entry_mtime(ae);
	e->mtime_ns = (uint32_t)archive_entry_mtime_nsec(ae) % 1000000000;
	if (e->mtime < 0 && e->mtime > INT64_MIN && e->mtime_ns) {
		e->mtime--;
		e->mtime_ns = 1000000000 - e->mtime_ns;
	}
}

static int take_entry(struct archive_entry *ae, struct entry *e, struct job_status *st)
{
	const char *path = archive_entry_pathname(ae);
	const char *link = archive_entry_hardlink(ae);

	*e = (struct entry){0};
	if (!link)
		link = archive_entry_symlink(ae);
	e->kind = kind_of(ae);
	e->path = path ? path : "";
	e->link = link ? link : "";
	if (strlen(e->path) > 4 * LIMIT_ENTRY_PATH || strlen(e->link) > 4 * LIMIT_ENTRY_PATH)
		return job_fail(st, ENAMETOOLONG, "an entry has a path of %zu bytes",
				strlen(e->path) + strlen(e->link));
	e->mode = archive_entry_mode(ae) & 07777;
	e->uid = (uint64_t)archive_entry_uid(ae);
	e->gid = (uint64_t)archive_entry_gid(ae);
	take_time(ae, e);
	e->size = e->kind == ENTRY_FILE ? (uint64_t)archive_entry_size(ae) : 0;
	return take_xattrs(ae, e, st);
}

static int put_buf(struct buf *b, struct job_status *st)
{
	int r = b->bad ? job_fail(st, ENOMEM, "no memory") : job_put(b->data, b->len, st);

	buf_reset(b);
	return r;
}

/* libarchive gives holes as jumps of the offset, and blocks of any size. */
static int put_data(struct archive *a, struct source *s, uint64_t size, struct buf *b,
		    struct job_status *st)
{
	const void *block;
	la_int64_t offset;
	size_t len;
	int r;

	s->may_end = false;
	while ((r = archive_read_data_block(a, &block, &len, &offset)) == ARCHIVE_OK) {
		for (size_t done = 0; done < len;) {
			size_t n = len - done < REC_DATA_MAX ? len - done : REC_DATA_MAX;

			record_add_data_head(b, (uint64_t)offset + done, n);
			r = put_buf(b, st);
			if (r == 0)
				r = job_put((const char *)block + done, n, st);
			if (r < 0)
				return r;
			done += n;
		}
		s->may_end = (uint64_t)offset + len >= size;
	}
	return r == ARCHIVE_EOF ? 0 : source_fail(a, "tar", st);
}

/* Names are bytes here: no locale has a say in them. */
static void tar_only(struct archive *a)
{
	archive_read_support_format_tar(a);
	archive_read_support_format_empty(a);
}

static int next_entry(struct archive *a, struct entry *e, struct job_status *st)
{
	struct archive_entry *ae;
	int r = archive_read_next_header(a, &ae);

	if (r == ARCHIVE_EOF)
		return 0;
	/* a warning is about names in no charset that libarchive knows: the bytes are there */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return source_fail(a, "tar", st);
	r = take_entry(ae, e, st);
	return r < 0 ? r : 1;
}

int job_layer(const void *arg, struct job_status *st)
{
	static struct source s = {.stream = true};
	struct archive *a = archive_read_new();
	struct buf b = {0};
	struct entry e;
	int r;

	(void)arg;
	if (!a)
		return job_fail(st, ENOMEM, "tar: no memory");
	tar_only(a);
	r = source_open(&s, a, st);
	while (r == 0 && (r = next_entry(a, &e, st)) == 1) {
		record_add_entry(&b, &e);
		r = put_buf(&b, st);
		if (r == 0 && e.kind == ENTRY_FILE)
			r = put_data(a, &s, e.size, &b, st);
	}
	if (r < 0)
		return r;
	/* what follows the end of the archive counts for the digest */
	source_drain(&s);
	record_add_end(&b);
	return put_buf(&b, st);
}

int job_members(const void *arg, struct job_status *st)
{
	static struct source s;
	struct archive *a = archive_read_new();
	struct buf b = {0};
	struct entry e;
	int r;

	s.left = ((const struct range *)arg)->len;
	if (!a)
		return job_fail(st, ENOMEM, "tar: no memory");
	tar_only(a);
	r = source_open(&s, a, st);
	while (r == 0 && (r = next_entry(a, &e, st)) == 1) {
		e.offset = (uint64_t)archive_filter_bytes(a, 0);
		e.n_xattrs = 0;
		record_add_entry(&b, &e);
		r = put_buf(&b, st);
	}
	if (r < 0)
		return r;
	record_add_end(&b);
	return put_buf(&b, st);
}
