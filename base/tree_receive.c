/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/tree.h"

struct folder {
	int fd;
	struct tree_record record; /* its mode and time, which it gets when all is in it */
};

struct receiver {
	int from;
	const struct tree_place *place;
	struct fail *f;
	struct folder folders[LIMIT_ENTRY_DEPTH + 1];
	unsigned depth; /* folders that are open */
	uint64_t n;
	char name[NAME_MAX + 1], target[PATH_MAX], data[TREE_PIECE];
};

static int get(struct receiver *r, void *to, size_t len)
{
	char *at = to;

	while (len) {
		ssize_t n = read(r->from, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(r->f, errno, "receiving");
		if (n == 0)
			return fail_set(r->f, EPIPE, "it broke off");
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int refuse(struct receiver *r, const char *why)
{
	return fail_set(r->f, EBADMSG, "what comes is refused: %s", why);
}

/* A text behind a record: as long as it says, with nothing in it that would end it before. */
static int get_text(struct receiver *r, char *text, size_t len, size_t size)
{
	int e;

	if (len >= size)
		return refuse(r, "a name is too long");
	e = get(r, text, len);
	text[len] = '\0';
	return e < 0 ? e : strlen(text) == len ? 0 : refuse(r, "a name with a zero byte");
}

static bool is_component(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int get_record(struct receiver *r, struct tree_record *record)
{
	int e = get(r, record, sizeof(*record));
	bool entry;

	if (e < 0)
		return e;
	entry = record->kind == TREE_FILE || record->kind == TREE_FOLDER ||
		record->kind == TREE_LINK;
	if (record->magic != TREE_MAGIC || record->kind < TREE_FILE || record->kind > TREE_END)
		return refuse(r, "no record");
	if (++r->n > LIMIT_IMAGE_ENTRIES)
		return refuse(r, "too many entries");
	e = get_text(r, r->name, record->name, sizeof(r->name));
	if (e == 0)
		e = get_text(r, r->target, record->link, sizeof(r->target));
	if (e < 0)
		return e;
	if (entry && r->depth ? !is_component(r->name) : *r->name)
		return refuse(r, "a name that is none");
	if ((record->kind == TREE_LINK) != (*r->target != '\0'))
		return refuse(r, "a target that is none");
	return 0;
}

static int here(const struct receiver *r)
{
	return r->folders[r->depth - 1].fd;
}

static const char *named(const struct receiver *r)
{
	return *r->name ? r->name : "it";
}

/* Owner first: it takes the set-id bits away. */
static int finish(struct receiver *r, int fd, const struct tree_record *record)
{
	struct timespec times[2] = {
		{.tv_nsec = UTIME_NOW},
		{record->mtime / 1000000000, record->mtime % 1000000000},
	};

	if (times[1].tv_nsec < 0)
		times[1].tv_nsec = UTIME_NOW;
	if (r->place->owners && fchown(fd, record->uid, record->gid) < 0)
		return fail_set(r->f, errno, "owner %u:%u of \"%s\"", record->uid, record->gid,
				named(r));
	if (fchmod(fd, record->mode & r->place->modes) < 0)
		return fail_set(r->f, errno, "mode of \"%s\"", named(r));
	futimens(fd, times);
	return 0;
}

/* A new file in place of what is there, so that neither a link nor another name of the file is written through. */
static int make_file(struct receiver *r)
{
	int fd;

	if (unlinkat(here(r), r->name, 0) < 0 && errno != ENOENT)
		return fail_set(r->f, errno, "\"%s\"", r->name);
	fd = openat(here(r), r->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? fail_set(r->f, errno, "\"%s\"", r->name) : fd;
}

static int open_top(struct receiver *r, bool folder, const struct tree_record *record)
{
	return r->place->open(r->place->ctx, folder, record->mode & r->place->modes, r->f);
}

static int take_file(struct receiver *r, const struct tree_record *record)
{
	uint32_t len = 1;
	bool top = !r->depth;
	int e = 0;
	_fd_
	int fd = top ? open_top(r, false, record) : make_file(r);

	if (fd < 0)
		return fd;
	while (e == 0 && len) {
		e = get(r, &len, sizeof(len));
		if (e == 0 && len > sizeof(r->data))
			e = refuse(r, "a piece that is too large");
		if (e == 0)
			e = get(r, r->data, len);
		if (e == 0 && io_write_all(fd, r->data, len) < 0)
			e = fail_set(r->f, errno, "writing \"%s\"", named(r));
	}
	/* what was there and is written anew keeps what it is */
	return e < 0 || top ? e : finish(r, fd, record);
}

static int take_folder(struct receiver *r, const struct tree_record *record)
{
	int fd;

	if (r->depth == ARRAY_LEN(r->folders))
		return refuse(r, "folders are too deep");
	if (!r->depth) {
		fd = open_top(r, true, record);
		if (fd < 0)
			return fd;
	} else {
		if (mkdirat(here(r), r->name, 0700) < 0 && errno != EEXIST)
			return fail_set(r->f, errno, "\"%s\"", r->name);
		fd = openat(here(r), r->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return fail_set(r->f, errno, "\"%s\"", r->name);
	}
	r->folders[r->depth++] = (struct folder){fd, *record};
	return 0;
}

static int take_link(struct receiver *r, const struct tree_record *record)
{
	if (!r->depth)
		return refuse(r, "a link by itself");
	if (unlinkat(here(r), r->name, 0) < 0 && errno != ENOENT)
		return fail_set(r->f, errno, "\"%s\"", r->name);
	if (symlinkat(r->target, here(r), r->name) < 0 ||
	    (r->place->owners &&
	     fchownat(here(r), r->name, record->uid, record->gid, AT_SYMLINK_NOFOLLOW) < 0))
		return fail_set(r->f, errno, "\"%s\"", r->name);
	return 0;
}

/* The first folder was there before, or has its mode from who made it. */
static int leave_folder(struct receiver *r)
{
	struct folder *folder = &r->folders[--r->depth];
	int e = r->depth ? finish(r, folder->fd, &folder->record) : 0;

	close(folder->fd);
	return e;
}

static int take_all(struct receiver *r)
{
	static int (*const takes[])(struct receiver *, const struct tree_record *) = {
		[TREE_FILE] = take_file, [TREE_FOLDER] = take_folder, [TREE_LINK] = take_link};
	struct tree_record record;
	bool taken = false;
	int e;

	while ((e = get_record(r, &record)) == 0) {
		if (record.kind == TREE_END)
			return r->depth ? refuse(r, "it ends in a folder") : 0;
		if (record.kind == TREE_LEAVE)
			e = r->depth ? leave_folder(r) : refuse(r, "a folder too few");
		else if (taken && !r->depth)
			e = refuse(r, "more than was asked for");
		else
			e = takes[record.kind](r, &record);
		taken = true;
		if (e < 0)
			return e;
	}
	return e;
}

int tree_receive(int from, const struct tree_place *place, struct fail *f)
{
	static struct receiver r;
	int e;

	r = (struct receiver){.from = from, .place = place, .f = f};
	e = take_all(&r);
	while (r.depth)
		close(r.folders[--r.depth].fd);
	return e;
}
