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
