/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "logs/line.h"

#define PATH_BYTES (NAME_MAX + ROTATE_NAME_MAX + 2)

void folder_init(struct folder *d, struct place *place, const char *name)
{
	*d = (struct folder){.place = place, .name = name, .fd = -1};
}

void folder_done(struct folder *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->size = 0;
}

static void path_of(const struct folder *d, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", d->name, name);
}

/* Cuts off a record without its newline: a crash in the middle of a write. */
static int repair(int fd, uint64_t *size)
{
	char tail[LINE_RECORD_MAX];
	size_t len = *size < sizeof(tail) ? (size_t)*size : sizeof(tail);
	ssize_t n = pread(fd, tail, len, (off_t)(*size - len));
	const char *newline;

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -EIO;
	newline = len ? memrchr(tail, '\n', len) : NULL;
	if (newline == tail + len - 1)
		return 0;
	*size -= newline ? (size_t)(tail + len - 1 - newline) : len;
	return ftruncate(fd, (off_t)*size) < 0 ? -errno : 0;
}

static int open_current(struct folder *d)
{
	char path[PATH_BYTES];
	struct stat st;
	_fd_
	int fd = -1;
	int r;

	path_of(d, ROTATE_CURRENT, path);
	fd = openat(d->place->dir, path,
		    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	d->size = (uint64_t)st.st_size;
	r = repair(fd, &d->size);
	if (r < 0)
		return r;
	d->place->total -= (uint64_t)st.st_size - d->size;
	d->fd = take_fd(&fd);
	return 0;
}

static int open_folder(struct folder *d)
{
	_free_
	uint64_t *numbers = NULL;
	bool current;
	size_t n = 0;
	int r;

	if (d->place->dir < 0)
		return -ENOENT;
	if (mkdirat(d->place->dir, d->name, 0750) < 0 && errno != EEXIST)
		return -errno;
	r = place_list(d->place->dir, d->name, &numbers, &n, &current);
	if (r < 0)
		return r;
	d->next = n ? numbers[n - 1] + 1 : 1;
	return open_current(d);
}

/* Removes what is too much for `files` files, `current` counted. */
static void remove_oldest(struct folder *d, uint64_t files, uint64_t *ret_lost)
{
	_free_
	uint64_t *numbers = NULL;
	uint64_t before = d->place->total;
	bool current;
	size_t n = 0;

	if (place_list(d->place->dir, d->name, &numbers, &n, &current) < 0)
		return;
	for (size_t i = 0; i < rotate_surplus(numbers, n, files - 1); i++) {
		char name[ROTATE_NAME_MAX];

		rotate_name(name, numbers[i]);
		place_unlink(d->place, d->name, name);
	}
	*ret_lost += before - d->place->total;
}

static int rotate(struct folder *d, const struct rotate_options *o, uint64_t *ret_lost)
{
	char number[ROTATE_NAME_MAX], from[PATH_BYTES], to[PATH_BYTES];

	rotate_name(number, d->next);
	path_of(d, ROTATE_CURRENT, from);
	path_of(d, number, to);
	/* somebody removed current: a new one is made all the same */
	if (renameat(d->place->dir, from, d->place->dir, to) < 0 && errno != ENOENT)
		return -errno;
	folder_done(d);
	d->next++;
	remove_oldest(d, o->files, ret_lost);
	place_trim(d->place);
	return 0;
}

size_t folder_fit(const struct folder *d, const struct rotate_options *o, const char *data,
		  size_t len)
{
	size_t room = d->fd >= 0 && d->size < o->size ? (size_t)(o->size - d->size) : 0;
	const char *newline = len > room && room ? memrchr(data, '\n', room) : NULL;

	return newline ? (size_t)(newline - data) + 1 : len;
}

int folder_append(struct folder *d, const struct rotate_options *o, const void *data, size_t len,
		  uint64_t *ret_lost)
{
	int r = d->fd < 0 ? open_folder(d) : 0;

	*ret_lost = 0;
	if (r == 0 && rotate_due(o, d->size, len)) {
		r = rotate(d, o, ret_lost);
		if (r == 0)
			r = open_folder(d);
	}
	if (r < 0)
		return r;
	r = io_write_all(d->fd, data, len);
	if (r < 0) {
		/* a file that cannot be cut back is opened again, and repaired, by the next write */
		if (ftruncate(d->fd, (off_t)d->size) < 0)
			folder_done(d);
		return r;
	}
	d->size += len;
	d->place->total += len;
	return 0;
}

bool folder_has_files(const struct folder *d)
{
	_free_
	uint64_t *numbers = NULL;
	bool current = false;
	size_t n = 0;

	if (d->place->dir < 0 || place_list(d->place->dir, d->name, &numbers, &n, &current) < 0)
		return false;
	return n > 0 || current;
}

/* Hands over a file in pieces of at most max bytes that end with a newline. */
static int move_file(struct folder *d, const char *name, size_t max,
		     int (*put)(void *data, const char *bytes, size_t len), void *data)
{
	char path[PATH_BYTES];
	_free_
	char *bytes = NULL;
	size_t len, at = 0;
	int r;

	path_of(d, name, path);
	r = io_read_file(d->place->dir, path, 1u << 30, &bytes, &len, NULL);
	if (r < 0)
		return r;
	while (r == 0 && at < len) {
		size_t piece = len - at < max ? len - at : max;
		const char *newline = memrchr(bytes + at, '\n', piece);

		if (!newline)
			break; /* torn */
		piece = (size_t)(newline - bytes - (ptrdiff_t)at) + 1;
		r = put(data, bytes + at, piece);
		at += piece;
	}
	return r < 0 ? r : place_unlink(d->place, d->name, name);
}

int folder_move(struct folder *d, size_t max, int (*put)(void *data, const char *bytes, size_t len),
		void *data)
{
	_free_
	uint64_t *numbers = NULL;
	bool current = false;
	size_t n = 0;
	int r = place_list(d->place->dir, d->name, &numbers, &n, &current);

	for (size_t i = 0; r == 0 && i < n; i++) {
		char name[ROTATE_NAME_MAX];

		rotate_name(name, numbers[i]);
		r = move_file(d, name, max, put, data);
	}
	if (r == 0 && current) {
		folder_done(d);
		r = move_file(d, ROTATE_CURRENT, max, put, data);
	}
	if (r == 0)
		unlinkat(d->place->dir, d->name, AT_REMOVEDIR);
	return r;
}

void folder_erase(struct folder *d)
{
	_free_
	uint64_t *numbers = NULL;
	bool current = false;
	size_t n = 0;

	folder_done(d);
	if (d->place->dir < 0 || place_list(d->place->dir, d->name, &numbers, &n, &current) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char name[ROTATE_NAME_MAX];

		rotate_name(name, numbers[i]);
		place_unlink(d->place, d->name, name);
	}
	if (current)
		place_unlink(d->place, d->name, ROTATE_CURRENT);
	unlinkat(d->place->dir, d->name, AT_REMOVEDIR);
}
