/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/store.h"
#include "logs/rotate.h"

#define FILES_MAX 10000 /* in one folder; rotate.h allows 1000 */

static DIR *open_list(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list && fd >= 0)
		close(fd);
	return list;
}

int place_list(int dir, const char *folder, uint64_t **ret, size_t *ret_n, bool *ret_current)
{
	_dir_ DIR *list = open_list(dir, folder);
	_free_
	uint64_t *numbers = NULL;
	struct dirent *e;
	size_t n = 0;

	*ret_current = false;
	if (!list && errno != ENOENT)
		return -errno;
	while (list && (e = readdir(list)) && n < FILES_MAX) {
		uint64_t number = rotate_number(e->d_name);
		uint64_t *grown;

		if (!strcmp(e->d_name, ROTATE_CURRENT))
			*ret_current = true;
		if (!number)
			continue;
		grown = realloc(numbers, (n + 1) * sizeof(*numbers));
		if (!grown)
			return -ENOMEM;
		numbers = grown;
		numbers[n++] = number;
	}
	rotate_surplus(numbers, n, n); /* sorts */
	*ret = take_ptr(numbers);
	*ret_n = n;
	return 0;
}

/* Calls each(path "folder/name", stat) for every log file of the place. */
static void walk(const struct place *p,
		 void (*each)(const char *folder, const char *name, const struct stat *st,
			      void *data),
		 void *data)
{
	_dir_ DIR *folders = open_list(p->dir, ".");
	struct dirent *folder;

	while (folders && (folder = readdir(folders))) {
		_dir_ DIR *files = NULL;
		struct dirent *file;
		struct stat st;

		if (!store_name_valid(folder->d_name))
			continue;
		files = open_list(p->dir, folder->d_name);
		while (files && (file = readdir(files)))
			if (fstatat(dirfd(files), file->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    S_ISREG(st.st_mode))
				each(folder->d_name, file->d_name, &st, data);
	}
}

static void add_size(const char *folder, const char *name, const struct stat *st, void *data)
{
	uint64_t *total = data;

	(void)folder;
	(void)name;
	*total += (uint64_t)st->st_size;
}

int place_open(struct place *p, const char *path, uint64_t total_max, unsigned owner,
	       struct fail *f)
{
	_fd_
	int dir = -1;

	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return fail_set(f, errno, "mkdir(\"%s\")", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	if (geteuid() == 0 && (fchown(dir, owner, owner) < 0 || fchmod(dir, 0750) < 0))
		return fail_set(f, errno, "chown(\"%s\")", path);
	*p = (struct place){.dir = take_fd(&dir), .total_max = total_max};
	walk(p, add_size, &p->total);
	return 0;
}

void place_close(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	*p = (struct place){.dir = -1};
}

int place_unlink(struct place *p, const char *folder, const char *name)
{
	char path[NAME_MAX + ROTATE_NAME_MAX + 2];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (fstatat(p->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(p->dir, path, 0) < 0)
		return -errno;
	p->total -= (uint64_t)st.st_size < p->total ? (uint64_t)st.st_size : p->total;
	return 0;
}

struct oldest {
	char folder[NAME_MAX + 1], name[ROTATE_NAME_MAX];
	struct timespec time;
	uint64_t number;
};

static void find_oldest(const char *folder, const char *name, const struct stat *st, void *data)
{
	uint64_t number = rotate_number(name);
	struct oldest *o = data;

	if (!number)
		return;
	if (o->number &&
	    (st->st_mtim.tv_sec > o->time.tv_sec ||
	     (st->st_mtim.tv_sec == o->time.tv_sec && st->st_mtim.tv_nsec >= o->time.tv_nsec)))
		return;
	snprintf(o->folder, sizeof(o->folder), "%s", folder);
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->time = st->st_mtim;
	o->number = number;
}

void place_trim(struct place *p)
{
	while (p->total > p->total_max) {
		struct oldest o = {0};

		walk(p, find_oldest, &o);
		if (!o.number || place_unlink(p, o.folder, o.name) < 0)
			return;
	}
}
