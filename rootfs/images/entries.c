/* SPDX-License-Identifier: Apache-2.0 */
/* How an entry of each kind is written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/images/path.h"
#include "rootfs/images/tree.h"

int tree_set_opaque(int dir, struct fail *f)
{
	return fsetxattr(dir, OPAQUE_XATTR, "y", 1, 0) < 0
		       ? fail_set(f, errno,
				  "set " OPAQUE_XATTR
				  " (has the store's file system extended attributes?)")
		       : 0;
}

/* An attribute that the file system or the file's type cannot have is not worth an image. */
static int put_xattr(struct writer *w, int fd, const struct xattr *x, const char *path,
		     struct fail *f)
{
	char text[200];

	if (!policy_xattr(x->name))
		return 0;
	if (fsetxattr(fd, x->name, x->value, x->len, 0) == 0)
		return 0;
	if (errno != ENOTSUP && errno != EPERM)
		return fail_set(f, errno, "set attribute %.80s", x->name);
	snprintf(text, sizeof(text), "attribute %.80s: %s", x->name, strerror(errno));
	writer_note(w, path, text);
	return 0;
}

int tree_attributes(struct writer *w, int fd, const struct entry *e, struct fail *f)
{
	/* a change of owner clears setuid bits and capabilities: it comes first */
	if (fchown(fd, (uid_t)e->uid, (gid_t)e->gid) < 0)
		return fail_set(f, errno, "chown to %llu:%llu", (unsigned long long)e->uid,
				(unsigned long long)e->gid);
	if (fchmod(fd, e->mode) < 0)
		return fail_set(f, errno, "chmod to %04o", e->mode);
	for (size_t i = 0; i < e->n_xattrs; i++) {
		int r = put_xattr(w, fd, &e->xattrs[i], e->path, f);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Keeps the entry whose data follows: its strings lie in a buffer that is read into again. */
static int keep_entry(struct writer *w, const struct entry *e, struct fail *f)
{
	struct record copy;
	size_t used;

	buf_reset(&w->entry_text);
	record_add_entry(&w->entry_text, e);
	if (w->entry_text.bad ||
	    record_parse(w->entry_text.data, w->entry_text.len, &copy, &used) != RECORD_READY)
		return fail_set(f, ENOMEM, "no memory");
	w->entry = copy.entry;
	return 0;
}

/* Removes what this layer has at the place of an entry: the last one of a name wins. */
static int clear_place(int parent, const char *name, struct fail *f)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return fail_set(f, errno, "unlink");
	return io_remove_tree(parent, name, f);
}

int tree_whiteout(int parent, const char *name, struct fail *f)
{
	struct stat st;
	_fd_
	int dir = -1;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail_set(f, errno, "stat(\"%s\")", name);
		return mknodat(parent, name, S_IFCHR, 0) < 0
			       ? fail_set(f, errno, "make the whiteout of \"%s\"", name)
			       : 0;
	}
	/* this layer's own entry hides a lower one by being there, except that directories merge */
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir < 0 ? fail_set(f, errno, "open(\"%s\")", name) : tree_set_opaque(dir, f);
}

static int write_file(struct writer *w, int parent, const char *name, const struct entry *e,
		      struct fail *f)
{
	int r = clear_place(parent, name, f);

	if (r == 0)
		r = keep_entry(w, e, f);
	if (r < 0)
		return r;
	w->file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return w->file < 0 ? fail_set(f, errno, "create") : 0;
}

static int write_dir(struct writer *w, int parent, const char *name, const struct entry *e,
		     struct fail *f)
{
	char real[LIMIT_ENTRY_PATH + LIMIT_ENTRY_NAME + 2];
	struct stat st;
	bool replaces = false;
	_fd_
	int dir = -1;
	int r;

	snprintf(real, sizeof(real), "%s%s%s", w->real, *w->real ? "/" : "", name);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode)) {
		replaces = true;
		if (unlinkat(parent, name, 0) < 0)
			return fail_set(f, errno, "unlink");
	}
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return fail_set(f, errno, "mkdir");
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail_set(f, errno, "open");
	/* where there was a whiteout or a file, a directory of a layer below must not shine through */
	r = replaces ? tree_set_opaque(dir, f) : 0;
	if (r == 0)
		r = tree_attributes(w, dir, e, f);
	if (r < 0)
		return r;
	return tree_time_later(w, real,
			       (struct timespec){.tv_sec = e->mtime, .tv_nsec = e->mtime_ns}, f);
}

/* Owner and time of what is not opened. */
static int finish_by_name(int parent, const char *name, const struct entry *e, struct fail *f)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = e->mtime, .tv_nsec = e->mtime_ns}};

	if (fchownat(parent, name, (uid_t)e->uid, (gid_t)e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "chown");
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "time");
	return 0;
}

static int write_symlink(__attribute__((unused)) struct writer *w, int parent, const char *name,
			 const struct entry *e, struct fail *f)
{
	int r = clear_place(parent, name, f);

	if (r < 0)
		return r;
	if (!*e->link || strlen(e->link) > LIMIT_ENTRY_PATH)
		return fail_set(f, 0, "a symbolic link to %zu characters", strlen(e->link));
	if (symlinkat(e->link, parent, name) < 0)
		return fail_set(f, errno, "symlink");
	return finish_by_name(parent, name, e, f);
}

static int write_fifo(__attribute__((unused)) struct writer *w, int parent, const char *name,
		      const struct entry *e, struct fail *f)
{
	int r = clear_place(parent, name, f);

	if (r < 0)
		return r;
	if (mknodat(parent, name, S_IFIFO | 0600, 0) < 0)
		return fail_set(f, errno, "mkfifo");
	r = finish_by_name(parent, name, e, f);
	if (r == 0 && fchmodat(parent, name, e->mode, 0) < 0)
		r = fail_set(f, errno, "chmod");
	return r;
}

/* Brings the target of a hard link to this layer's tree, if it is not there. */
static int link_target(struct writer *w, int dir, const char *real, const char *target,
		       struct stat *st, struct fail *f)
{
	const char *name = path_base(target);
	char path[LIMIT_ENTRY_PATH + LIMIT_ENTRY_NAME + 2];
	_fd_
	int below = -1;
	int r;

	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return is_whiteout(st) ? fail_set(f, ENOENT, "this layer removes its target") : 0;
	if (errno != ENOENT)
		return fail_set(f, errno, "stat the target");
	snprintf(path, sizeof(path), "%s%s%s", real, *real ? "/" : "", name);
	r = layers_find(w->below, w->root, path, &below, st, f);
	if (r < 0)
		return r;
	if (r == 0)
		return fail_set(f, ENOENT,
				"its target is neither before it in this layer nor in one below");
	return tree_copy_up(w, below, name, st, dir, f);
}

static int write_hardlink(struct writer *w, int parent, const char *name, const struct entry *e,
			  struct fail *f)
{
	char target[LIMIT_ENTRY_PATH + 1], split[LIMIT_ENTRY_PATH + 1];
	char real[LIMIT_ENTRY_PATH + 1], shown[160];
	struct stat st, have;
	_fd_
	int dir = -1;
	int r = path_normalise(e->link, target, f);

	if (r == 0 && !*target)
		r = fail_set(f, EPERM, "a hard link to the root");
	if (r == 0) {
		path_split(target, split);
		dir = r = tree_walk(w, split, real, f);
	}
	if (r >= 0)
		r = link_target(w, dir, real, target, &st, f);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = fail_set(f, EPERM, "a hard link to a directory");
	if (r < 0)
		return fail_wrap(f, "hard link to \"%s\"", path_show(e->link, shown));
	if (fstatat(parent, name, &have, AT_SYMLINK_NOFOLLOW) == 0 && have.st_ino == st.st_ino &&
	    have.st_dev == st.st_dev)
		return 0; /* to itself, or said twice */
	r = clear_place(parent, name, f);
	if (r == 0 && linkat(dir, path_base(target), parent, name, 0) < 0)
		r = fail_set(f, errno, "hard link to \"%s\"", path_show(e->link, shown));
	return r;
}

int (*const tree_writers[ENTRY__N])(struct writer *, int, const char *, const struct entry *,
				    struct fail *) = {
	[ENTRY_FILE] = write_file,       [ENTRY_DIR] = write_dir,
	[ENTRY_SYMLINK] = write_symlink, [ENTRY_HARDLINK] = write_hardlink,
	[ENTRY_FIFO] = write_fifo,
};
