/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/images/oci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

static const struct {
	const char *type;
	enum media media;
} media[] = {
	{OCI "index.v1+json", MEDIA_INDEX},
	{DOCKER "distribution.manifest.list.v2+json", MEDIA_INDEX},
	{OCI "manifest.v1+json", MEDIA_MANIFEST},
	{DOCKER "distribution.manifest.v2+json", MEDIA_MANIFEST},
	{DOCKER "distribution.manifest.v1+json", MEDIA_SCHEMA1},
	{DOCKER "distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1},
	{OCI "config.v1+json", MEDIA_CONFIG},
	{DOCKER "container.image.v1+json", MEDIA_CONFIG},
	{OCI "layer.v1.tar", MEDIA_LAYER},
	{OCI "layer.v1.tar+gzip", MEDIA_LAYER},
	{OCI "layer.v1.tar+zstd", MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar", MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar.gzip", MEDIA_LAYER},
	{DOCKER "image.rootfs.diff.tar.zstd", MEDIA_LAYER},
	{OCI "layer.nondistributable.v1.tar", MEDIA_FOREIGN},
	{OCI "layer.nondistributable.v1.tar+gzip", MEDIA_FOREIGN},
	{OCI "layer.nondistributable.v1.tar+zstd", MEDIA_FOREIGN},
	{DOCKER "image.rootfs.foreign.diff.tar", MEDIA_FOREIGN},
	{DOCKER "image.rootfs.foreign.diff.tar.gzip", MEDIA_FOREIGN},
};

enum media oci_media(const char *type)
{
	for (size_t i = 0; i < sizeof(media) / sizeof(*media); i++)
		if (!strcmp(media[i].type, type))
			return media[i].media;
	return MEDIA_UNKNOWN;
}

/* How well an entry fits; lower is better, -1 not at all. An old variant runs everywhere. */
static int fit(const struct row *row, const char *arch)
{
	const char *variant = row->f[MF_VARIANT];

	if (*row->f[MF_REFERENCE] || *row->f[MF_ARTIFACT])
		return -1;
	if (oci_media(row->f[MF_MEDIA]) == MEDIA_UNKNOWN && *row->f[MF_MEDIA])
		return -1;
	if (!*row->f[MF_OS] && !*row->f[MF_ARCH])
		return 100; /* not said: the config will tell */
	if (strcmp(row->f[MF_OS], "linux") != 0 || strcmp(row->f[MF_ARCH], arch) != 0)
		return -1;
	return *variant == 'v' ? (int)strtol(variant + 1, NULL, 10) & 15 : 0;
}

static void take(struct descriptor *d, const struct row *row)
{
	*d = (struct descriptor){.media = row->f[MF_MEDIA],
				 .digest = row->f[MF_DIGEST],
				 .size = strtoll(row->f[MF_SIZE], NULL, 10),
				 .name = row->f[MF_NAME],
				 .url = ""};
}

static void tell(char text[160], const struct row *row)
{
	size_t used = strlen(text);

	snprintf(text + used, 160 - used, "%s%.20s/%.20s", used ? ", " : "", row->f[MF_OS],
		 row->f[MF_ARCH]);
}

int oci_pick(const char *rows, size_t len, const char *arch, bool top, struct picks *ret,
	     struct fail *f)
{
	struct words_iter it;
	struct row row;
	char there[160] = "";
	int best = -1, r;

	ret->n = 0;
	words_iter_init(&it, rows, len);
	while ((r = row_next(&it, &row)) == 1) {
		int how;

		if (row.kind != ROW_MANIFEST)
			continue;
		how = fit(&row, arch);
		if (how < 0) {
			tell(there, &row);
			continue;
		}
		if (top) {
			if (ret->n == OCI_PICKS_MAX)
				return fail_set(f, EFBIG, "more than %u images in the archive",
						OCI_PICKS_MAX);
			take(&ret->list[ret->n++], &row);
		} else if (best < 0 || how < best) {
			best = how;
			take(&ret->list[0], &row);
			ret->n = 1;
		}
	}
	if (r < 0)
		return fail_set(f, 0, "the JSON reader talks nonsense");
	return ret->n ? 0
		      : fail_set(f, ENOENT, "no image for linux/%s in it (there is: %s)", arch,
				 *there ? there : "nothing");
}

static void take_blob(struct descriptor *d, const struct row *row)
{
	*d = (struct descriptor){.media = row->f[0],
				 .digest = row->f[1],
				 .size = strtoll(row->f[2], NULL, 10),
				 .url = row->f[3],
				 .name = ""};
}

static int take_layer(struct manifest *m, const struct row *row, struct fail *f)
{
	enum media is = oci_media(row->f[0]);

	if (m->n_layers == LIMIT_IMAGE_LAYERS)
		return fail_set(f, EFBIG, "more than %u layers", LIMIT_IMAGE_LAYERS);
	if (is != MEDIA_LAYER && is != MEDIA_FOREIGN)
		return fail_set(f, 0, "layer %zu is of type \"%.100s\": not an image layer",
				m->n_layers + 1, row->f[0]);
	take_blob(&m->layers[m->n_layers++], row);
	return 0;
}

int oci_manifest(const char *rows, size_t len, struct manifest *ret, struct fail *f)
{
	struct words_iter it;
	struct row row;
	int r;

	*ret = (struct manifest){0};
	words_iter_init(&it, rows, len);
	while ((r = row_next(&it, &row)) == 1) {
		if (row.kind == ROW_CONFIG) {
			take_blob(&ret->config, &row);
			if (oci_media(row.f[0]) != MEDIA_CONFIG)
				return fail_set(
					f, EINVAL,
					"an artifact of type \"%.100s\", not a container image",
					*row.f[3] ? row.f[3] : row.f[0]);
		} else if (row.kind == ROW_LAYER) {
			r = take_layer(ret, &row, f);
			if (r < 0)
				return r;
		}
	}
	return r < 0 || !ret->config.digest ? fail_set(f, 0, "the JSON reader talks nonsense") : 0;
}

int oci_config(const char *rows, size_t len, size_t n_layers, const char *arch, struct config *ret,
	       struct fail *f)
{
	size_t history = 0, with_layer = 0;
	struct words_iter it;
	struct row row;
	int r;

	*ret = (struct config){.os = "", .arch = ""};
	words_iter_init(&it, rows, len);
	while ((r = row_next(&it, &row)) == 1) {
		if (row.kind == ROW_PLATFORM) {
			ret->os = row.f[0];
			ret->arch = row.f[1];
		} else if (row.kind == ROW_DIFF) {
			if (ret->n_diffs == LIMIT_IMAGE_LAYERS)
				return fail_set(f, EFBIG, "more than %u layers",
						LIMIT_IMAGE_LAYERS);
			ret->diffs[ret->n_diffs++] = row.f[0];
		} else if (row.kind == ROW_HISTORY) {
			history = strtoul(row.f[0], NULL, 10);
			with_layer = strtoul(row.f[1], NULL, 10);
		}
	}
	if (r < 0)
		return fail_set(f, 0, "the JSON reader talks nonsense");
	if (ret->n_diffs != n_layers)
		return fail_set(f, 0, "the config has %zu diff ids, the manifest %zu layers",
				ret->n_diffs, n_layers);
	if (history && with_layer != n_layers)
		return fail_set(f, 0,
				"the config's history tells of %zu layers, the manifest of %zu",
				with_layer, n_layers);
	if ((*ret->os && strcmp(ret->os, "linux") != 0) ||
	    (*ret->arch && strcmp(ret->arch, arch) != 0))
		return fail_set(f, ENOEXEC,
				"the image is for %.20s/%.20s, this machine is linux/%s", ret->os,
				ret->arch, arch);
	return 0;
}

/* The archive's file name without its suffixes. */
static void stem(const char *file, char ret[64])
{
	const char *slash = strrchr(file, '/');
	size_t used = 0;

	for (file = slash ? slash + 1 : file; *file && used < 63; file++) {
		if (!strncmp(file, ".tar", 4) || !strncmp(file, ".oci", 4) ||
		    !strncmp(file, ".tgz", 4))
			break;
		ret[used++] = (char)(*file >= 'A' && *file <= 'Z' ? *file + 32 : *file);
	}
	ret[used] = '\0';
}

int oci_reference(const char *said, const char *file, char ret[STORE_REF_MAX + 1], struct fail *f)
{
	char name[STORE_REF_MAX + 8], base[64];

	if (strlen(said) > STORE_REF_MAX)
		return fail_set(f, ENAMETOOLONG, "the image's name \"%.40s...\"", said);
	if (strpbrk(said, ":/")) {
		strcpy(ret, said);
	} else {
		stem(file, base);
		if (snprintf(ret, STORE_REF_MAX + 1, "%s:%s", base, *said ? said : "latest") >
		    (int)STORE_REF_MAX)
			return fail_set(f, ENAMETOOLONG, "the image's name \"%.40s...\"", said);
	}
	return store_ref_name(ret, name, f);
}

const char *oci_short_name(const char *ref)
{
	static const char library[] = "/library/";
	const char *slash = strchr(ref, '/');

	if (!slash || !memchr(ref, '.', (size_t)(slash - ref)) ||
	    strncmp(slash, library, sizeof(library) - 1) != 0)
		return NULL;
	slash += sizeof(library) - 1;
	return strchr(slash, '/') ? NULL : slash;
}
