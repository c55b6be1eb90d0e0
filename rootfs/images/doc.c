/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that speaks jansson. Runs in the sandbox. */
#include "rootfs/images/doc.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/limits.h"

/* A member of an object that must be of that type; absent or null: NULL. Wrong type: *bad. */
static json_t *member(json_t *object, const char *key, json_type type, const char **bad)
{
	json_t *v = json_object_get(object, key);

	if (!v || json_is_null(v))
		return NULL;
	if (json_typeof(v) != type) {
		*bad = key;
		return NULL;
	}
	return v;
}

static const char *string(json_t *object, const char *key, const char **bad)
{
	json_t *v = member(object, key, JSON_STRING, bad);

	return v ? json_string_value(v) : "";
}

/* Appends a row of one field for every string of an array. */
static void strings(struct buf *out, enum row_kind kind, json_t *object, const char *key,
		    const char **bad)
{
	json_t *list = member(object, key, JSON_ARRAY, bad), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *field = json_string_value(v);

		if (field)
			row_add(out, kind, &field);
		else
			*bad = key;
	}
}

/* Appends a row for every key of an object, with its value if that is asked for. */
static void keys(struct buf *out, enum row_kind kind, json_t *object, const char *name,
		 bool with_values, const char **bad)
{
	json_t *set = member(object, name, JSON_OBJECT, bad), *v;
	const char *key;

	json_object_foreach(set, key, v)
	{
		const char *fields[] = {key, with_values ? json_string_value(v) : NULL};

		if (with_values && !json_is_string(v))
			*bad = name;
		row_add(out, kind, fields);
	}
}

static void one(struct buf *out, enum row_kind kind, json_t *object, const char *key,
		const char **bad)
{
	const char *s = string(object, key, bad);

	if (*s)
		row_add(out, kind, &s);
}

static const char *size_of(json_t *descriptor, char ret[24], const char **bad)
{
	json_t *v = member(descriptor, "size", JSON_INTEGER, bad);

	snprintf(ret, 24, "%lld", v ? (long long)json_integer_value(v) : -1ll);
	return ret;
}

static void index_row(struct buf *out, json_t *d, const char **bad)
{
	json_t *platform = member(d, "platform", JSON_OBJECT, bad);
	json_t *notes = member(d, "annotations", JSON_OBJECT, bad);
	const char *full = string(notes, "io.containerd.image.name", bad);
	const char *fields[ROW_FIELDS_MAX];
	char size[24];

	fields[MF_MEDIA] = string(d, "mediaType", bad);
	fields[MF_DIGEST] = string(d, "digest", bad);
	fields[MF_SIZE] = size_of(d, size, bad);
	fields[MF_OS] = string(platform, "os", bad);
	fields[MF_ARCH] = string(platform, "architecture", bad);
	fields[MF_VARIANT] = string(platform, "variant", bad);
	fields[MF_NAME] = *full ? full : string(notes, "org.opencontainers.image.ref.name", bad);
	fields[MF_REFERENCE] = string(notes, "vnd.docker.reference.type", bad);
	fields[MF_ARTIFACT] = string(d, "artifactType", bad);
	row_add(out, ROW_MANIFEST, fields);
}

static int version_2(json_t *root, struct fail *f)
{
	json_t *v = json_object_get(root, "schemaVersion");

	if (json_is_integer(v) && json_integer_value(v) == 2)
		return 0;
	if (json_is_integer(v) && json_integer_value(v) == 1)
		return fail_set(
			f, EINVAL,
			"the manifest is of Docker's schema 1, which has no checkable content;"
			" convert it (skopeo copy --format oci)");
	/* docker manifest lists and indexes older than the rule leave it out */
	return v || json_object_get(root, "fsLayers") ? fail_set(f, 0, "\"schemaVersion\" is not 2")
						      : 0;
}

static int read_index(json_t *root, struct buf *out, const char **bad, struct fail *f)
{
	json_t *list = member(root, "manifests", JSON_ARRAY, bad), *d;
	size_t i;
	int r = version_2(root, f);

	if (r < 0)
		return r;
	if (!list)
		return fail_set(f, 0, "no list \"manifests\"");
	json_array_foreach(list, i, d)
	{
		if (json_is_object(d))
			index_row(out, d, bad);
		else
			*bad = "manifests";
	}
	return 0;
}

static void blob_row(struct buf *out, enum row_kind kind, json_t *d, const char *last,
		     const char **bad)
{
	char size[24];
	const char *fields[] = {string(d, "mediaType", bad), string(d, "digest", bad),
				size_of(d, size, bad), last};

	row_add(out, kind, fields);
}

static int read_manifest(json_t *root, struct buf *out, const char **bad, struct fail *f)
{
	json_t *config = member(root, "config", JSON_OBJECT, bad);
	json_t *list = member(root, "layers", JSON_ARRAY, bad), *d;
	size_t i;
	int r = version_2(root, f);

	if (r < 0)
		return r;
	if (!config || !list)
		return fail_set(f, 0, "no \"%s\": not an image manifest",
				config ? "layers" : "config");
	blob_row(out, ROW_CONFIG, config, string(root, "artifactType", bad), bad);
	json_array_foreach(list, i, d)
	{
		json_t *urls = member(d, "urls", JSON_ARRAY, bad);
		const char *url = json_string_value(json_array_get(urls, 0));

		if (json_is_object(d))
			blob_row(out, ROW_LAYER, d, url, bad);
		else
			*bad = "layers";
	}
	return 0;
}

static int read_save(json_t *root, struct buf *out, const char **bad, struct fail *f)
{
	json_t *image;
	size_t i;

	if (!json_is_array(root))
		return fail_set(f, 0, "not a list of images");
	json_array_foreach(root, i, image)
	{
		const char *config = string(image, "Config", bad);

		if (!*config)
			return fail_set(f, 0, "image %zu has no \"Config\"", i + 1);
		row_add(out, ROW_IMAGE, &config);
		strings(out, ROW_TAG, image, "RepoTags", bad);
		strings(out, ROW_PATH, image, "Layers", bad);
	}
	return 0;
}

static void history_row(struct buf *out, json_t *root, const char **bad)
{
	json_t *list = member(root, "history", JSON_ARRAY, bad), *h;
	size_t i, full = 0;
	char total[24], layers[24];
	const char *fields[] = {total, layers};

	json_array_foreach(list, i, h)
	{
		if (!json_is_object(h))
			*bad = "history";
		full += !json_is_true(json_object_get(h, "empty_layer"));
	}
	snprintf(total, sizeof(total), "%zu", json_array_size(list));
	snprintf(layers, sizeof(layers), "%zu", full);
	row_add(out, ROW_HISTORY, fields);
}

/* Where the image says nothing, no row stands. Healthcheck and OnBuild are not used. */
static int read_config(json_t *root, struct buf *out, const char **bad, struct fail *f)
{
	json_t *rootfs = member(root, "rootfs", JSON_OBJECT, bad);
	json_t *c = member(root, "config", JSON_OBJECT, bad);
	const char *platform[] = {string(root, "os", bad), string(root, "architecture", bad),
				  string(root, "variant", bad)};

	if (!rootfs)
		return fail_set(f, 0, "no \"rootfs\": not an image configuration");
	row_add(out, ROW_PLATFORM, platform);
	strings(out, ROW_DIFF, rootfs, "diff_ids", bad);
	history_row(out, root, bad);
	strings(out, ROW_ENTRYPOINT, c, "Entrypoint", bad);
	strings(out, ROW_CMD, c, "Cmd", bad);
	strings(out, ROW_ENV, c, "Env", bad);
	one(out, ROW_USER, c, "User", bad);
	one(out, ROW_WORKDIR, c, "WorkingDir", bad);
	one(out, ROW_STOPSIGNAL, c, "StopSignal", bad);
	keys(out, ROW_VOLUME, c, "Volumes", false, bad);
	keys(out, ROW_PORT, c, "ExposedPorts", false, bad);
	keys(out, ROW_LABEL, c, "Labels", true, bad);
	return 0;
}

static int (*const readers[DOC__N])(json_t *, struct buf *, const char **, struct fail *) = {
	[DOC_INDEX] = read_index,
	[DOC_MANIFEST] = read_manifest,
	[DOC_SAVE] = read_save,
	[DOC_CONFIG] = read_config,
};

int doc_read(enum doc_kind kind, const char *text, size_t len, struct buf *out, struct fail *f)
{
	const char *bad = NULL;
	json_error_t e;
	json_t *root;
	int r;

	if (len > LIMIT_IMAGE_JSON)
		return fail_set(f, EFBIG, "a JSON document of %zu bytes", len);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (!root)
		return fail_set(f, 0, "line %d, column %d: %.120s", e.line, e.column, e.text);
	if (kind != DOC_SAVE && !json_is_object(root))
		r = fail_set(f, 0, "not a JSON object");
	else
		r = readers[kind](root, out, &bad, f);
	json_decref(root);
	if (r == 0 && bad)
		r = fail_set(f, 0, "\"%s\" is not of the right type", bad);
	return r == 0 && out->bad ? fail_set(f, ENOMEM, "no memory") : r;
}

void doc_seed(void)
{
	size_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) || seed == 0)
		seed = 1;
	json_object_seed(seed);
}
