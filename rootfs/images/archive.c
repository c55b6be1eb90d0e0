/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "rootfs/images/plans.h"

static int read_part(const struct archive_file *a, struct range part, char *to, struct fail *f)
{
	for (uint64_t done = 0; done < part.len;) {
		ssize_t n = pread(a->fd, to + done, part.len - done, (off_t)(part.offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_set(f, n < 0 ? errno : EIO, "read \"%s\"", a->path);
		done += (uint64_t)n;
	}
	return 0;
}

static int differs(const char *digest, const char *is, struct fail *f)
{
	return fail_set(f, 0, "blob %s is damaged: its content is %s; get the archive again",
			digest, is);
}

int archive_check(const struct archive_file *a, struct range part, const char *digest,
		  struct fail *f)
{
	static char block[256 << 10];
	char is[DIGEST_MAX];
	struct digest d;

	digest_init(&d, digest);
	for (uint64_t done = 0; done < part.len;) {
		struct range next = {part.offset + done, part.len - done};
		int r;

		if (next.len > sizeof(block))
			next.len = sizeof(block);
		r = read_part(a, next, block, f);
		if (r < 0)
			return r;
		digest_add(&d, block, next.len);
		done += next.len;
	}
	digest_end(&d, is);
	return strcmp(is, digest) ? differs(digest, is, f) : 0;
}

int archive_read_member(const struct archive_file *a, const struct member *m, char **ret,
			struct fail *f)
{
	_free_
	char *data = NULL;
	int r;

	if (m->size > LIMIT_IMAGE_JSON)
		return fail_set(f, EFBIG, "\"%.80s\" has %llu bytes, at most %u are read", m->path,
				(unsigned long long)m->size, LIMIT_IMAGE_JSON);
	data = malloc(m->size + 1);
	if (!data)
		return fail_set(f, ENOMEM, "no memory");
	r = read_part(a, (struct range){m->offset, m->size}, data, f);
	if (r < 0)
		return r;
	data[m->size] = '\0';
	*ret = take_ptr(data);
	return 0;
}

/* The bytes are hashed where they are parsed, in memory: the file could change. */
int archive_document(const struct archive_file *a, const struct member *m, const char *digest,
		     enum doc_kind kind, struct buf *ret_rows, struct fail *f)
{
	_free_
	char *text = NULL;
	char is[DIGEST_MAX];
	struct digest d;
	int r = archive_read_member(a, m, &text, f);

	if (r < 0)
		return r;
	if (digest) {
		digest_init(&d, digest);
		digest_add(&d, text, m->size);
		digest_end(&d, is);
		if (strcmp(is, digest) != 0)
			return differs(digest, is, f);
	}
	r = reader_document(kind, text, m->size, ret_rows, f);
	return r < 0 ? fail_wrap(f, "\"%.90s\"", m->path) : 0;
}

int archive_blob(const struct archive_file *a, const struct descriptor *d,
		 const struct member **ret, struct fail *f)
{
	char path[DIGEST_MAX + 8];
	int r = digest_check(d->digest, f);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "blobs/%.6s/%s", d->digest, digest_hex(d->digest));
	*ret = members_find(&a->members, path);
	if (!*ret && *d->url)
		return fail_set(
			f, ENOENT,
			"blob %s is not in the archive: it may not be redistributed (it is at %.80s);"
			" copy the image with all of its layers",
			d->digest, d->url);
	if (!*ret)
		return fail_set(f, ENOENT, "blob %s is not in the archive; get it again",
				d->digest);
	if (d->size >= 0 && (uint64_t)d->size != (*ret)->size)
		return fail_set(f, 0, "blob %s has %llu bytes, it should have %lld", d->digest,
				(unsigned long long)(*ret)->size, (long long)d->size);
	return 0;
}

int archive_blob_document(const struct archive_file *a, const struct descriptor *d,
			  enum doc_kind kind, struct buf *ret_rows, struct fail *f)
{
	const struct member *m;
	int r = archive_blob(a, d, &m, f);

	return r == 0 ? archive_document(a, m, d->digest, kind, ret_rows, f) : r;
}

/* Makes another file of a->fd: the content without its coat. */
static int undress(struct archive_file *a, struct fail *f)
{
	_fd_
	int plain = -1;
	struct stat st;
	int r = io_mkdirs(PATH_TMP, 0700, f);

	if (r < 0)
		return r;
	plain = open(PATH_TMP, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (plain < 0)
		return fail_set(f, errno, "temporary file in " PATH_TMP);
	r = reader_inflate_to(a->fd, a->size, plain, LIMIT_IMAGE_BYTES, f);
	if (r < 0)
		return r;
	if (fstat(plain, &st) < 0)
		return fail_set(f, errno, "stat");
	close(a->fd);
	a->fd = take_fd(&plain);
	a->size = (uint64_t)st.st_size;
	return 0;
}

static int open_file(struct archive_file *a, struct fail *f)
{
	unsigned char magic[4] = {0};
	struct stat st;

	a->fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (a->fd < 0 || fstat(a->fd, &st) < 0)
		return fail_set(f, errno, "open");
	if (!S_ISREG(st.st_mode))
		return fail_set(f, 0, "not a regular file");
	a->size = (uint64_t)st.st_size;
	if (pread(a->fd, magic, sizeof(magic), 0) < 0)
		return fail_set(f, errno, "read");
	if (!memcmp(magic, "\x1f\x8b", 2) || !memcmp(magic, "\x28\xb5\x2f\xfd", 4))
		return undress(a, f);
	return 0;
}

/* Everything that decides what an import of this archive would make: the documents at its top, which
 * name all else by digest, the names asked for, and the file's name, which can become a tag's front. */
static int make_key(struct archive_file *a, const char *name, struct fail *f)
{
	static const char *const tops[] = {"index.json", "manifest.json"};
	const char *slash = strrchr(a->path, '/');
	char is[DIGEST_MAX];
	struct digest d;
	int found = 0;

	digest_init(&d, NULL);
	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		const struct member *m = members_find(&a->members, tops[i]);
		_free_
		char *text = NULL;
		int r = m ? archive_read_member(a, m, &text, f) : 0;

		if (r < 0)
			return r;
		digest_add(&d, tops[i], strlen(tops[i]) + 1);
		digest_add(&d, m ? text : "", m ? m->size : 0);
		found += m != NULL;
	}
	digest_add(&d, slash ? slash : a->path, strlen(slash ? slash : a->path) + 1);
	digest_add(&d, name ? name : "", name ? strlen(name) + 1 : 0);
	digest_end(&d, is);
	strcpy(a->key, found ? digest_hex(is) : "");
	return 0;
}

int archive_open(struct archive_file *a, const char *path, const char *name, struct fail *f)
{
	int r;

	*a = (struct archive_file){.path = path, .fd = -1};
	r = open_file(a, f);
	if (r == 0)
		r = reader_members(a->fd, a->size, &a->members, f);
	if (r == 0)
		r = make_key(a, name, f);
	return r < 0 ? fail_wrap(f, "\"%s\"", path) : 0;
}

void archive_done(struct archive_file *a)
{
	for (size_t i = 0; i < a->n_plans; i++) {
		struct image_plan *p = &a->plans[i];

		buf_done(&p->config);
		free(p->layers);
		for (size_t n = 0; n < p->n_names; n++)
			free(p->names[n]);
		free(p->names);
	}
	free(a->plans);
	members_done(&a->members);
	cleanup_fd(&a->fd);
	a->fd = -1;
}
