/* SPDX-License-Identifier: Apache-2.0 */
#include "init/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/limits.h"
#include "base/wire.h"
#include "base/words.h"
#include "init/shell.h"
#include "init/transient.h"
#include "init/vault.h"
#include "init/verbs.h"

#define DEFERRED_MAX 256
/* What is kept of an answer that its client has not taken, over a revival: all clients' together must fit there. */
#define SAVE_MAX     (16u << 10)

/* A list that is longer does not wait for the end of the pass as a whole. Its last line does: that is what counts. */
#define AT_ONCE (64u << 10)

struct deferred {
	uint32_t token; /* 0 = free */
	uint32_t unit;
	int code; /* the worst of the parts of the same answer that are done */
	struct answer answer;
};

static struct client clients[LIMIT_CLIENTS];
static struct deferred deferred[DEFERRED_MAX];
static uint32_t last_token;

static void idle_due(struct timer *t)
{
	client_close(container_of(t, struct client, idle));
}

/* The clock runs while the client owes us something: a request, and not we it an answer. */
static void watch_idleness(struct client *c)
{
	if (c->stream || c->owed || c->events)
		loop_untimer(&c->idle);
	else
		loop_timer(&c->idle, loop_now() + LIMIT_CLIENT_IDLE_SEC * NSEC_PER_SEC, idle_due);
}

static void say_sorry(int fd)
{
	static const char sorry[] = "{\"exit\":1,\"error\":\"too many clients\"}";
	_buf_ struct buf frame = {0};

	frame_add(&frame, 0, sorry, strlen(sorry));
	if (!frame.bad)
		send(fd, frame.data, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void client_refuse(int fd)
{
	say_sorry(fd);
	close(fd);
}

static void close_fd(int fd, bool saved)
{
	if (saved)
		vault_close(fd);
	else
		close(fd);
}

/* A free slot, if need be that of the client whose time to say something ends first. */
static struct client *make_room(void)
{
	struct client *silent = NULL;

	for (unsigned i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &clients[i];

		if (!c->used)
			return c;
		if (c->idle.link && (!silent || c->idle.at < silent->idle.at))
			silent = c;
	}
	if (silent) {
		say_sorry(client_release(silent));
		close_fd(silent->fd, silent->saved);
	}
	return silent;
}

struct client *client_new(int fd, bool stream, bool may_change,
			  void (*ready)(struct watch *, uint32_t))
{
	/* The port reports hang-up for as long as nobody is at its other end: only edges are of use. */
	uint32_t events = stream ? EPOLLIN | EPOLLOUT | EPOLLET : EPOLLIN;
	struct client *c = make_room();

	if (!c)
		return NULL;
	*c = (struct client){.stream = stream, .may_change = may_change};
	if (loop_watch(&c->watch, fd, events, ready, NULL) < 0)
		return NULL;
	c->used = true;
	c->fd = fd;
	watch_idleness(c);
	return c;
}

static bool is_others(const struct deferred *d, const struct client *c, const uint32_t *keep)
{
	return d->token && d->answer.client == c && (!keep || d->answer.id != *keep);
}

/* Forgets all but what is for *keep, or all. Frames of which a part is gone go too: who comes next skips that part. */
static void forget(struct client *c, const uint32_t *keep)
{
	struct buf kept = {0};
	bool owes = false;

	for (unsigned i = 0; i < DEFERRED_MAX; i++) {
		if (is_others(&deferred[i], c, keep)) {
			transient_left(deferred[i].token);
			deferred[i] = (struct deferred){0};
		}
		owes |= deferred[i].token && deferred[i].answer.client == c;
	}
	/* after a revival it begins with the rest of a frame */
	for (size_t at = 0, used; keep && at < c->out.len; at += used) {
		struct frame_head head;
		const char *payload;
		enum frame_result r = frame_parse(c->out.data + at, c->out.len - at, &head,
						  &payload, &used);

		if (r == FRAME_NONE)
			break;
		if (r == FRAME_READY && at >= c->sent && head.id == *keep)
			buf_add(&kept, c->out.data + at, used);
	}
	if (c->saved)
		vault_touch();
	c->owed = owes;
	c->events &= keep && c->events_id == *keep;
	c->sent = c->tried = 0;
	buf_done(&c->out);
	c->out = kept;
}

void client_reset(struct client *c)
{
	forget(c, NULL);
}

void client_keep(struct client *c, uint32_t id)
{
	forget(c, &id);
}

/* Bytes of the next piece that must go in one call: a whole packet, or as much as there is. */
static size_t next_piece(const struct client *c)
{
	struct frame_head head;

	if (c->stream)
		return c->out.len - c->sent;
	memcpy(&head, c->out.data + c->sent, sizeof(head));
	return sizeof(head) + head.len;
}

/* Writes what the kernel takes. 0, or -errno: the client is gone. */
static int write_waiting(struct client *c)
{
	while (c->sent < c->out.len) {
		const char *piece = c->out.data + c->sent;
		ssize_t n = c->stream ? write(c->fd, piece, next_piece(c))
				      : send(c->fd, piece, next_piece(c),
					     MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		c->sent += (size_t)n;
	}
	if (c->sent == c->out.len) {
		c->sent = 0;
		buf_done(&c->out);
	}
	c->tried = c->out.len;
	return 0;
}

int client_release(struct client *c)
{
	int fd = c->fd;

	(void)write_waiting(c);
	client_reset(c);
	loop_untimer(&c->idle);
	loop_unwatch(&c->watch);
	c->used = false;
	return fd;
}

void client_close(struct client *c)
{
	if (c->used)
		close_fd(client_release(c), c->saved);
}

/* Cuts a client that we cannot answer. */
static void cut(struct client *c)
{
	if (c->stream)
		client_reset(c);
	else
		client_close(c);
}

bool client_flush(struct client *c)
{
	int r = write_waiting(c);

	if (r < 0) {
		cut(c);
		return c->stream;
	}
	if (!c->stream && c->wants_out != (c->out.len > 0)) {
		c->wants_out = !c->wants_out;
		loop_rewatch(&c->watch, c->wants_out ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	return true;
}

bool clients_flush(void)
{
	bool left = false;

	for (unsigned i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &clients[i];

		if (!c->used || c->tried == c->out.len)
			continue;
		left |= client_flush(c) && c->out.len && c->answered;
		c->answered = false;
	}
	return left;
}

static void queue(struct client *c, uint32_t id, const char *payload, size_t len)
{
	if (!c->used)
		return;
	if (len > LIMIT_FRAME || c->out.len - c->sent > LIMIT_CLIENT_QUEUE) {
		cut(c);
		return;
	}
	frame_add(&c->out, id, payload, len);
	c->answered = true;
	if (c->out.bad)
		cut(c);
	else if (c->out.len - c->tried > AT_ONCE)
		client_flush(c);
}

void answer_line(const struct answer *a, const struct buf *json)
{
	if (json->bad)
		return; /* memory ran out: the last line still tells how it ended */
	queue(a->client, a->id, json->data, json->len);
}

void answer_end(const struct answer *a, int exit_code, const char *error)
{
	_buf_ struct buf line = {0};

	frame_end_line(&line, exit_code, error);
	if (a->client->owed)
		a->client->owed--;
	if (line.bad) {
		cut(a->client);
		return;
	}
	queue(a->client, a->id, line.data, line.len);
	if (a->client->used)
		watch_idleness(a->client);
}

uint32_t answer_defer(const struct answer *a, uint32_t unit)
{
	for (unsigned i = 0; i < DEFERRED_MAX; i++) {
		if (deferred[i].token)
			continue;
		vault_touch();
		if (++last_token == UINT32_MAX) /* the boot's own, boot_jobs.h */
			last_token = 1;
		deferred[i] = (struct deferred){.token = last_token, .unit = unit, .answer = *a};
		return last_token;
	}
	return 0;
}

static struct deferred *find_deferred(uint32_t token)
{
	for (unsigned i = 0; i < DEFERRED_MAX && token; i++)
		if (deferred[i].token == token)
			return &deferred[i];
	return NULL;
}

bool answer_kept(uint32_t token, struct answer *ret)
{
	const struct deferred *d = find_deferred(token);

	if (d)
		*ret = d->answer;
	return d;
}

void answer_about(uint32_t token, uint32_t unit)
{
	struct deferred *d = find_deferred(token);

	if (d)
		d->unit = unit;
	vault_touch();
}

bool answer_resume(uint32_t token, int code, struct answer *ret, uint32_t *ret_unit, int *ret_code)
{
	struct deferred *d = find_deferred(token);

	if (!d)
		return false;
	*ret = d->answer;
	*ret_unit = d->unit;
	*ret_code = code > d->code ? code : d->code;
	*d = (struct deferred){0};
	for (unsigned i = 0; i < DEFERRED_MAX; i++) {
		struct deferred *other = &deferred[i];

		if (!other->token || other->answer.client != ret->client ||
		    other->answer.id != ret->id)
			continue;
		other->code = *ret_code > other->code ? *ret_code : other->code;
		code = -1;
	}
	if (code == -1)
		*ret_code = -1;
	return true;
}

void client_request(struct client *c, uint32_t id, const char *payload, size_t len)
{
	struct answer a = {.client = c, .id = id};

	c->owed++;
	loop_untimer(&c->idle);
	if (!len || !words_valid(payload, len))
		answer_end(&a, EXIT_BAD_USAGE, "the request is malformed");
	else
		verb_run(&a, payload, len);
}

void client_broadcast(const struct buf *json)
{
	for (unsigned i = 0; i < LIMIT_CLIENTS; i++)
		if (clients[i].used && clients[i].events)
			answer_line(&(struct answer){&clients[i], clients[i].events_id}, json);
}

bool client_has_followers(void)
{
	for (unsigned i = 0; i < LIMIT_CLIENTS; i++)
		if (clients[i].used && clients[i].events)
			return true;
	return false;
}

/* --- revival ---------------------------------------------------------------------------------- */

static bool waits(const struct client *c)
{
	for (unsigned i = 0; i < DEFERRED_MAX; i++)
		if (deferred[i].token && deferred[i].answer.client == c)
			return true;
	return c->stream || c->events || c->tried > c->sent;
}

/* Frames have zero bytes in them, the state's words have not. */
static void save_hex(struct vault_writer *w, const char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		buf_chr(&w->words, digits[(unsigned char)data[i] >> 4]);
		buf_chr(&w->words, digits[data[i] & 15]);
	}
	buf_chr(&w->words, '\0');
}

static void save_deferred(struct vault_writer *w, const struct deferred *d)
{
	struct sup_unit_info info = {.name = ""}; /* not about a unit */

	if (!d->token || !d->answer.client->saved)
		return;
	sup_unit_info(shell_sup(), d->unit, &info);
	vault_word(w, "deferred");
	vault_number(w, d->answer.client->fd);
	vault_word(w, info.name);
	vault_number(w, d->token);
	vault_number(w, d->code);
	vault_number(w, d->answer.id);
}

void client_save(struct vault_writer *w)
{
	for (unsigned i = 0; i < LIMIT_CLIENTS; i++) {
		struct client *c = &clients[i];
		size_t len = c->tried - c->sent;

		c->saved = c->used && len <= SAVE_MAX && waits(c);
		if (!c->saved)
			continue;
		vault_word(w, c->stream ? "port" : "client");
		vault_fd(w, c->fd);
		vault_number(w, c->may_change);
		vault_number(w, c->owed);
		vault_number(w, c->events);
		vault_number(w, c->events_id);
		save_hex(w, c->out.data + c->sent, len);
	}
	for (unsigned i = 0; i < DEFERRED_MAX; i++)
		save_deferred(w, &deferred[i]);
	vault_word(w, "token");
	vault_number(w, last_token);
}

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

struct client *client_restore(char *const *args, void (*ready)(struct watch *, uint32_t),
			      bool stream)
{
	struct client *c = client_new(atoi(args[0]), stream, atoi(args[1]), ready);

	if (!c)
		return NULL;
	c->saved = true;
	c->owed = (unsigned)atoi(args[2]);
	c->events = atoi(args[3]);
	c->events_id = (uint32_t)strtoul(args[4], NULL, 10);
	for (const char *hex = args[5]; hex[0] && hex[1]; hex += 2)
		buf_chr(&c->out, (char)(nibble(hex[0]) << 4 | nibble(hex[1])));
	watch_idleness(c);
	return c;
}

struct client *client_by_fd(int fd)
{
	for (unsigned i = 0; i < LIMIT_CLIENTS; i++)
		if (clients[i].used && clients[i].fd == fd)
			return &clients[i];
	return NULL;
}

int client_restore_deferred(char *const *args, struct fail *f)
{
	struct client *c = client_by_fd(atoi(args[0]));

	(void)f;
	for (unsigned i = 0; i < DEFERRED_MAX && c; i++) {
		if (deferred[i].token)
			continue;
		deferred[i] = (struct deferred){
			.token = (uint32_t)strtoul(args[2], NULL, 10),
			.unit = sup_find(shell_sup(), args[1]),
			.code = atoi(args[3]),
			.answer = {c, (uint32_t)strtoul(args[4], NULL, 10)},
		};
		break;
	}
	return 0;
}

int client_restore_token(char *const *args, struct fail *f)
{
	(void)f;
	last_token = (uint32_t)strtoul(args[0], NULL, 10);
	return 0;
}
