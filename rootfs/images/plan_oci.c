/* SPDX-License-Identifier: Apache-2.0 */
/* Images of an OCI layout: index, perhaps indexes, manifest, config. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/path.h"
#include "rootfs/images/plans.h"

static int plan_oci_manifest(struct archive_file *a, const struct descriptor *d, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct image_plan *p;
	struct manifest m;
	int r = archive_blob_document(a, d, DOC_MANIFEST, &rows, f);

	if (r == 0)
		r = oci_manifest(rows.data, rows.len, &m, f);
	if (r == 0)
		r = digest_check(m.config.digest, f);
	if (r < 0)
		return r;
	p = plan_find(a, digest_hex(m.config.digest));
	if (p)
		return *d->name ? plan_add_said(a, p, d->name, f) : 0;
	r = plan_new(a, &p, f);
	if (r < 0)
		return r;
	strcpy(p->id, digest_hex(m.config.digest));
	r = archive_blob_document(a, &m.config, DOC_CONFIG, &p->config, f);
	if (r == 0)
		r = plan_set_layers(p, m.n_layers, f);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++) {
		const struct member *found;

		r = archive_blob(a, &m.layers[i], &found, f);
		if (r < 0)
			return fail_wrap(f, "layer %zu of %zu", i + 1, m.n_layers);
		p->layers[i].part = (struct range){found->offset, found->size};
		strcpy(p->layers[i].digest, m.layers[i].digest);
	}
	return r == 0 && *d->name ? plan_add_said(a, p, d->name, f) : r;
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
	default: return fail_set(f, 0, "\"%.100s\" in the index is no image", d.media);
	}
	if (depth == 0)
		return fail_set(f, ELOOP, "indexes within indexes");
	r = archive_blob_document(a, &d, DOC_INDEX, &rows, f);
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
	int r = m ? archive_document(a, m, NULL, DOC_SAVE, &rows, f) : 0;

	words_iter_init(&it, rows.data, rows.len);
	while (r == 0 && (r = row_next(&it, &row)) == 1) {
		r = 0;
		if (row.kind == ROW_IMAGE)
			p = plan_find(a, path_base(row.f[0]));
		else if (row.kind == ROW_TAG && p)
			r = plan_add_said(a, p, row.f[0], f);
	}
	return r;
}

int plan_oci(struct archive_file *a, const struct member *index, struct fail *f)
{
	_buf_ struct buf rows = {0};
	struct picks *picks = calloc(1, sizeof(*picks));
	int r = picks ? archive_document(a, index, NULL, DOC_INDEX, &rows, f)
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
