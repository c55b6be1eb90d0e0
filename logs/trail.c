/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "logs/place.h"
#include "logs/rotate.h"

void trail_init(struct trail *t, int dir, const char *unit)
{
	*t = (struct trail){.dir = dir, .unit = unit, .fd = -1};
}

static void move_to(struct trail *t, int fd)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	t->at = 0;
}

void trail_done(struct trail *t)
{
	move_to(t, -1);
}

static int open_file(const struct trail *t, const char *name)
{
	char path[NAME_MAX + ROTATE_NAME_MAX + 2];

	snprintf(path, sizeof(path), "%s/%s", t->unit, name);
	return openat(t->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static int open_number(const struct trail *t, uint64_t number)
{
	char name[ROTATE_NAME_MAX];

	rotate_name(name, number);
	return open_file(t, name);
}

/* A listing that fits: `current` is opened before the numbers are read, so if no number follows what was at
 * hand, current is the next one; a rotation in between shows as a number. */
struct listing {
	int current;
	uint64_t *numbers;
	size_t n;
};

static void listing_done(struct listing *l)
{
	if (l->current >= 0)
		close(l->current);
	free(l->numbers);
}

#define _listing_ __attribute__((cleanup(listing_done)))

/* Fills an empty listing. */
static void list(const struct trail *t, struct listing *l)
{
	bool current;

	if (t->dir < 0)
		return;
	l->current = open_file(t, ROTATE_CURRENT);
	if (place_list(t->dir, t->unit, &l->numbers, &l->n, &current) < 0)
		l->n = 0;
}

/* The number under which the inode is to be found; 0 = under none. */
static uint64_t number_of(const struct trail *t, const struct listing *l, ino_t ino)
{
	for (size_t i = l->n; i > 0; i--) {
		char path[NAME_MAX + ROTATE_NAME_MAX + 2], name[ROTATE_NAME_MAX];
		struct stat st;

		rotate_name(name, l->numbers[i - 1]);
		snprintf(path, sizeof(path), "%s/%s", t->unit, name);
		if (fstatat(t->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == ino)
			return l->numbers[i - 1];
	}
	return 0;
}

/* Goes to the first file with a number above `after`, else to current. */
static bool go(struct trail *t, struct listing *l, uint64_t after)
{
	for (size_t i = 0; i < l->n; i++) {
		int fd = l->numbers[i] > after ? open_number(t, l->numbers[i]) : -1;

		if (fd < 0)
			continue;
		move_to(t, fd);
		return true;
	}
	if (l->current < 0)
		return false;
	move_to(t, take_fd(&l->current));
	return true;
}

bool trail_first(struct trail *t)
{
	_listing_ struct listing l = {.current = -1};

	list(t, &l);
	return go(t, &l, 0);
}

/* Whether the file at hand is `current`. */
static bool at_current(const struct listing *l, const struct stat *here)
{
	struct stat current;

	return l->current >= 0 && fstat(l->current, &current) == 0 &&
	       current.st_ino == here->st_ino;
}

bool trail_has_next(const struct trail *t)
{
	_listing_ struct listing l = {.current = -1};
	struct stat here;

	list(t, &l);
	if (t->fd < 0 || fstat(t->fd, &here) < 0)
		return l.current >= 0 || l.n;
	return (l.current >= 0 && !at_current(&l, &here)) ||
	       (l.n && l.numbers[l.n - 1] > number_of(t, &l, here.st_ino));
}

bool trail_next(struct trail *t, bool *ret_gap)
{
	_listing_ struct listing l = {.current = -1};
	struct stat here;
	uint64_t number;

	*ret_gap = false;
	if (t->fd < 0 || fstat(t->fd, &here) < 0)
		return trail_first(t);
	list(t, &l);
	if (at_current(&l, &here))
		return false;
	number = number_of(t, &l, here.st_ino);
	*ret_gap = !number && (l.current >= 0 || l.n);
	return go(t, &l, number);
}

bool trail_alive(const struct trail *t)
{
	struct stat st;

	return t->fd >= 0 && fstat(t->fd, &st) == 0 && st.st_nlink > 0;
}

ssize_t trail_read(struct trail *t, void *data, size_t len)
{
	struct stat st;
	ssize_t n;

	if (t->fd < 0)
		return 0;
	do
		n = pread(t->fd, data, len, t->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* a write that could not be completed was taken back after we had read it */
	if (n == 0 && fstat(t->fd, &st) == 0 && st.st_size < t->at)
		t->at = st.st_size;
	t->at += n;
	return n;
}

/* Where the last *lines records of fd begin; *lines is lowered by those that are in it. */
static off_t find_last(int fd, int64_t *lines)
{
	char chunk[64 << 10];
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0)
		return 0;
	for (end = st.st_size; end > 0;) {
		size_t len = end < (off_t)sizeof(chunk) ? (size_t)end : sizeof(chunk);
		ssize_t n = pread(fd, chunk, len, end - (off_t)len);

		if (n <= 0)
			return 0;
		for (ssize_t i = n; i > 0; i--) {
			off_t behind = end - (off_t)len + i;

			if (chunk[i - 1] != '\n')
				continue;
			/* the newline of the record before those that are wanted */
			if (*lines == 0)
				return behind;
			--*lines;
		}
		end -= (off_t)len;
	}
	return 0;
}

bool trail_last(struct trail *t, int64_t *lines)
{
	_listing_ struct listing l = {.current = -1};
	off_t at;

	list(t, &l);
	if (l.current < 0 && !l.n)
		return false;
	at = l.current >= 0 ? find_last(l.current, lines) : 0;
	if (l.current >= 0)
		move_to(t, take_fd(&l.current));
	t->at = at;
	for (size_t i = l.n; i > 0 && at == 0 && *lines > 0; i--) {
		int fd = open_number(t, l.numbers[i - 1]);

		if (fd < 0)
			break;
		at = find_last(fd, lines);
		move_to(t, fd);
		t->at = at;
	}
	return t->fd >= 0;
}
