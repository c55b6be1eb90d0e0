/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

void layers_done(struct layers *l)
{
	while (l->n > 0)
		close(l->fd[--l->n]);
}

bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool is_opaque(int dir)
{
	char value[2];

	return fgetxattr(dir, OPAQUE_XATTR, value, sizeof(value)) == 1 && value[0] == 'y';
}

enum seen {
	SEEN_NOTHING, /* this layer is silent: ask the one below */
	SEEN_HIDDEN,  /* this layer says that there is nothing */
	SEEN_THIS,
};

/* Looks at one tree. On SEEN_THIS *ret_dir is a new fd of the directory that has it. */
static int look(int tree, const char *path, int *ret_dir, struct stat *st)
{
	_fd_
	int dir = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool opaque = false;
	char name[LIMIT_ENTRY_NAME + 1];

	for (;;) {
		size_t len = strcspn(path, "/");
		int next;

		if (dir < 0)
			return -errno;
		memcpy(name, path, len);
		name[len] = '\0';
		if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno != ENOENT ? -errno : opaque ? SEEN_HIDDEN : SEEN_NOTHING;
		if (is_whiteout(st))
			return SEEN_HIDDEN;
		if (path[len] == '\0')
			break;
		if (!S_ISDIR(st->st_mode))
			return SEEN_HIDDEN;
		path += len + 1;
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
		opaque = opaque || is_opaque(dir);
	}
	*ret_dir = take_fd(&dir);
	return SEEN_THIS;
}

int layers_find(const struct layers *l, int top, const char *path, int *ret_dir,
		struct stat *ret_st, struct fail *f)
{
	int r = SEEN_NOTHING;

	if (top >= 0) {
		r = look(top, path, ret_dir, ret_st);
		if (r == SEEN_THIS)
			close(*ret_dir); /* the caller knows its own */
	}
	for (size_t i = l->n; r == SEEN_NOTHING && i > 0; i--)
		r = look(l->fd[i - 1], path, ret_dir, ret_st);
	if (r < 0)
		return fail_set(f, -r, "looking for \"%s\" in the layers below", path);
	return r == SEEN_THIS;
}
