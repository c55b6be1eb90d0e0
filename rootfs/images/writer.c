/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/writer.h"

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

void writer_init(struct writer *w, int root, const struct layers *below, struct quota *q)
{
	*w = (struct writer){.root = root, .below = below, .quota = q, .file = -1, .parent_fd = -1};
}

static void forget_parent(struct writer *w)
{
	cleanup_fd(&w->parent_fd);
	w->parent_fd = -1;
}

void writer_done(struct writer *w)
{
	forget_parent(w);
	cleanup_fd(&w->file);
	w->file = -1;
	for (size_t i = 0; i < w->n_times; i++)
		free(w->times[i].path);
	free(w->times);
	buf_done(&w->assumes);
	buf_done(&w->entry_text);
}

void writer_note(struct writer *w, const char *path, const char *text)
{
	char shown[160], line[400];

	snprintf(line, sizeof(line), "skipped \"%s\": %s", path_show(path, shown), text);
	if (w->note)
		w->note(w->note_arg, line);
}

static int finish_file(struct writer *w, struct fail *f)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
				    {.tv_sec = w->entry.mtime, .tv_nsec = w->entry.mtime_ns}};
	_fd_
	int fd = take_fd(&w->file);
	int r;

	if (fd < 0)
		return 0;
	if (ftruncate(fd, (off_t)w->entry.size) < 0)
		return fail_set(f, errno, "\"%s\": size", w->entry.path);
	r = tree_attributes(w, fd, &w->entry, f);
	if (r == 0 && futimens(fd, times) < 0)
		r = fail_set(f, errno, "time");
	return r < 0 ? fail_wrap(f, "\"%s\"", w->entry.path) : 0;
}

/* The root itself: it is there, and it stays a directory. */
static int write_root(struct writer *w, const struct entry *e, struct fail *f)
{
	int r;

	if (e->kind != ENTRY_DIR)
		return fail_set(f, 0, "the root is not a directory");
	w->root_seen = true;
	r = tree_attributes(w, w->root, e, f);
	return r < 0 ? r
		     : tree_time_later(
			       w, "", (struct timespec){.tv_sec = e->mtime, .tv_nsec = e->mtime_ns},
			       f);
}

/* Goes to the directory an entry lies in; entries of one directory mostly follow one another. */
static int go_to_parent(struct writer *w, const char *parent, struct fail *f)
{
	if (w->parent_fd >= 0 && !strcmp(w->parent, parent))
		return 0;
	forget_parent(w);
	w->parent_fd = tree_walk(w, parent, w->real, f);
	if (w->parent_fd < 0)
		return w->parent_fd;
	strcpy(w->parent, parent);
	return 0;
}

static int write_mark(struct writer *w, enum path_mark mark, const char *name, struct fail *f)
{
	if (mark == PATH_WHITEOUT)
		return tree_whiteout(w->parent_fd, name, f);
	if (*w->real)
		return tree_set_opaque(w->parent_fd, f);
	w->root_opaque = true; /* overlayfs does not look for the mark there */
	return 0;
}

static int write_entry(struct writer *w, const struct entry *e, const char *path, struct fail *f)
{
	char parent[LIMIT_ENTRY_PATH + 1];
	const char *why, *gone = NULL;
	enum path_mark mark = path_mark(path, &gone);
	enum verdict verdict = policy_kind(e->kind, &why);
	struct stat st;
	int r;

	if (mark == PATH_BAD)
		return fail_set(f, 0, "a whiteout of nothing, of \".\" or \"..\", or below one");
	if (mark == PATH_IGNORED)
		return 0;
	if (mark == PATH_PLAIN && verdict == VERDICT_REFUSE)
		return fail_set(f, 0, "%s", why);
	if (mark == PATH_PLAIN && verdict == VERDICT_SKIP) {
		writer_note(w, path, why);
		return 0;
	}
	path_split(path, parent);
	r = go_to_parent(w, parent, f);
	if (r < 0)
		return r;
	if (mark != PATH_PLAIN)
		return write_mark(w, mark, gone, f);
	/* something is replaced: names may lead elsewhere from now on */
	bool replaced = fstatat(w->parent_fd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0;

	r = tree_writers[e->kind](w, w->parent_fd, path_base(path), e, f);
	if (replaced)
		forget_parent(w);
	return r;
}

int writer_entry(struct writer *w, const struct entry *e, struct fail *f)
{
	char path[LIMIT_ENTRY_PATH + 1], shown[160];
	int r = finish_file(w, f);

	if (r < 0)
		return r;
	r = quota_add(w->quota, e->size, f);
	if (r == 0)
		r = policy_owner(e, f);
	if (r == 0)
		r = path_normalise(e->path, path, f);
	if (r == 0) {
		w->entries++;
		w->bytes += e->size;
		r = *path ? write_entry(w, e, path, f) : write_root(w, e, f);
	}
	return r < 0 ? fail_wrap(f, "entry \"%s\"", path_show(e->path, shown)) : 0;
}

int writer_data(struct writer *w, uint64_t offset, const void *data, size_t len, struct fail *f)
{
	if (w->file < 0)
		return 0; /* of a skipped entry */
	if (offset > w->entry.size || len > w->entry.size - offset)
		return fail_set(f, 0, "\"%s\": more data than its size", w->entry.path);
	while (len) {
		ssize_t n = pwrite(w->file, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(f, errno, "\"%s\": write", w->entry.path);
		data = (const char *)data + n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int tree_time_later(struct writer *w, const char *real, struct timespec mtime, struct fail *f)
{
	if (w->n_times == w->cap_times) {
		size_t cap = w->cap_times ? 2 * w->cap_times : 256;
		struct dir_time *grown = reallocarray(w->times, cap, sizeof(*grown));

		if (!grown)
			return fail_set(f, ENOMEM, "no memory");
		w->times = grown;
		w->cap_times = cap;
	}
	w->times[w->n_times] = (struct dir_time){.path = strdup(real), .mtime = mtime};
	if (!w->times[w->n_times].path)
		return fail_set(f, ENOMEM, "no memory");
	w->n_times++;
	return 0;
}

/* A directory that was replaced later by something else keeps that one's time. */
static int set_times(struct writer *w, struct fail *f)
{
	for (size_t i = 0; i < w->n_times; i++) {
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, w->times[i].mtime};
		_fd_
		int dir = tree_open(w, w->times[i].path, NULL);

		if (dir >= 0 && futimens(dir, times) < 0)
			return fail_set(f, errno, "time of \"%s\"", w->times[i].path);
	}
	return 0;
}

int writer_finish(struct writer *w, struct fail *f)
{
	int r = finish_file(w, f);

	forget_parent(w);
	if (r == 0 && !w->root_seen)
		r = tree_root_from_below(w, f);
	if (r == 0 && w->root_opaque)
		r = tree_hide_all_below(w, f);
	return r < 0 ? r : set_times(w, f);
}
