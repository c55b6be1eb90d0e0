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
#include "rootfs/images/path.h"

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#error "which GOARCH is this?"
#endif

/* --- bytes ----------------------------------------------------------------------------------- */

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
	return fail_set(f, EBADMSG, "blob %s is damaged: its content is %s; get the archive again",
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

/* A document's bytes, NUL-terminated, the caller's. */
static int read_member(const struct archive_file *a, const struct member *m, char **ret,
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

/* digest: what the bytes must have, or NULL. They are hashed where they are parsed, in memory: the
 * file could change. */
static int document(const struct archive_file *a, const struct member *m, const char *digest,
		    enum doc_kind kind, struct buf *ret_rows, struct fail *f)
{
	_free_
	char *text = NULL;
	char is[DIGEST_MAX];
	struct digest d;
	int r = read_member(a, m, &text, f);

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

/* The member that holds a blob, its size checked. */
static int blob(const struct archive_file *a, const struct descriptor *d, const struct member **ret,
		struct fail *f)
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
		return fail_set(f, EBADMSG, "blob %s has %llu bytes, it should have %lld",
				d->digest, (unsigned long long)(*ret)->size, (long long)d->size);
	return 0;
}

static int blob_document(const struct archive_file *a, const struct descriptor *d,
			 enum doc_kind kind, struct buf *ret_rows, struct fail *f)
{
	const struct member *m;
	int r = blob(a, d, &m, f);

	return r == 0 ? document(a, m, d->digest, kind, ret_rows, f) : r;
}

/* --- plans ----------------------------------------------------------------------------------- */

static int add_name(struct image_plan *p, const char *name, struct fail *f)
{
	char **grown;

	for (size_t i = 0; i < p->n_names; i++)
		if (!strcmp(p->names[i], name))
			return 0;
	grown = reallocarray(p->names, p->n_names + 1, sizeof(*grown));
	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	p->names = grown;
	p->names[p->n_names] = strdup(name);
	if (!p->names[p->n_names])
		return fail_set(f, ENOMEM, "no memory");
	p->n_names++;
	return 0;
}

/* A name that an archive says; one that we cannot use is not worth the image. */
static int add_said(struct archive_file *a, struct image_plan *p, const char *said, struct fail *f)
{
	char ref[STORE_REF_MAX + 1];
	const char *brief;
	int r;

	if (oci_reference(said, a->path, ref, NULL) < 0)
		return 0;
	r = add_name(p, ref, f);
	brief = oci_short_name(ref);
	return r == 0 && brief ? add_name(p, brief, f) : r;
}

static struct image_plan *find_plan(struct archive_file *a, const char *id)
{
	for (size_t i = 0; i < a->n_plans; i++)
		if (!strcmp(a->plans[i].id, id))
			return &a->plans[i];
	return NULL;
}

/* A new plan at the end of the list; counted when it is complete. */
static int new_plan(struct archive_file *a, struct image_plan **ret, struct fail *f)
{
	struct image_plan *grown;

	if (a->n_plans == LIMIT_IMAGE_COUNT)
		return fail_set(f, EFBIG, "more than %u images in the archive", LIMIT_IMAGE_COUNT);
	grown = reallocarray(a->plans, a->n_plans + 1, sizeof(*grown));
	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	a->plans = grown;
	*ret = &grown[a->n_plans++];
	**ret = (struct image_plan){0};
	return 0;
}

static int set_layers(struct image_plan *p, size_t n, struct fail *f)
{
	struct config config;
	int r = oci_config(p->config.data, p->config.len, n, ARCH, &config, f);

	if (r < 0)
		return r;
	p->layers = calloc(n + 1, sizeof(*p->layers));
	if (!p->layers)
		return fail_set(f, ENOMEM, "no memory");
	for (size_t i = 0; i < n; i++) {
		r = digest_check(config.diffs[i], f);
		if (r < 0)
			return fail_wrap(f, "the config's diff ids");
		strcpy(p->layers[i].diff, config.diffs[i]);
	}
	p->n_layers = n;
	return 0;
}

/* --- OCI layout ------------------------------------------------------------------------------ */

static int plan_oci_manifest(struct archive_file *a, const struct descriptor *d, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct image_plan *p;
	struct manifest m;
	int r = blob_document(a, d, DOC_MANIFEST, &rows, f);

	if (r == 0)
		r = oci_manifest(rows.data, rows.len, &m, f);
	if (r == 0)
		r = digest_check(m.config.digest, f);
	if (r < 0)
		return r;
	p = find_plan(a, digest_hex(m.config.digest));
	if (p)
		return *d->name ? add_said(a, p, d->name, f) : 0;
	r = new_plan(a, &p, f);
	if (r < 0)
		return r;
	strcpy(p->id, digest_hex(m.config.digest));
	r = blob_document(a, &m.config, DOC_CONFIG, &p->config, f);
	if (r == 0)
		r = set_layers(p, m.n_layers, f);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++) {
		const struct member *found;

		r = blob(a, &m.layers[i], &found, f);
		if (r < 0)
			return fail_wrap(f, "layer %zu of %zu", i + 1, m.n_layers);
		p->layers[i].part = (struct range){found->offset, found->size};
		strcpy(p->layers[i].digest, m.layers[i].digest);
	}
	return r == 0 && *d->name ? add_said(a, p, d->name, f) : r;
}

/* Follows an index entry to its manifest; indexes may be nested. */
static int plan_oci_entry(struct archive_file *a, struct descriptor d, int depth, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct picks *picks;
	int r;

	switch (oci_media(d.media)) {
	case MEDIA_MANIFEST: return plan_oci_manifest(a, &d, f);
	case MEDIA_INDEX: break;
	case MEDIA_SCHEMA1:
		return fail_set(
			f, EINVAL,
			"a manifest of Docker's schema 1; convert it (skopeo copy --format oci)");
	default: return fail_set(f, EINVAL, "\"%.100s\" in the index is no image", d.media);
	}
	if (depth == 0)
		return fail_set(f, ELOOP, "indexes within indexes");
	r = blob_document(a, &d, DOC_INDEX, &rows, f);
	if (r < 0)
		return r;
	picks = calloc(1, sizeof(*picks));
	if (!picks)
		return fail_set(f, ENOMEM, "no memory");
	r = oci_pick(rows.data, rows.len, ARCH, false, picks, f);
	if (r == 0) {
		/* the name is said at the top */
		picks->list[0].name = d.name;
		r = plan_oci_entry(a, picks->list[0], depth - 1, f);
	}
	free(picks);
	return r;
}

/* Docker's manifest.json, which newer docker-save archives have too, knows whole names. */
static int docker_names(struct archive_file *a, struct fail *f)
{
	const struct member *m = members_find(&a->members, "manifest.json");
	_buf_ struct buf rows = {0};
	struct image_plan *p = NULL;
	struct words_iter it;
	struct row row;
	int r = m ? document(a, m, NULL, DOC_SAVE, &rows, f) : 0;

	words_iter_init(&it, rows.data, rows.len);
	while (r == 0 && (r = row_next(&it, &row)) == 1) {
		r = 0;
		if (row.kind == ROW_IMAGE)
			p = find_plan(a, path_base(row.f[0]));
		else if (row.kind == ROW_TAG && p)
			r = add_said(a, p, row.f[0], f);
	}
	return r;
}

static int plan_oci(struct archive_file *a, const struct member *index, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct picks *picks = calloc(1, sizeof(*picks));
	int r = picks ? document(a, index, NULL, DOC_INDEX, &rows, f)
		      : fail_set(f, ENOMEM, "no memory");

	if (r == 0)
		r = oci_pick(rows.data, rows.len, ARCH, true, picks, f);
	for (size_t i = 0; r == 0 && i < picks->n; i++) {
		r = plan_oci_entry(a, picks->list[i], 4, f);
		if (r < 0)
			fail_wrap(f, "image %zu of %zu", i + 1, picks->n);
	}
	free(picks);
	return r == 0 ? docker_names(a, f) : r;
}

/* --- docker-save ----------------------------------------------------------------------------- */

/* Whether a member's path promises a digest: "blobs/sha256/<hex>" or "<hex>.json". */
static bool promised(const char *path, char ret[DIGEST_MAX])
{
	const char *base = path_base(path);
	size_t len = strspn(base, "0123456789abcdef");
	bool in_blobs = !strncmp(path, "blobs/sha256/", 13);

	if (len != 64 || (base[len] && strcmp(base + len, ".json") != 0) ||
	    (!in_blobs && !base[len]))
		return false;
	snprintf(ret, DIGEST_MAX, "sha256:%.64s", base);
	return true;
}

static int docker_config(struct archive_file *a, struct image_plan *p, const char *path,
			 struct fail *f)
{
	const struct member *m = members_find(&a->members, path);
	char want[DIGEST_MAX], is[DIGEST_MAX];
	_free_
	char *text = NULL;
	struct digest d;
	int r;

	if (!m)
		return fail_set(f, ENOENT, "the config \"%.90s\" is not in the archive", path);
	r = read_member(a, m, &text, f);
	if (r < 0)
		return r;
	digest_init(&d, NULL);
	digest_add(&d, text, m->size);
	digest_end(&d, is);
	if (!promised(path, want))
		*a->key = '\0';
	else if (strcmp(want, is) != 0)
		return fail_set(
			f, EBADMSG,
			"the config \"%.90s\" is damaged: its content is %s; get the archive again",
			path, is);
	strcpy(p->id, digest_hex(is));
	return reader_document(DOC_CONFIG, text, m->size, &p->config, f);
}

static int docker_layer(struct archive_file *a, struct layer_source *l, const char *path,
			struct fail *f)
{
	const struct member *m = members_find(&a->members, path);

	if (!m)
		return fail_set(f, ENOENT, "the layer \"%.90s\" is not in the archive", path);
	l->part = (struct range){m->offset, m->size};
	if (!promised(path, l->digest))
		*l->digest = '\0';
	return 0;
}

/* One image: its rows are from `it` to the next ROW_IMAGE. */
static int plan_docker_image(struct archive_file *a, const char *config, struct words_iter it,
			     struct fail *f)
{
	struct words_iter again = it;
	struct image_plan *p;
	struct row row;
	size_t n = 0;
	int r = new_plan(a, &p, f);

	if (r == 0)
		r = docker_config(a, p, config, f);
	if (r < 0)
		return r;
	while (row_next(&it, &row) == 1 && row.kind != ROW_IMAGE)
		n += row.kind == ROW_PATH;
	if (n > LIMIT_IMAGE_LAYERS)
		return fail_set(f, EFBIG, "more than %u layers", LIMIT_IMAGE_LAYERS);
	r = set_layers(p, n, f);
	n = 0;
	while (r == 0 && row_next(&again, &row) == 1 && row.kind != ROW_IMAGE)
		r = row.kind == ROW_PATH ? docker_layer(a, &p->layers[n++], row.f[0], f)
					 : add_said(a, p, row.f[0], f);
	return r;
}

static int plan_docker(struct archive_file *a, const struct member *m, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct words_iter it;
	struct row row;
	int r = document(a, m, NULL, DOC_SAVE, &rows, f), more;

	words_iter_init(&it, rows.data, rows.len);
	while (r == 0 && (more = row_next(&it, &row)) != 0) {
		if (more < 0)
			return fail_set(f, EBADMSG, "the JSON reader talks nonsense");
		if (row.kind == ROW_IMAGE)
			r = plan_docker_image(a, row.f[0], it, f);
	}
	return r;
}

/* --- the archive ----------------------------------------------------------------------------- */

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
		return fail_set(f, EINVAL, "not a regular file");
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
		int r = m ? read_member(a, m, &text, f) : 0;

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

static int plan(struct archive_file *a, struct fail *f)
{
	const struct member *index = members_find(&a->members, "index.json");
	const struct member *save = members_find(&a->members, "manifest.json");

	if (index && members_find(&a->members, "oci-layout"))
		return plan_oci(a, index, f);
	if (save)
		return plan_docker(a, save, f);
	return fail_set(
		f, EINVAL,
		"no image archive: it has neither oci-layout and index.json nor manifest.json"
		" (make one with skopeo copy ... oci-archive:FILE, or docker save)");
}

int archive_plan(struct archive_file *a, const char *name, struct fail *f)
{
	int r = plan(a, f);

	if (r == 0 && a->n_plans == 0)
		r = fail_set(f, ENOENT, "there is no image in it");
	if (r == 0 && name && a->n_plans > 1)
		r = fail_set(f, EINVAL, "it holds %zu images, --name is for one", a->n_plans);
	if (r == 0 && name) {
		while (a->plans->n_names > 0)
			free(a->plans->names[--a->plans->n_names]);
		r = add_name(a->plans, name, f);
	}
	if (r == 0 && a->n_plans == 1 && a->plans->n_names == 0)
		r = add_said(a, a->plans, "", f);
	return r < 0 ? fail_wrap(f, "\"%s\"", a->path) : 0;
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
