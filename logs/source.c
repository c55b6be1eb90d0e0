/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logs/line.h"

#define CUT_AFTER 1000000000LL /* an incomplete line (a prompt, a progress dot) waits so long */

int source_scratch_init(struct source_scratch *t, struct fail *f)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_set(f, errno, "pipe");
	*t = (struct source_scratch){.in = fds[0], .out = fds[1], .bytes = malloc(SOURCE_QUANTUM)};
	return t->bytes ? 0 : fail_set(f, ENOMEM, "scratch");
}

static ssize_t read_some(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Copies what the pipe holds, and leaves it there. Bytes, 0 at end of file, or -errno. */
static ssize_t peek(int fd, struct source_scratch *t)
{
	ssize_t n, got = 0;

	do
		n = tee(fd, t->out, SOURCE_QUANTUM, SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	while (got < n) {
		ssize_t r = read_some(t->in, t->bytes + got, (size_t)(n - got));

		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		got += r;
	}
	return got;
}

/* Takes out of the pipe what was dealt with. */
static void consume(int fd, size_t len, struct source_scratch *t)
{
	while (len) {
		ssize_t n = read_some(fd, t->bytes, len < SOURCE_QUANTUM ? len : SOURCE_QUANTUM);

		if (n <= 0)
			return;
		len -= (size_t)n;
	}
}

/* The unit is over its rate: what is in the pipe goes. */
static enum source_result discard(struct source *s, struct source_scratch *t, int64_t mono)
{
	ssize_t n = read_some(s->fd, t->bytes, SOURCE_QUANTUM);

	if (n < 0)
		return SOURCE_EMPTY;
	if (n == 0)
		return SOURCE_END;
	sink_drop(s->sink, (uint64_t)n, mono);
	s->skip_line = t->bytes[n - 1] != '\n';
	s->cut_at = INT64_MAX;
	return SOURCE_MORE;
}

/* How much of the data still belongs to the line whose beginning was dropped; a line without end does
 * not take everything with it. */
static size_t skip_rest(struct source *s, const char *data, size_t len, int64_t mono)
{
	const char *newline;
	size_t n;

	if (!s->skip_line)
		return 0;
	newline = memchr(data, '\n', len);
	n = newline ? (size_t)(newline - data) + 1 : len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX;
	s->skip_line = !newline && n < LINE_TEXT_MAX;
	sink_drop(s->sink, n, mono);
	return n;
}

/* Writes the records that len bytes hold; returns how many bytes are dealt with. */
static size_t write_records(struct source *s, struct source_scratch *t, size_t len, bool end,
			    int64_t now, int64_t mono)
{
	size_t used = skip_rest(s, t->bytes, len, mono);

	for (;;) {
		size_t n;

		buf_reset(&t->records);
		n = line_split(t->bytes + used, len - used, end, now, &s->sink->last_time,
			       &t->records, SINK_BATCH - LINE_RECORD_MAX);
		if (!n)
			return used;
		used += n;
		if (t->records.bad) {
			buf_done(&t->records); /* no memory: said like a full disk */
			sink_drop(s->sink, n, mono);
			continue;
		}
		sink_write(s->sink, t->records.data, t->records.len, n, now, mono);
		rotate_spend(&s->sink->budget, t->records.len);
	}
}

enum source_result source_take(struct source *s, struct source_scratch *t, bool end, int64_t now,
			       int64_t mono)
{
	size_t used;
	ssize_t n;

	if (rotate_dropping(&s->sink->budget, s->sink->options.rate, mono))
		return discard(s, t, mono);
	n = peek(s->fd, t);
	if (n == 0)
		return SOURCE_END;
	if (n < 0)
		return SOURCE_EMPTY;
	if (mono >= s->cut_at)
		end = true;
	used = write_records(s, t, (size_t)n, end, now, mono);
	consume(s->fd, used, t);
	if (used == (size_t)n) {
		s->cut_at = INT64_MAX;
		return SOURCE_MORE;
	}
	/* the rest waits in the pipe for its newline; if nothing was used it may wait for some time now */
	if (used || s->cut_at == INT64_MAX)
		s->cut_at = mono + CUT_AFTER;
	return used == 0 ? SOURCE_EMPTY : SOURCE_MORE;
}
