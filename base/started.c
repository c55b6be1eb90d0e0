/* SPDX-License-Identifier: Apache-2.0 */
#include "base/started.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/store.h"

static void path_of(char path[512], const char *unit, const char *which)
{
	snprintf(path, 512, PATH_STARTED "/%s%s", unit, which);
}

int started_read(const char *unit, const char *which, char **ret_data, size_t *ret_len,
		 struct fail *f)
{
	char path[512];

	if (!store_name_valid(unit))
		return fail_set(f, EINVAL, "\"%s\" is no unit", unit);
	path_of(path, unit, which);
	return io_read_file(AT_FDCWD, path, LIMIT_SPEC, ret_data, ret_len, f);
}

int started_images(const char *unit, struct words_iter *ret, char **ret_data, struct fail *f)
{
	size_t len;
	int r = started_read(unit, STARTED_IMAGES, ret_data, &len, f);

	if (r == 0)
		words_iter_init(ret, *ret_data, len);
	return r;
}

int started_write(const char *unit, const char *which, const char *data, size_t len, struct fail *f)
{
	char path[512];
	_fd_
	int fd = -1;
	int r;

	path_of(path, unit, which);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT) {
		r = io_mkdirs(PATH_STARTED, 0700, f);
		if (r < 0)
			return r;
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	r = io_write_all(fd, data, len);
	return r < 0 ? fail_set(f, -r, "writing \"%s\"", path) : 0;
}

void started_remove(const char *unit)
{
	char path[512];

	path_of(path, unit, STARTED_SPEC);
	unlink(path);
	path_of(path, unit, STARTED_IMAGES);
	unlink(path);
}
