/* SPDX-License-Identifier: Apache-2.0 */
/* Images of a docker-save archive: manifest.json names configs and layers by path. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "rootfs/images/path.h"
#include "rootfs/images/plans.h"

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
	r = archive_read_member(a, m, &text, f);
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
	int r = plan_new(a, &p, f);

	if (r == 0)
		r = docker_config(a, p, config, f);
	if (r < 0)
		return r;
	while (row_next(&it, &row) == 1 && row.kind != ROW_IMAGE)
		n += row.kind == ROW_PATH;
	if (n > LIMIT_IMAGE_LAYERS)
		return fail_set(f, EFBIG, "more than %u layers", LIMIT_IMAGE_LAYERS);
	r = plan_set_layers(p, n, f);
	n = 0;
	while (r == 0 && row_next(&again, &row) == 1 && row.kind != ROW_IMAGE)
		r = row.kind == ROW_PATH ? docker_layer(a, &p->layers[n++], row.f[0], f)
					 : plan_add_said(a, p, row.f[0], f);
	return r;
}

int plan_docker(struct archive_file *a, const struct member *m, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct words_iter it;
	struct row row;
	int r = archive_document(a, m, NULL, DOC_SAVE, &rows, f), more;

	words_iter_init(&it, rows.data, rows.len);
	while (r == 0 && (more = row_next(&it, &row)) != 0) {
		if (more < 0)
			return fail_set(f, 0, "the JSON reader talks nonsense");
		if (row.kind == ROW_IMAGE)
			r = plan_docker_image(a, row.f[0], it, f);
	}
	return r;
}
