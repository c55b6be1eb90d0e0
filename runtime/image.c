/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/started.h"
#include "base/store.h"

static int read_ini(const char *dir, struct image *image, struct fail *f)
{
	_free_
	char *text = NULL;
	_fd_
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t len;
	int r;

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", dir);
	r = io_read_file(fd, "image.ini", IMAGE_INI_MAX, &text, &len, f);
	if (r == 0)
		r = image_parse(image, text, len, f);
	return r < 0 && f ? fail_wrap(f, "%s", dir) : r;
}

static int find_name(const char *ref, char path[PATH_MAX], struct fail *f)
{
	char name[STORE_REF_MAX + 8];
	int r = store_ref_name(ref, name, f);

	if (r == 0)
		snprintf(path, PATH_MAX, PATH_IMAGE_NAMES "/%s", name);
	return r;
}

int image_find(struct image *image, const char *ref, struct fail *f)
{
	char path[PATH_MAX];
	int r = find_name(ref, path, f);

	if (r < 0)
		return r;
	if (access(path, F_OK) < 0 && store_ref_short(ref)) {
		char local[STORE_REF_MAX + 16];

		snprintf(local, sizeof(local), "localhost/%s", ref);
		r = find_name(local, path, f);
		if (r < 0)
			return r;
	}
	if (access(path, F_OK) < 0)
		return fail_set(f, errno == ENOENT ? ENOENT : errno,
				"image \"%s\" is not in the store", ref);
	return read_ini(path, image, f);
}

int image_find_started(struct image *image, const char *unit, struct fail *f)
{
	char path[PATH_MAX];
	_free_
	char *data = NULL;
	struct words_iter ids;
	const char *id;
	int r = started_images(unit, &ids, &data, f);

	if (r < 0)
		return r;
	id = words_next(&ids);
	if (!id || !store_hex_valid(id))
		return fail_set(f, EINVAL,
				"\"" PATH_STARTED "/%s" STARTED_IMAGES "\": it names no image",
				unit);
	snprintf(path, sizeof(path), PATH_IMAGES "/%s", id);
	return read_ini(path, image, f);
}

int image_find_mounted(const struct container_spec *spec, struct image **ret, struct fail *f)
{
	struct image *all = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (strcmp(mount->type, "image"))
			continue;
		if (!all)
			all = calloc(spec->n_mounts, sizeof(*all));
		r = all ? image_find(&all[i], mount->source, f)
			: fail_set(f, ENOMEM, "images of mounts");
		if (r == 0 && all[i].layers.n == 0)
			r = fail_set(f, EINVAL, "image \"%s\" has no layers", mount->source);
		if (r < 0 && f)
			r = fail_wrap(f, "the mount at \"%s\"", mount->target);
	}
	for (size_t i = 0; r < 0 && all && i < spec->n_mounts; i++)
		image_done(&all[i]);
	if (r < 0)
		free(all);
	else
		*ret = all;
	return r;
}
