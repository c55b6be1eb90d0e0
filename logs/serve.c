/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/store.h"
#include "base/words.h"
#include "logs/privilege.h"
#include "logs/source.h"

#define CONTROL     3
#define MESSAGE_MAX 4096
#define EVENTS      64

struct server {
	const struct serve_options *options;
	int epoll, signals;
	bool control_open, stop;
	struct place store, ring;
	struct source_scratch scratch;
	struct source **sources;
	size_t n_sources, n_ready;
	struct sink **sinks;
	size_t n_sinks;
};

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void complain(const struct fail *f)
{
	fprintf(stderr, "orlop-log: %s\n", f->text);
}

/* The store becomes usable: from here on this process needs no privilege any more. */
static void open_store(struct server *v)
{
	struct place opened = {.dir = -1};
	struct fail f = {0};
	bool first = v->store.dir < 0;

	if (first && privilege_raise(&f) < 0) {
		complain(&f);
		return;
	}
	if (place_open(&opened, PATH_LOGS, v->options->total, PRIVILEGE_UID, &f) < 0)
		complain(&f);
	if (first && (opened.dir < 0 ? privilege_lower(&f)
				     : (privilege_drop(&f) < 0 ? -1 : privilege_filter(&f))) < 0)
		complain(&f);
	if (opened.dir < 0)
		return;
	place_close(&v->store);
	v->store = opened;
	for (size_t i = 0; i < v->n_sinks; i++)
		sink_store_ready(v->sinks[i]);
}

static struct sink *find_sink(struct server *v, const char *name)
{
	struct sink **grown, *sink;

	for (size_t i = 0; i < v->n_sinks; i++)
		if (!strcmp(v->sinks[i]->name, name))
			return v->sinks[i];
	grown = realloc(v->sinks, (v->n_sinks + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	v->sinks = grown;
	sink = sink_new(name, &v->store, &v->ring);
	if (sink)
		v->sinks[v->n_sinks++] = sink;
	return sink;
}

static void release_sink(struct server *v, struct sink *sink)
{
	if (--sink->users)
		return;
	for (size_t i = 0; i < v->n_sinks; i++)
		if (v->sinks[i] == sink)
			v->sinks[i] = v->sinks[--v->n_sinks];
	if (sink->erase) {
		folder_erase(&sink->store);
		folder_erase(&sink->ring);
	}
	sink_free(sink);
}

/* The unit will not come back: what it wrote goes, once all of it has come. */
static int erase_unit(struct server *v, const char *name, struct fail *f)
{
	struct sink *sink;

	if (!name || !store_name_valid(name))
		return fail_set(f, 0, "there is no log to remove");
	sink = find_sink(v, name);
	if (!sink)
		return fail_set(f, ENOMEM, "unit \"%s\"", name);
	sink->users++;
	sink->erase = true;
	release_sink(v, sink);
	return 0;
}

static bool known_pipe(const struct server *v, const struct sink *sink, ino_t ino)
{
	for (size_t i = 0; i < v->n_sources; i++)
		if (v->sources[i]->sink == sink && v->sources[i]->ino == ino)
			return true;
	return false;
}

static struct source *new_source(struct server *v)
{
	struct source **grown = realloc(v->sources, (v->n_sources + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	v->sources = grown;
	return calloc(1, sizeof(struct source));
}

/* Takes over the pipe in *fd. */
static int add_pipe(struct server *v, struct sink *sink, int *fd, struct fail *f)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct source *s;
	struct stat st;

	if (fstat(*fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return fail_set(f, 0, "unit \"%s\": what came is no pipe", sink->name);
	if (known_pipe(v, sink, st.st_ino))
		return 0;
	/* the read end only: the unit's own writes go on to wait for room */
	if (fcntl(*fd, F_SETFL, O_NONBLOCK) < 0)
		return fail_set(f, errno, "unit \"%s\": O_NONBLOCK", sink->name);
	s = new_source(v);
	if (!s)
		return fail_set(f, ENOMEM, "unit \"%s\"", sink->name);
	event.data.ptr = s;
	if (epoll_ctl(v->epoll, EPOLL_CTL_ADD, *fd, &event) < 0) {
		free(s);
		return fail_set(f, errno, "epoll_ctl for unit \"%s\"", sink->name);
	}
	*s = (struct source){
		.fd = take_fd(fd), .ino = st.st_ino, .sink = sink, .cut_at = INT64_MAX};
	sink->users++;
	v->sources[v->n_sources++] = s;
	return 0;
}

static int add_unit(struct server *v, const char *name, struct words_iter *options, int *fd,
		    struct fail *f)
{
	struct sink *sink;
	const char *word;
	int r;

	if (!store_name_valid(name))
		return fail_set(f, 0, "\"%.64s\" is no unit name", name);
	if (*fd < 0)
		return fail_set(f, 0, "unit \"%s\" came without its pipe", name);
	sink = find_sink(v, name);
	if (!sink)
		return fail_set(f, ENOMEM, "unit \"%s\"", name);
	sink->users++;
	sink->erase = false;
	while ((word = words_next(options)))
		if (rotate_option(&sink->options, word, f) < 0)
			complain(f); /* and ignored: the unit's output matters more */
	r = add_pipe(v, sink, fd, f);
	release_sink(v, sink);
	return r;
}

static void control_message(struct server *v)
{
	char message[MESSAGE_MAX];
	int fds[IO_FDS_MAX], fd = -1;
	struct fail f = {0};
	struct words_iter it;
	const char *word;
	size_t n_fds;
	ssize_t n = io_recv_fds(CONTROL, message, sizeof(message), fds, &n_fds);

	for (size_t i = 0; i < n_fds; i++)
		if (i == 0)
			fd = fds[0];
		else
			close(fds[i]);
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EMSGSIZE)) {
		epoll_ctl(v->epoll, EPOLL_CTL_DEL, CONTROL, NULL);
		v->control_open = false;
		return;
	}
	if (n < 0 || !words_valid(message, (size_t)n))
		return;
	words_iter_init(&it, message, (size_t)n);
	word = words_next(&it);
	if (word && !strcmp(word, "@store"))
		open_store(v);
	else if (word && !strcmp(word, "@erase")) {
		if (erase_unit(v, words_next(&it), &f) < 0)
			complain(&f);
	} else if (word && add_unit(v, word, &it, &fd, &f) < 0)
		complain(&f);
	if (fd >= 0)
		close(fd);
}

static void remove_source(struct server *v, size_t i, int64_t now, int64_t mono)
{
	struct source *s = v->sources[i];

	s->sink->say_at = 0;
	sink_settle(s->sink, now, mono);
	close(s->fd); /* leaves epoll with it: nobody else here has the file open */
	release_sink(v, s->sink);
	free(s);
	v->sources[i] = v->sources[--v->n_sources];
}

/* One turn for each source that may have something. */
static void serve_sources(struct server *v)
{
	int64_t now = clock_ns(CLOCK_REALTIME), mono = clock_ns(CLOCK_MONOTONIC);

	v->n_ready = 0;
	for (size_t i = 0; i < v->n_sources;) {
		struct source *s = v->sources[i];
		enum source_result r = SOURCE_EMPTY;

		if (s->ready || mono >= s->cut_at)
			r = source_take(s, &v->scratch, false, now, mono);
		s->ready = r == SOURCE_MORE;
		v->n_ready += s->ready;
		if (r == SOURCE_END)
			remove_source(v, i, now, mono);
		else
			i++;
	}
	for (size_t i = 0; i < v->n_sinks; i++)
		if (mono >= sink_deadline(v->sinks[i]))
			sink_settle(v->sinks[i], now, mono);
}

/* How long to wait for events, in ms: until the next line must be cut or the next disk tried. */
static int patience(const struct server *v)
{
	int64_t at = INT64_MAX, mono = clock_ns(CLOCK_MONOTONIC);

	if (v->n_ready)
		return 0;
	for (size_t i = 0; i < v->n_sources; i++)
		if (v->sources[i]->cut_at < at)
			at = v->sources[i]->cut_at;
	for (size_t i = 0; i < v->n_sinks; i++)
		if (sink_deadline(v->sinks[i]) < at)
			at = sink_deadline(v->sinks[i]);
	if (at == INT64_MAX)
		return -1;
	return at <= mono ? 0 : (int)((at - mono) / 1000000 + 1);
}

static void wait_events(struct server *v)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(v->epoll, events, EVENTS, patience(v));

	for (int i = 0; i < n; i++) {
		struct source *s = events[i].data.ptr;

		if (events[i].data.ptr == &v->signals) {
			v->stop = true;
		} else if (events[i].data.ptr == v) {
			control_message(v);
		} else {
			s->ready = true;
			if (events[i].events & EPOLLHUP)
				s->cut_at = 0; /* nobody will complete the line */
		}
	}
}

/* The end: what is in the pipes now goes to the files, but no unit can hold us up by writing on. */
static void drain(struct server *v, bool cut)
{
	int64_t now = clock_ns(CLOCK_REALTIME), mono = clock_ns(CLOCK_MONOTONIC);

	for (size_t i = 0; i < v->n_sources; i++)
		for (int turn = 0; turn < 32; turn++)
			if (source_take(v->sources[i], &v->scratch, cut, now, mono) != SOURCE_MORE)
				break;
	while (v->n_sources)
		remove_source(v, v->n_sources - 1, now, mono);
}

static int watch(int epoll, int fd, void *what, struct fail *f)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0
		       ? fail_set(f, errno, "epoll_ctl(fd %d)", fd)
		       : 0;
}

static int set_up(struct server *v, struct fail *f)
{
	struct rlimit files = {0};
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max; /* two for each unit */
		setrlimit(RLIMIT_NOFILE, &files);
	}
	v->epoll = epoll_create1(EPOLL_CLOEXEC);
	v->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (v->epoll < 0 || v->signals < 0)
		return fail_set(f, errno, "epoll or signalfd");
	r = source_scratch_init(&v->scratch, f);
	if (r == 0)
		r = watch(v->epoll, v->signals, &v->signals, f);
	if (r == 0)
		r = watch(v->epoll, CONTROL, v, f);
	if (r < 0)
		return r;
	v->control_open = true;
	/* no ring is no reason to stop: with a store it may never be needed */
	if (place_open(&v->ring, PATH_LOG_RING, 64ull << 20, PRIVILEGE_UID, f) < 0)
		complain(f);
	r = privilege_lower(f);
	if (r == 0 && !v->options->early)
		open_store(v);
	return r;
}

int serve(const struct serve_options *o, struct fail *f)
{
	struct server v = {.options = o, .store = {.dir = -1}, .ring = {.dir = -1}};
	int r = set_up(&v, f);

	if (r < 0)
		return r;
	while (!v.stop && (v.control_open || v.n_ready)) {
		wait_events(&v);
		serve_sources(&v);
	}
	drain(&v, v.stop || !v.control_open);
	free(v.sources);
	free(v.sinks);
	return 0;
}
