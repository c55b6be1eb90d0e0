/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DEPTH_MAX  65536 /* folders in one another; paths of more than 2048 have no name anyway */
#define TRIES      16    /* walks that somebody who renames folders may cut short */
#define ENTRIES_SZ 8192  /* small: what was read beyond a folder is read again after it */

/* A folder on the way down. */
struct level {
	dev_t dev;
	ino_t ino;
	off_t next; /* where in it to go on */
};

struct walk {
	uid_t uid;
	gid_t gid;
	int dir; /* the folder that is being read */
	struct level *levels;
	size_t depth, room;
};

/* How an entry is dealt with. */
enum way { WAY_ON, WAY_DOWN };

static int open_below(int dir, const char *name, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_XDEV};
	int fd;

	do
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static int give(int fd, const struct walk *w, struct stat *st)
{
	if (fstat(fd, st) < 0)
		return -errno;
	if (st->st_uid == w->uid && st->st_gid == w->gid)
		return 0;
	return fchownat(fd, "", w->uid, w->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Goes into a folder (any fd of it), which the walk then reads from its start. */
static int push(struct walk *w, int folder, const struct stat *st)
{
	int dir;

	if (w->depth == DEPTH_MAX)
		return -ELOOP;
	if (w->depth == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct level *grown = reallocarray(w->levels, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		w->levels = grown;
		w->room = room;
	}
	dir = open_below(folder, ".", O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	if (w->dir >= 0)
		close(w->dir);
	w->dir = dir;
	w->levels[w->depth++] = (struct level){st->st_dev, st->st_ino, 0};
	return 0;
}

/* Back into the folder above, where the walk left it. -ESTALE: it is another one by now. */
static int pop(struct walk *w)
{
	const struct level *above;
	struct stat st;
	int dir;

	if (--w->depth == 0)
		return 0;
	above = &w->levels[w->depth - 1];
	dir = open_below(w->dir, "..", O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return dir == -ENOENT || dir == -EXDEV ? -ESTALE : dir;
	close(w->dir);
	w->dir = dir;
	if (fstat(dir, &st) < 0)
		return -errno;
	if (st.st_dev != above->dev || st.st_ino != above->ino)
		return -ESTALE;
	return lseek(dir, above->next, SEEK_SET) < 0 ? -errno : 0;
}

static int visit(struct walk *w, const char *name, enum way *ret_way, struct fail *f)
{
	_fd_
	int fd = open_below(w->dir, name, O_PATH | O_NOFOLLOW,
			    RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
	struct stat st;
	int r = fd;

	*ret_way = WAY_ON;
	/* gone by now, or something else is mounted there */
	if (r == -ENOENT || r == -EXDEV)
		return 0;
	if (r >= 0)
		r = give(fd, w, &st);
	if (r == 0 && S_ISDIR(st.st_mode)) {
		*ret_way = WAY_DOWN;
		r = push(w, fd, &st);
	}
	if (r == -ELOOP)
		return fail_set(f, ELOOP, "folders are nested more than %d deep", DEPTH_MAX);
	return r < 0 ? fail_set(f, -r, "the owner of \"%s\"", name) : 0;
}

/* Reads on in the folder, up to one that must be gone into first. *ret_end: there is no more in it. */
static int read_on(struct walk *w, char *buffer, bool *ret_end, struct fail *f)
{
	struct level *level = &w->levels[w->depth - 1];
	ssize_t n = syscall(SYS_getdents64, w->dir, buffer, ENTRIES_SZ);

	if (n < 0 && errno != ENOENT) /* ENOENT: it was removed */
		return fail_set(f, errno, "reading a folder");
	*ret_end = n <= 0;
	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *e = (const struct dirent64 *)(buffer + at);
		enum way way = WAY_ON;
		int r = 0;

		at += e->d_reclen;
		level->next = e->d_off;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = visit(w, e->d_name, &way, f);
		if (r < 0 || way == WAY_DOWN)
			return r;
	}
	return 0;
}

static int walk(struct walk *w, int top, const struct stat *st, char *buffer, struct fail *f)
{
	int r = push(w, top, st);

	if (r < 0)
		return fail_set(f, -r, "reading the volume");
	while (w->depth) {
		bool end = false;

		r = read_on(w, buffer, &end, f);
		if (r < 0)
			return r;
		if (!end)
			continue;
		r = pop(w);
		if (r == -ESTALE)
			return fail_set(f, ESTALE, "its folders are moved about meanwhile");
		if (r < 0)
			return fail_set(f, -r, "reading the volume");
	}
	return 0;
}

int owner_set(int mount, uid_t uid, gid_t gid, struct fail *f)
{
	struct walk w = {.uid = uid, .gid = gid, .dir = -1};
	char *buffer;
	struct stat st;
	int r = give(mount, &w, &st);

	if (r < 0)
		return fail_set(f, -r, "the owner of its top");
	if (!S_ISDIR(st.st_mode))
		return 0;
	buffer = malloc(ENTRIES_SZ);
	if (!buffer)
		return fail_set(f, ENOMEM, "reading the volume");
	/* what is right already costs little the second time */
	for (int i = 0; i == 0 || (r == -ESTALE && i < TRIES); i++) {
		w.depth = 0;
		r = walk(&w, mount, &st, buffer, f);
	}
	if (w.dir >= 0)
		close(w.dir);
	free(w.levels);
	free(buffer);
	return r;
}
