/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/read.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "logs/privilege.h"
#include "logs/trail.h"

/* One place, and the beginning of a record whose end has not been read yet. */
struct pump {
	struct trail trail;
	struct buf pending;
	bool is_ring;
};

struct reader {
	const struct read_options *o;
	struct out *out;
	struct pump store, ring;
	int store_dir, ring_dir;
	int64_t last_time;
	/* Times of what was printed from the ring. When the ring moves to the store the same records come again
	 * from there, and are known by them. */
	int64_t ring_first, ring_last;
};

static int open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int emit(struct reader *r, const struct pump *p, const char *data, size_t len)
{
	struct line line;

	if (!line_parse(data, len, &line)) /* torn by a power cut: shown as it is */
		line = (struct line){r->last_time, LINE_FULL, data, len};
	else if (!p->is_ring && line.time >= r->ring_first && line.time <= r->ring_last)
		return 0;
	r->last_time = line.time;
	if (p->is_ring) {
		if (!r->ring_last)
			r->ring_first = line.time;
		r->ring_last = line.time;
	}
	return line.time < r->o->since ? 0 : out_line(r->out, &line);
}

/* Gives out the whole records that are pending. */
static int emit_pending(struct reader *r, struct pump *p)
{
	size_t at = 0;
	int result = 0;

	while (result == 0 && at < p->pending.len) {
		const char *record = p->pending.data + at;
		const char *newline = memchr(record, '\n', p->pending.len - at);

		if (!newline)
			break;
		result = emit(r, p, record, (size_t)(newline - record));
		at += (size_t)(newline - record) + 1;
	}
	if (at)
		memmove(p->pending.data, p->pending.data + at, p->pending.len - at);
	p->pending.len -= at;
	/* no record is that long: something else is in the file */
	if (p->pending.len > LINE_RECORD_MAX) {
		result = emit(r, p, p->pending.data, p->pending.len);
		buf_reset(&p->pending);
	}
	return result;
}

static int emit_gap(struct reader *r)
{
	static const char text[] = "older lines were removed before they could be read";
	struct line line = {r->last_time, LINE_MARKER, text, sizeof(text) - 1};

	return out_line(r->out, &line);
}

/* Goes to the next file. 1: done, 0: there is none, or -errno. */
static int next_file(struct reader *r, struct pump *p)
{
	bool gap;

	/* a ring that moved away is no gap, and a new one begins at its start */
	if (p->is_ring && !trail_alive(&p->trail))
		trail_done(&p->trail);
	if (!trail_next(&p->trail, &gap))
		return 0;
	buf_reset(&p->pending);
	if (gap && !p->is_ring && emit_gap(r) < 0)
		return -EPIPE;
	return 1;
}

/* Gives out all that is there now in one place. */
static int pump_all(struct reader *r, struct pump *p)
{
	char chunk[32 << 10];
	bool complete = false;

	for (;;) {
		ssize_t n = trail_read(&p->trail, chunk, sizeof(chunk));
		int result;

		if (n < 0)
			return (int)n;
		if (n > 0) {
			buf_add(&p->pending, chunk, (size_t)n);
			result = p->pending.bad ? -ENOMEM : emit_pending(r, p);
		} else if (!complete) {
			/* look for a successor first, then once more for what came before it was made */
			if (!trail_has_next(&p->trail))
				return 0;
			complete = true;
			continue;
		} else {
			result = next_file(r, p);
			if (result == 0)
				return 0;
		}
		complete = false;
		if (result < 0)
			return result;
	}
}

static int pump_both(struct reader *r)
{
	int result = pump_all(r, &r->store);

	if (result == 0)
		result = pump_all(r, &r->ring);
	/* the ring may have moved to the store while we looked at it */
	if (result == 0)
		result = pump_all(r, &r->store);
	return result < 0 ? result : out_flush(r->out);
}

/* The store was not there when we began (the disk is mounted later): perhaps it is now. */
static void look_for_store(struct reader *r)
{
	struct fail f = {0};

	if (r->store_dir >= 0 || privilege_raise(&f) < 0)
		return;
	r->store_dir = open_dir(PATH_LOGS);
	if ((r->store_dir < 0 ? privilege_lower(&f) : privilege_drop(&f)) < 0)
		fprintf(stderr, "orlop-log: %s\n", f.text);
	trail_init(&r->store.trail, r->store_dir, r->o->unit);
}

static void watch(int inotify, int dir, const char *unit)
{
	if (dir < 0 || fchdir(dir) < 0)
		return;
	inotify_add_watch(inotify, ".", IN_CREATE | IN_DELETE);
	inotify_add_watch(inotify, unit, IN_CREATE | IN_MODIFY | IN_MOVED_FROM | IN_DELETE_SELF);
}

/* Waits for a change in the files, or, while there is no store to watch, for half a second. 0, or -EPIPE: the client is gone. */
static int wait_change(const struct reader *r, int inotify)
{
	struct pollfd p[] = {
		{.fd = inotify, .events = POLLIN},
		{.fd = r->out->fd, .events = r->out->frames ? POLLRDHUP : 0},
	};
	char events[4096];

	while (poll(p, 2, r->store_dir < 0 ? 500 : -1) < 0)
		if (errno != EINTR)
			return -errno;
	if (p[1].revents & (POLLHUP | POLLERR | POLLRDHUP))
		return -EPIPE;
	while (read(inotify, events, sizeof(events)) > 0)
		continue;
	return 0;
}

static int follow(struct reader *r, struct fail *f)
{
	_fd_
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int result = 0;

	if (inotify < 0)
		return fail_set(f, errno, "inotify");
	while (result == 0) {
		look_for_store(r);
		watch(inotify, r->store_dir, r->o->unit);
		watch(inotify, r->ring_dir, r->o->unit);
		result = pump_both(r);
		if (result == 0)
			result = wait_change(r, inotify);
	}
	return result;
}

static void start(struct reader *r)
{
	int64_t lines = r->o->lines;

	if (lines < 0) {
		trail_first(&r->store.trail);
		trail_first(&r->ring.trail);
		return;
	}
	trail_last(&r->ring.trail, &lines);
	trail_last(&r->store.trail, &lines);
}

int log_read(const struct read_options *o, struct out *out, struct fail *f)
{
	struct reader r = {.o = o, .out = out, .ring.is_ring = true};
	int result;

	r.store_dir = open_dir(PATH_LOGS);
	r.ring_dir = open_dir(PATH_LOG_RING);
	result = r.store_dir < 0 && o->follow ? privilege_lower(f) : privilege_drop(f);
	if (result < 0)
		return result;
	trail_init(&r.store.trail, r.store_dir, o->unit);
	trail_init(&r.ring.trail, r.ring_dir, o->unit);
	start(&r);
	result = o->follow ? follow(&r, f) : pump_both(&r);
	trail_done(&r.store.trail);
	trail_done(&r.ring.trail);
	buf_done(&r.store.pending);
	buf_done(&r.ring.pending);
	if (r.store_dir >= 0)
		close(r.store_dir);
	if (r.ring_dir >= 0)
		close(r.ring_dir);
	if (result == -EPIPE)
		return result;
	return result < 0 && !f->code ? fail_set(f, -result, "logs of \"%s\"", o->unit) : result;
}
