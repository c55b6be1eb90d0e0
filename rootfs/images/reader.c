/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/images/path.h"

#define JOBS_MAX  3
#define PIPE_SIZE (1 << 20) /* fewer switches; the default works too */

/* Jobs in a row: each one's output is the next one's input, the last one's is `out`. */
struct pipeline {
	struct job jobs[JOBS_MAX];
	pid_t pids[JOBS_MAX];
	size_t n;
	int out;                          /* read end */
	int status;                       /* read end */
	struct job_status said[JOBS_MAX]; /* size 0: nothing */
};

static int make_pipe(int ends[2], struct fail *f)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

static int start_one(struct pipeline *p, size_t i, int *in, int status, struct fail *f)
{
	struct job *job = &p->jobs[i];
	int ends[2];
	int r = make_pipe(ends, f);

	if (r < 0)
		return r;
	job->number = (uint32_t)i;
	job->fds[JOB_IN] = *in;
	job->fds[JOB_OUT] = ends[1];
	job->fds[JOB_STATUS] = status;
	p->pids[i] = sandbox_start(job, f);
	close(ends[1]);
	if (i > 0)
		close(*in);
	*in = ends[0];
	return p->pids[i] < 0 ? p->pids[i] : 0;
}

/* in stays the caller's. After a failure pipeline_end() cleans up as after success. */
static int pipeline_start(struct pipeline *p, int in, struct fail *f)
{
	int status[2];
	int r;

	p->out = p->status = -1;
	r = make_pipe(status, f);
	if (r < 0)
		return r;
	p->status = status[0];
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		r = start_one(p, i, &in, status[1], f);
		if (r == 0 || i > 0)
			p->out = in;
	}
	close(status[1]);
	return r;
}

static void read_statuses(struct pipeline *p)
{
	struct job_status st;

	while (read(p->status, &st, sizeof(st)) == sizeof(st)) {
		if (st.size != sizeof(st) || st.job >= p->n)
			continue;
		st.text[sizeof(st.text) - 1] = '\0';
		st.digest[sizeof(st.digest) - 1] = '\0';
		p->said[st.job] = st;
	}
}

/* What a job's text may do to a terminal is nothing. */
static void tame(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 32 || (unsigned char)*text > 126)
			*text = '?';
}

/* Waits for all jobs. The first in the row that failed is to blame: those behind it only saw a
 * short stream, those before it a closed one (SIGPIPE). `r` is how the reading of the output ended; an
 * error of ours is the cause of what the jobs say then. */
static int pipeline_end(struct pipeline *p, int r, struct fail *f)
{
	struct fail ours = f ? *f : (struct fail){0}, dead = {0};
	int verdict = 0;

	cleanup_fd(&p->out);
	if (p->status >= 0)
		read_statuses(p);
	cleanup_fd(&p->status);
	for (size_t i = 0; i < p->n; i++) {
		struct job_status *st = &p->said[i];
		struct fail how = {0};

		if (p->pids[i] <= 0)
			continue;
		if (sandbox_wait(p->pids[i], p->jobs[i].name, &how) < 0 && !st->size && !dead.code)
			dead = how;
		if (verdict == 0 && st->size && st->code) {
			tame(st->text);
			verdict = fail_set(f, 0, "%s", st->text);
			if (f)
				f->code = st->code;
		}
	}
	if (r < 0 && r != -EPIPE) {
		if (f)
			*f = ours;
		return r;
	}
	if (verdict < 0)
		return -EBADMSG;
	if (dead.code) {
		if (f)
			*f = dead;
		return -dead.code;
	}
	return r < 0 ? fail_set(f, 0, "the stream ended early") : 0;
}

/* Record streams. */
struct stream {
	int fd;
	char *data;
	size_t at, len;
};

#define STREAM_SIZE (2 * REC_MAX)

/* 1: *ret is the next record; 0: the END record; -EPIPE: the stream stopped without one. */
static int stream_next(struct stream *s, struct record *ret, struct fail *f)
{
	for (;;) {
		size_t used;
		ssize_t n;

		switch (record_parse(s->data + s->at, s->len - s->at, ret, &used)) {
		case RECORD_READY: s->at += used; return ret->kind == REC_END ? 0 : 1;
		case RECORD_BAD: return fail_set(f, 0, "the tar reader talks nonsense");
		case RECORD_NONE: break;
		}
		memmove(s->data, s->data + s->at, s->len - s->at);
		s->len -= s->at;
		s->at = 0;
		n = read(s->fd, s->data + s->len, STREAM_SIZE - s->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(f, errno, "read from the tar reader");
		if (n == 0)
			return -EPIPE;
		s->len += (size_t)n;
	}
}

static int grow_members(struct members *m, struct fail *f)
{
	struct member *grown;

	if (m->n >= LIMIT_IMAGE_MEMBERS)
		return fail_set(f, EFBIG, "more than %u files in the archive", LIMIT_IMAGE_MEMBERS);
	if (m->n & (m->n - 1))
		return 0;
	grown = reallocarray(m->list, m->n ? 2 * m->n : 1, sizeof(*grown));
	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	m->list = grown;
	return 0;
}

static int add_member(struct members *m, const struct entry *e, uint64_t size, struct fail *f)
{
	char path[LIMIT_ENTRY_PATH + 1], shown[160];
	bool linked = e->kind == ENTRY_SYMLINK || e->kind == ENTRY_HARDLINK;
	struct member *new;
	int r = path_normalise(e->path, path, f);

	if (r == 0)
		r = grow_members(m, f);
	if (r < 0)
		return fail_wrap(f, "member \"%s\"", path_show(e->path, shown));
	if (e->kind == ENTRY_FILE && (e->offset > size || e->size > size - e->offset))
		return fail_set(
			f, EBADMSG,
			"the archive is truncated: \"%s\" should end at byte %llu, the file has %llu",
			path_show(path, shown), (unsigned long long)(e->offset + e->size),
			(unsigned long long)size);
	new = &m->list[m->n];
	*new = (struct member){.path = strdup(path),
			       .link = linked ? strdup(e->link) : NULL,
			       .symbolic = e->kind == ENTRY_SYMLINK,
			       .regular = e->kind == ENTRY_FILE,
			       .offset = e->offset,
			       .size = e->size};
	m->n++;
	return !new->path || (linked && !new->link) ? fail_set(f, ENOMEM, "no memory") : 0;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	/* of two with one name the last one counts, as when unpacking */
	return r ? r : (x->offset < y->offset) - (x->offset > y->offset);
}

void members_done(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].path);
		free(m->list[i].link);
	}
	free(m->list);
	*m = (struct members){0};
}

int reader_members(int file, uint64_t size, struct members *ret, struct fail *f)
{
	struct range all = {.len = size};
	struct pipeline p = {.n = 1,
			     .jobs = {{.name = "archive reader", .run = job_members, .arg = &all}}};
	_free_
	char *data = malloc(STREAM_SIZE);
	struct record rec;
	int r;

	if (!data)
		return fail_set(f, ENOMEM, "no memory");
	r = pipeline_start(&p, file, f);
	if (r == 0) {
		struct stream s = {.fd = p.out, .data = data};

		while ((r = stream_next(&s, &rec, f)) == 1) {
			r = rec.kind == REC_ENTRY ? add_member(ret, &rec.entry, size, f) : 0;
			if (r < 0)
				break;
		}
	}
	r = pipeline_end(&p, r, f);
	if (r < 0)
		members_done(ret);
	else if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), compare_members);
	return r;
}

static const struct member *lookup(const struct members *m, const char *path)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(m->list[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->n && !strcmp(m->list[low].path, path) ? &m->list[low] : NULL;
}

const struct member *members_find(const struct members *m, const char *path)
{
	char now[LIMIT_ENTRY_PATH + 1], dir[LIMIT_ENTRY_PATH + 1];
	int hops = 0;

	if (path_normalise(path, now, NULL) < 0)
		return NULL;
	while (hops++ < 8) {
		const struct member *found = lookup(m, now);

		if (!found || !found->link)
			return found && found->regular ? found : NULL;
		if (found->symbolic)
			path_split(now, dir);
		else
			*dir = '\0';
		if (path_join(dir, found->link, now, NULL) < 0)
			return NULL;
	}
	return NULL;
}

/* Copies a pipeline's output, at most max bytes. */
static int copy_out(int from, uint64_t max, int out, struct buf *b, struct fail *f)
{
	static char block[256 << 10];
	uint64_t total = 0;

	for (;;) {
		ssize_t n = read(from, block, sizeof(block));
		int r = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? fail_set(f, errno, "read from a job") : 0;
		total += (uint64_t)n;
		if (total > max)
			return fail_set(f, EFBIG, "more than %llu bytes", (unsigned long long)max);
		if (b)
			buf_add(b, block, (size_t)n);
		else
			r = io_write_all(out, block, (size_t)n);
		if (r < 0)
			return fail_set(f, -r, "write");
	}
}

int reader_inflate_to(int file, uint64_t size, int out, uint64_t max, struct fail *f)
{
	struct range all = {.len = size};
	struct pipeline p = {.n = 1,
			     .jobs = {{.name = "unpacker", .run = job_inflate, .arg = &all}}};
	int r = pipeline_start(&p, file, f);

	if (r == 0)
		r = copy_out(p.out, max, out, NULL, f);
	return pipeline_end(&p, r, f);
}

int reader_document(enum doc_kind kind, const void *text, size_t len, struct buf *ret_rows,
		    struct fail *f)
{
	struct pipeline p = {.n = 1,
			     .jobs = {{.name = "JSON reader", .run = job_document, .arg = &kind}}};
	_fd_
	int in = io_sealed_memfd("document", text, len, f);
	int r;

	if (in < 0)
		return in;
	if (lseek(in, 0, SEEK_SET) < 0)
		return fail_set(f, errno, "lseek");
	r = pipeline_start(&p, in, f);
	if (r == 0)
		r = copy_out(p.out, 4 * LIMIT_IMAGE_JSON, -1, ret_rows, f);
	r = pipeline_end(&p, r, f);
	return r == 0 && ret_rows->bad ? fail_set(f, ENOMEM, "no memory") : r;
}

static int feed(struct stream *s, struct writer *w, struct fail *f)
{
	struct record rec;
	int r;

	while ((r = stream_next(s, &rec, f)) == 1) {
		if (rec.kind == REC_ENTRY)
			r = writer_entry(w, &rec.entry, f);
		else if (rec.kind == REC_DATA)
			r = writer_data(w, rec.offset, rec.data, rec.len, f);
		if (r < 0)
			return r;
	}
	return r;
}

int reader_layer(int file, struct range part, const struct hash_arg *hash, struct writer *w,
		 char ret_digest[160], struct fail *f)
{
	struct pipeline p = {.n = 3,
			     .jobs = {{.name = "unpacker", .run = job_inflate, .arg = &part},
				      {.name = "hasher", .run = job_hash, .arg = hash},
				      {.name = "tar reader", .run = job_layer}}};
	_free_
	char *data = malloc(STREAM_SIZE);
	int r;

	if (!data)
		return fail_set(f, ENOMEM, "no memory");
	r = pipeline_start(&p, file, f);
	if (r == 0) {
		struct stream s = {.fd = p.out, .data = data};

		r = feed(&s, w, f);
	}
	r = pipeline_end(&p, r, f);
	if (r < 0)
		return r;
	memcpy(ret_digest, p.said[1].digest, sizeof(p.said[1].digest));
	return writer_finish(w, f);
}
