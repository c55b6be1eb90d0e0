/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs that a child answers, because the answer is long or lies on a disk: it is given the client's
 * connection and the frame's id, writes the frames itself and leaves. PID 1 is out of it then.
 *
 * The virtio port cannot be given away: it is one stream for all. There the child gets one end of a
 * socket pair, and what it sends is passed on frame by frame; while the port is full, nothing is read from the
 * child, so that it waits and PID 1 does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "base/wire.h"
#include "init/control.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/vault.h"
#include "init/verbs.h"

#define RELAYS_MAX  8
#define ARGS_MAX    24
/* What may wait for the port before a child is made to wait. */
#define RELAY_QUEUE (4 * LIMIT_FRAME)

struct relay {
	struct watch watch;
	struct client *client; /* NULL = free */
	uint32_t id;
	bool ended; /* the line with "exit" has passed */
	struct timer again;
};

static struct relay relays[RELAYS_MAX];

static void relay_close(struct relay *r)
{
	struct answer a = {.client = r->client, .id = r->id};

	loop_untimer(&r->again);
	loop_unwatch(&r->watch);
	vault_close(r->watch.fd);
	r->client = NULL;
	if (!r->ended)
		answer_end(&a, EXIT_ERROR, "the answer broke off");
	else if (a.client->owed)
		a.client->owed--;
}

static void relay_ready(struct watch *w, uint32_t events);

static void relay_again(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, again);

	loop_rewatch(&r->watch, EPOLLIN);
	relay_ready(&r->watch, EPOLLIN);
}

static void relay_ready(struct watch *w, uint32_t events)
{
	static char packet[sizeof(struct frame_head) + LIMIT_FRAME];
	struct relay *r = container_of(w, struct relay, watch);
	struct frame_head head;
	const char *payload;
	size_t used;
	ssize_t n;

	(void)events;
	if (r->client->out.len - r->client->sent > RELAY_QUEUE) {
		/* nothing tells when the port has room but the port's own edge: look again soon */
		loop_rewatch(w, 0);
		loop_timer(&r->again, loop_now() + 20 * NSEC_PER_MSEC, relay_again);
		return;
	}
	n = recv(w->fd, packet, sizeof(packet), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || frame_parse(packet, (size_t)n, &head, &payload, &used) != FRAME_READY) {
		relay_close(r);
		return;
	}
	r->ended |= head.len > 8 && !memcmp(payload, "{\"exit\":", 8);
	buf_add(&r->client->out, packet, used);
}

static int relay_open(const struct answer *a, struct fail *f)
{
	int pair[2], r;

	for (unsigned i = 0; i < RELAYS_MAX; i++) {
		struct relay *relay = &relays[i];

		if (relay->client)
			continue;
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return fail_set(f, errno, "socketpair");
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		r = loop_watch(&relay->watch, pair[0], EPOLLIN, relay_ready, f);
		if (r < 0) {
			close(pair[0]);
			close(pair[1]);
			return r;
		}
		relay->client = a->client;
		relay->id = a->id;
		relay->ended = false;
		vault_touch();
		return pair[1];
	}
	return fail_set(f, EBUSY, "too many answers are under way");
}

void verbs_save_relays(struct vault_writer *w)
{
	for (unsigned i = 0; i < RELAYS_MAX; i++) {
		if (!relays[i].client)
			continue;
		vault_word(w, "relay");
		vault_fd(w, relays[i].watch.fd);
		vault_number(w, relays[i].id);
	}
}

/* A frame that was taken from the child and not passed on when PID 1 crashed is missing: the client sees that the answer
 * has an end, and so does not wait for it. */
int verbs_restore_relay(char *const *args, struct fail *f)
{
	struct client *port = control_port();

	for (unsigned i = 0; i < RELAYS_MAX && port; i++) {
		if (relays[i].client)
			continue;
		relays[i].client = port;
		relays[i].id = (uint32_t)strtoul(args[1], NULL, 10);
		return loop_watch(&relays[i].watch, atoi(args[0]), EPOLLIN, relay_ready, f);
	}
	return 0;
}

/* Starts argv with the client as fd 3. The child is nobody's: it is reaped as an orphan. */
static int spawn_answer(const char *const *argv, int connection, struct fail *f)
{
	struct spawn s = {.argv = argv, .cgroup = -1, .fds = {-1, -1, -1, connection}, .n_fds = 4};
	int pidfd;
	pid_t pid = spawn(&s, &pidfd, f);

	if (pid < 0)
		return (int)pid;
	close(pidfd);
	return 0;
}

/* argv: program and its own words, ended by NULL; `--frame-id N` is put behind the second one. */
static void hand_over(const struct answer *a, const char **argv, size_t n)
{
	struct fail f = {0};
	static char id[16]; /* outlives argv, which is the caller's */
	int fd, r;

	snprintf(id, sizeof(id), "%u", a->id);
	memmove(argv + 4, argv + 2, (n - 1) * sizeof(*argv));
	argv[2] = "--frame-id";
	argv[3] = id;
	fd = a->client->stream ? relay_open(a, &f) : a->client->fd;
	if (fd >= 0)
		fcntl(fd, F_SETFL,
		      0); /* the child may wait for a slow reader; we do not use it any more */
	r = fd < 0 ? fd : spawn_answer(argv, fd, &f);
	if (r < 0)
		answer_end(a, EXIT_ERROR, f.text);
	if (fd >= 0 && a->client->stream)
		close(fd); /* the child has it; if there is none, the relay sees the end */
	else if (r == 0)
		client_close(a->client);
}

void verb_logs(const struct request *r)
{
	const char *argv[ARGS_MAX] = {PATH_LOG, "read"};
	uint32_t id = shell_find(r->argv[r->argc - 1]);
	const struct unit *u = id == SUP_NONE ? NULL : shell_unit(id);
	size_t n = 2;
	char text[300];

	if (!u) {
		snprintf(text, sizeof(text), "there is no unit \"%.200s\"", r->argv[r->argc - 1]);
		answer_end(&r->answer, EXIT_NO_SUCH_UNIT, text);
		return;
	}
	for (size_t i = 1; i + 1 < r->argc; i++)
		argv[n++] = r->argv[i];
	argv[n++] = u->service;
	hand_over(&r->answer, argv, n);
}

void verb_images(const struct request *r)
{
	const char *argv[ARGS_MAX] = {PATH_IMAGE, "list"};
	size_t n = 2;

	for (size_t i = 1; i < r->argc; i++)
		argv[n++] = r->argv[i];
	hand_over(&r->answer, argv, n);
}

/* network ls | inspect NETWORK | reload */
void verb_network(const struct request *r)
{
	static const struct {
		const char *word, *net; /* orlop-net's word for it */
		size_t argc;
		bool changes;
	} ways[] = {
		{"ls", "ls", 2, false},
		{"inspect", "ls", 3, false},
		{"reload", "reload", 2, true},
	};
	const char *argv[ARGS_MAX] = {PATH_NET};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (strcmp(ways[i].word, r->argv[1]) != 0 || ways[i].argc != r->argc)
			continue;
		if (ways[i].changes && !r->answer.client->may_change) {
			answer_end(&r->answer, EXIT_REFUSED,
				   "network reload: only root may do that");
			return;
		}
		argv[1] = ways[i].net;
		argv[2] = r->argc > 2 ? r->argv[2] : NULL;
		hand_over(&r->answer, argv, r->argc);
		return;
	}
	answer_end(&r->answer, EXIT_BAD_USAGE, "network: write ls, inspect NETWORK or reload");
}

static void keep(const char **argv, size_t *n, const char *image)
{
	if (!image || !*image)
		return;
	argv[(*n)++] = "--keep";
	argv[(*n)++] = image;
}

/* The images that a unit names: its own, and those that are mounted in it. */
static void keep_images(const char **argv, size_t *n, const struct unit *u)
{
	const struct unit_container *c = u->container;

	if (u->image)
		keep(argv, n, u->image->image.value);
	if (c)
		keep(argv, n, c->image.value);
	for (size_t i = 0; c && i < c->n_mounts; i++)
		if (!strcmp(c->mounts[i].type, "image"))
			keep(argv, n, c->mounts[i].source.value);
}

/* What it runs with stays too: a name may lead to a newer image than the one the container was made of. */
static void keep_running(const char **argv, size_t *n, const struct unit *u)
{
	uint32_t id = shell_find(u->name);
	const struct run *run = u->container && id != SUP_NONE ? run_find(id) : NULL;

	if (!run || !run->main.pid)
		return;
	argv[(*n)++] = "--running";
	argv[(*n)++] = u->name;
}

static size_t images_at_most(const struct unit_set *set)
{
	size_t n = 0;

	for (size_t i = 0; set && i < set->n; i++)
		n += 2 + (set->units[i]->container ? set->units[i]->container->n_mounts : 0);
	return n;
}

/* image prune [-a]: what the units in force name is kept, whether they run or not. */
void verb_image(const struct request *r)
{
	const struct unit_set *set = shell_set();
	size_t n = 0;
	bool all = r->argc == 3 && !strcmp(r->argv[2], "-a");
	_free_
	const char **argv = calloc(2 * images_at_most(set) + 8, sizeof(*argv));

	if (!set || !argv || strcmp(r->argv[1], "prune") != 0 || (r->argc == 3 && !all)) {
		answer_end(&r->answer, set && argv ? EXIT_BAD_USAGE : EXIT_ERROR,
			   set ? "image prune [-a]" : "the host has not read its units yet");
		return;
	}
	argv[n++] = PATH_IMAGE;
	argv[n++] = "prune";
	argv[n++] = all ? "--all" : "--unnamed";
	for (size_t i = 0; i < set->n; i++)
		if (shell_known(set->units[i])) {
			keep_images(argv, &n, set->units[i]);
			keep_running(argv, &n, set->units[i]);
		}
	hand_over(&r->answer, argv, n);
}

void inspect_image(const struct request *r)
{
	const char *argv[ARGS_MAX] = {PATH_IMAGE, "inspect", "--", r->argv[1]};

	hand_over(&r->answer, argv, 4);
}

/* orlop-run VERB -F FRAME -U UNIT WORD...: it gets the main process, the cgroup and the connection, and answers. words:
 * argv[5...] and what follows, ended by NULL. */
static void hand_to_run(const struct request *r, const char **argv, const char *verb)
{
	struct spawn s = {
		.argv = argv, .cgroup = -1, .fds = {-1, -1, -1}, .n_fds = RUN_EXEC_CLIENT + 1};
	uint32_t id = shell_find(r->argv[1]);
	const struct run *run = id == SUP_NONE ? NULL : run_find(id);
	const struct unit *u = id == SUP_NONE ? NULL : shell_unit(id);
	char frame[16], text[300];
	struct fail f = {0};
	int pidfd;

	if (!u) {
		snprintf(text, sizeof(text), "there is no unit \"%.200s\"", r->argv[1]);
		answer_end(&r->answer, EXIT_NO_SUCH_UNIT, text);
		return;
	}
	if (!u->container || !run || !run->main.pid) {
		snprintf(text, sizeof(text), "%.200s %s", u->name,
			 u->container ? "does not run" : "is no container");
		answer_end(&r->answer, u->container ? EXIT_NOT_RUNNING : EXIT_BAD_USAGE, text);
		return;
	}
	if (r->answer.client->stream) {
		snprintf(text, sizeof(text), "%s needs a shell on the host: not over a port", verb);
		answer_end(&r->answer, EXIT_REFUSED, text);
		return;
	}
	snprintf(frame, sizeof(frame), "%u", r->answer.id);
	argv[0] = PATH_RUN;
	argv[1] = verb;
	argv[2] = "-F";
	argv[3] = frame;
	argv[4] = "-U";
	argv[5] = u->name;
	s.fds[RUN_EXEC_PIDFD] = run->main.pidfd;
	s.fds[RUN_EXEC_CGROUP] = run->cgroup;
	s.fds[RUN_EXEC_CLIENT] = r->answer.client->fd;
	fcntl(r->answer.client->fd, F_SETFL, 0); /* it may wait for a slow reader */
	if (spawn(&s, &pidfd, &f) < 0) {
		answer_end(&r->answer, EXIT_ERROR, f.text);
		return;
	}
	close(pidfd);
	client_close(r->answer.client);
}

/* exec UNIT WORD...: orlop-run sends the client the ends of the command's pipes, or its terminal, and at the end the exit
 * code. */
void verb_exec(const struct request *r)
{
	const char *argv[VERB_WORDS_MAX + 8] = {NULL};

	for (size_t i = 2; i < r->argc; i++)
		argv[4 + i] = r->argv[i];
	hand_to_run(r, argv, "exec");
}

/* top UNIT: a child looks, because what a process is called is read from its memory, which it can make slow. */
void verb_top(const struct request *r)
{
	const char *argv[8] = {NULL};

	hand_to_run(r, argv, "top");
}

/* cp UNIT WORD... PATH: orlop-run knows which words there are (runtime/exec.c). */
void verb_cp(const struct request *r)
{
	const char *argv[16] = {NULL};

	argv[6] = "--";
	for (size_t i = 2; i < r->argc; i++)
		argv[5 + i] = r->argv[i];
	hand_to_run(r, argv, "cp");
}
