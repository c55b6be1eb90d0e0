/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "logs/line.h"

#define SECOND      1000000000LL
#define RETRY_FIRST SECOND
#define RETRY_LAST  (30 * SECOND)

static const struct rotate_options ring_options = {.size = SINK_BATCH + 4096, .files = 2};

struct sink *sink_new(const char *name, struct place *store, struct place *ring)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = strdup(name);
	if (!s->name) {
		free(s);
		return NULL;
	}
	s->options = rotate_defaults;
	folder_init(&s->store, store, s->name);
	folder_init(&s->ring, ring, s->name);
	/* what a predecessor left in the ring goes first */
	s->in_ring = store->dir < 0 || folder_has_files(&s->ring);
	return s;
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	folder_done(&s->store);
	folder_done(&s->ring);
	free(s->name);
	free(s);
}

static void to_ring(struct sink *s, int64_t mono)
{
	s->retry_delay = s->in_ring ? s->retry_delay * 2 : RETRY_FIRST;
	if (s->retry_delay > RETRY_LAST)
		s->retry_delay = RETRY_LAST;
	s->retry_at = mono + s->retry_delay;
	s->in_ring = true;
}

static int put_store(void *data, const char *bytes, size_t len)
{
	struct sink *s = data;
	uint64_t lost;

	return folder_append(&s->store, &s->options, bytes, len, &lost);
}

/* A piece of the ring on its way to the store, behind the marker for what the ring has lost. */
static int put_moved(void *data, const char *bytes, size_t len)
{
	_buf_ struct buf marker = {0};
	struct sink *s = data;
	int64_t first, last = 0;
	int r;

	if (s->ring_dropped && line_parse_stamp(bytes, len, &first)) {
		line_add_dropped(&marker, s->ring_dropped, first - 1, &last);
		r = marker.bad ? -ENOMEM : put_store(s, marker.data, marker.len);
		if (r < 0)
			return r;
		s->ring_dropped = 0;
	}
	return put_store(s, bytes, len);
}

/* Moves the ring to the store. If the store fails in between, the rest stays in the ring. */
static int leave_ring(struct sink *s, int64_t mono)
{
	int r = s->store.place->dir < 0 ? -ENOENT : 0;

	if (r == 0 && s->ring.place->dir >= 0)
		r = folder_move(&s->ring, SINK_BATCH, put_moved, s);
	if (r < 0) {
		to_ring(s, mono);
		return r;
	}
	s->in_ring = false;
	s->retry_delay = 0;
	return 0;
}

/* Writes to where records go now; the ring is the second choice. Returns how many bytes were written: all,
 * or less if the ring failed as well. */
static size_t put(struct sink *s, const char *records, size_t len, int64_t mono)
{
	size_t done = 0;
	uint64_t lost = 0;

	while (!s->in_ring && done < len) {
		size_t n = folder_fit(&s->store, &s->options, records + done, len - done);

		if (put_store(s, records + done, n) < 0)
			to_ring(s, mono);
		else
			done += n;
	}
	if (done < len &&
	    folder_append(&s->ring, &ring_options, records + done, len - done, &lost) == 0)
		done = len;
	s->ring_dropped += lost;
	return done;
}

static void say_dropped(struct sink *s, int64_t now, int64_t mono)
{
	_buf_ struct buf marker = {0};
	uint64_t dropped = s->dropped;

	if (!dropped)
		return;
	line_add_dropped(&marker, dropped, now, &s->last_time);
	if (!marker.bad && put(s, marker.data, marker.len, mono) == marker.len)
		s->dropped -= dropped;
	else
		s->say_at = mono + RETRY_LAST;
}

void sink_write(struct sink *s, const char *records, size_t len, uint64_t raw, int64_t now,
		int64_t mono)
{
	size_t done;

	if (s->in_ring && mono >= s->retry_at && s->store.place->dir >= 0)
		leave_ring(s, mono);
	say_dropped(s, now, mono);
	/* a marker that could not be written keeps its place: what follows is lost with it */
	done = s->dropped ? 0 : put(s, records, len, mono);
	/* of a batch that was written in part nobody knows how much output the rest stood for: by share */
	if (done < len)
		sink_drop(s, raw - (uint64_t)((double)raw * (double)done / (double)len), mono);
}

void sink_drop(struct sink *s, uint64_t raw, int64_t mono)
{
	if (!s->dropped)
		s->say_at = mono + SECOND;
	s->dropped += raw;
}

void sink_settle(struct sink *s, int64_t now, int64_t mono)
{
	if (s->in_ring && mono >= s->retry_at && s->store.place->dir >= 0)
		leave_ring(s, mono);
	if (s->dropped && mono >= s->say_at)
		say_dropped(s, now, mono);
}

void sink_store_ready(struct sink *s)
{
	s->retry_at = 0;
	folder_done(&s->store);
}

int64_t sink_deadline(const struct sink *s)
{
	int64_t at = s->in_ring && s->store.place->dir >= 0 ? s->retry_at : INT64_MAX;

	return s->dropped && s->say_at < at ? s->say_at : at;
}
