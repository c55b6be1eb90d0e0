/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/words.h"
#include "rootfs/images/path.h"

#define LINKS_MAX 40 /* the kernel's own limit */

int tree_open(const struct writer *w, const char *real, struct fail *f)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV |
					  RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, w->root, *real ? real : ".", &how, sizeof(how));
	char shown[160];

	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", path_show(real, shown)) : fd;
}

/* A walk in progress: where it is, and what is still to be walked. */
struct walk {
	struct writer *w;
	int fd;
	char *real; /* path of fd */
	char todo[2 * PATH_MAX + 2];
	int links;
};

static int move_to(struct walk *k, const char *real, struct fail *f)
{
	int fd = tree_open(k->w, real, f);

	if (fd < 0)
		return fd;
	close(k->fd);
	k->fd = fd;
	return 0;
}

static int step_up(struct walk *k, struct fail *f)
{
	char *slash = strrchr(k->real, '/');

	if (slash)
		*slash = '\0';
	else
		*k->real = '\0'; /* the root's parent is the root */
	return move_to(k, k->real, f);
}

static int step_in(struct walk *k, const char *name, struct fail *f)
{
	int fd = openat(k->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", name);
	if (strlen(k->real) + 1 + strlen(name) > LIMIT_ENTRY_PATH) {
		close(fd);
		return fail_set(f, ENAMETOOLONG, "the path");
	}
	close(k->fd);
	k->fd = fd;
	if (*k->real)
		strcat(k->real, "/");
	strcat(k->real, name);
	return 0;
}

/* The link at dir/name takes the place of what was just taken from the path. */
static int follow(struct walk *k, int dir, const char *name, struct fail *f)
{
	char target[PATH_MAX], rest[PATH_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail_set(f, errno, "readlink(\"%s\")", name);
	if (++k->links > LINKS_MAX)
		return fail_set(f, ELOOP, "a parent directory");
	if (strlen(k->todo) > PATH_MAX)
		return fail_set(f, ENAMETOOLONG, "a parent directory through symbolic links");
	target[n] = '\0';
	strcpy(rest, k->todo);
	snprintf(k->todo, sizeof(k->todo), "%s/%s", target, rest);
	if (*target != '/')
		return 0;
	*k->real = '\0';
	return move_to(k, "", f);
}

/* 0755 root with nothing special: what is made where nobody says how. */
static bool common(const struct stat *st, int fd)
{
	char names[64 << 10];
	ssize_t len = flistxattr(fd, names, sizeof(names));

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1)
		if (policy_xattr(names + at))
			return false;
	return (st->st_mode & 07777) == 0755 && st->st_uid == 0 && st->st_gid == 0;
}

static int assume(struct writer *w, const char *real, struct fail *f)
{
	words_add(&w->assumes, real);
	return w->assumes.bad ? fail_set(f, ENOMEM, "no memory") : 0;
}

/* Makes the directory `to` (real path `real`) like the one in a layer below. */
static int like_below(struct writer *w, int from, const struct stat *st, int to, const char *real,
		      struct fail *f)
{
	int r;

	if (common(st, from)) {
		r = assume(w, real, f);
	} else {
		w->dependent = true;
		r = tree_copy_attributes(from, to, st, f);
	}
	return r < 0 ? r : tree_time_later(w, real, st->st_mtim, f);
}

/* A directory that the tar does not have: as in the layers below, if it is there, else 0755 root. */
static int step_new(struct walk *k, const char *name, int below, const struct stat *st,
		    struct fail *f)
{
	_fd_
	int from = -1;
	int r;

	if (mkdirat(k->fd, name, 0755) < 0)
		return fail_set(f, errno, "mkdir(\"%s\")", name);
	r = step_in(k, name, f);
	if (r < 0)
		return r;
	if (fchmod(k->fd, 0755) < 0)
		return fail_set(f, errno, "chmod(\"%s\")", name);
	if (below < 0) {
		r = assume(k->w, k->real, f);
		return r < 0 ? r : tree_time_later(k->w, k->real, (struct timespec){0}, f);
	}
	from = openat(below, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return fail_set(f, errno, "open(\"%s\") in a layer below", name);
	return like_below(k->w, from, st, k->fd, k->real, f);
}

/* The tree has no such name: the layers below decide. */
static int step_below(struct walk *k, const char *name, struct fail *f)
{
	char path[LIMIT_ENTRY_PATH + LIMIT_ENTRY_NAME + 2];
	_fd_
	int below = -1;
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "%s%s%s", k->real, *k->real ? "/" : "", name);
	r = layers_find(k->w->below, k->w->root, path, &below, &st, f);
	if (r < 0)
		return r;
	if (r == 0)
		return step_new(k, name, -1, NULL, f);
	if (S_ISDIR(st.st_mode))
		return step_new(k, name, below, &st, f);
	if (!S_ISLNK(st.st_mode))
		return fail_set(f, ENOTDIR, "\"%s\" on the way, in a layer below", name);
	k->w->dependent = true;
	return follow(k, below, name, f);
}

static int step(struct walk *k, const char *name, struct fail *f)
{
	struct stat st;
	int r;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, ".."))
		return step_up(k, f);
	if (fstatat(k->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? step_below(k, name, f)
				       : fail_set(f, errno, "stat(\"%s\")", name);
	if (S_ISDIR(st.st_mode))
		return step_in(k, name, f);
	if (S_ISLNK(st.st_mode))
		return follow(k, k->fd, name, f);
	if (!is_whiteout(&st))
		return fail_set(f, ENOTDIR, "\"%s\" on the way", name);
	/* removed and used again in one layer: what was below must not shine through */
	if (unlinkat(k->fd, name, 0) < 0)
		return fail_set(f, errno, "unlink(\"%s\")", name);
	r = step_new(k, name, -1, NULL, f);
	return r < 0 ? r : tree_set_opaque(k->fd, f);
}

int tree_walk(struct writer *w, const char *path, char ret_real[LIMIT_ENTRY_PATH + 1],
	      struct fail *f)
{
	struct walk k = {.w = w, .real = ret_real, .fd = tree_open(w, "", f)};
	char name[LIMIT_ENTRY_NAME + 1];
	int r = 0;

	if (k.fd < 0)
		return k.fd;
	*ret_real = '\0';
	strcpy(k.todo, path);
	while (r == 0) {
		char *start = k.todo + strspn(k.todo, "/");
		size_t len = strcspn(start, "/");

		if (len == 0)
			return k.fd;
		if (len > LIMIT_ENTRY_NAME) {
			r = fail_set(f, ENAMETOOLONG, "a name on the way");
			break;
		}
		memcpy(name, start, len);
		name[len] = '\0';
		memmove(k.todo, start + len, strlen(start + len) + 1);
		r = step(&k, name, f);
	}
	close(k.fd);
	return r;
}

int tree_root_from_below(struct writer *w, struct fail *f)
{
	struct stat st;
	int below = w->below->n ? w->below->fd[w->below->n - 1] : -1;

	if (fchmod(w->root, 0755) < 0)
		return fail_set(f, errno, "chmod the root");
	if (below < 0) {
		int r = assume(w, "", f);

		return r < 0 ? r : tree_time_later(w, "", (struct timespec){0}, f);
	}
	if (fstat(below, &st) < 0)
		return fail_set(f, errno, "stat the root below");
	return like_below(w, below, &st, w->root, "", f);
}

int layer_assumptions_hold(const char *assumes, size_t len, const struct layers *below,
			   struct fail *f)
{
	struct words_iter it;
	const char *path;

	words_iter_init(&it, assumes, len);
	while ((path = words_next(&it))) {
		_fd_
		int dir = -1, fd = -1;
		struct stat st;
		int r = 1;

		if (!*path) {
			if (below->n == 0)
				continue;
			fd = openat(below->fd[below->n - 1], ".", O_RDONLY | O_CLOEXEC);
		} else {
			r = layers_find(below, -1, path, &dir, &st, f);
			if (r < 0)
				return r;
			if (r == 0)
				continue;
			fd = openat(dir, path_base(path),
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		}
		if (fd < 0 || fstat(fd, &st) < 0 || !common(&st, fd))
			return 0;
	}
	return 1;
}
