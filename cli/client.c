/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/wire.h"
#include "base/words.h"
#include "cli/print.h"
#include "cli/verbs.h"

static struct {
	const char *stream_path; /* --connect unix:PATH */
	int timeout_sec;
} config = {.timeout_sec = -1};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int client_configure(const char *connect_to, int timeout_sec, struct fail *f)
{
	config.timeout_sec = timeout_sec;
	if (!connect_to)
		return 0;
	if (strncmp(connect_to, "unix:", 5) != 0 || !connect_to[5])
		return fail_set(f, 0, "--connect \"%s\": only unix:PATH is known", connect_to);
	config.stream_path = connect_to + 5;
	return 0;
}

/* What to do about a connection that failed. */
static const char *advice(int code)
{
	switch (code) {
	case ENOENT: return "is this host run by orlop? from outside use --connect unix:PATH";
	case EACCES:
	case EPERM: return "only root may talk to it";
	case EAGAIN: return "it is busy with other clients: try again";
	case EPROTOTYPE: return "that socket is of another kind";
	default: return "it is not running, or has not come this far";
	}
}

static int no_answer(const struct client *c, int code, struct fail *f)
{
	return fail_set(f, code, "orlop-init does not answer on %s (%s)", c->where, advice(code));
}

static int connect_to(struct client *c, struct fail *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t ms = c->deadline ? c->deadline - now_ms() + 1 : 10000;
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	_fd_
	int fd = socket(AF_UNIX, (c->stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail_set(f, errno, "socket");
	if (strlen(c->where) >= sizeof(address.sun_path))
		return fail_set(f, ENAMETOOLONG, "\"%s\"", c->where);
	strcpy(address.sun_path, c->where);
	/* with a full queue connect() would wait for ever, and send() for a reader that sleeps */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return no_answer(c, errno, f);
	c->fd = take_fd(&fd);
	return 0;
}

int client_send(struct client *c, const char *const *words, struct fail *f)
{
	_buf_ struct buf payload = {0}, frame = {0};

	for (; *words; words++)
		words_add(&payload, *words);
	if (payload.len > LIMIT_FRAME)
		return fail_set(f, E2BIG, "the request has %zu bytes, %u at most", payload.len,
				LIMIT_FRAME);
	frame_add(&frame, c->id, payload.data, payload.len);
	if (payload.bad || frame.bad)
		return fail_set(f, ENOMEM, "request");
	for (size_t sent = 0; sent < frame.len;) {
		ssize_t n = send(c->fd, frame.data + sent, frame.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return no_answer(c, errno, f);
		sent += (size_t)n;
	}
	return 0;
}

int client_open(struct client *c, const char *const *words, int timeout_sec, struct fail *f)
{
	int r;

	*c = (struct client){
		.fd = -1,
		.stream = config.stream_path != NULL,
		.where = config.stream_path ? config.stream_path : PATH_CONTROL,
	};
	if (config.timeout_sec >= 0)
		timeout_sec = config.timeout_sec;
	if (timeout_sec > 0)
		c->deadline = now_ms() + (int64_t)timeout_sec * 1000;
	buf_add(&c->in, "", 0);
	while (!c->id)
		if (getrandom(&c->id, sizeof(c->id), 0) != sizeof(c->id))
			return fail_set(f, errno, "getrandom");
	r = c->in.bad ? fail_set(f, ENOMEM, "client") : connect_to(c, f);
	if (r == 0)
		r = client_send(c, words, f);
	if (r < 0)
		client_close(c);
	return r;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	while (c->n_fds)
		close(c->fds[--c->n_fds]);
	buf_done(&c->in);
	json_decref(c->line);
	c->line = NULL;
}

/* Waits until there is something to read: 0, or -ETIMEDOUT. */
static int wait_readable(const struct client *c, struct fail *f)
{
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = c->deadline ? c->deadline - now_ms() : -1;
		int n;

		if (c->deadline && left <= 0)
			return fail_set(f, ETIMEDOUT,
					"orlop-init did not finish its answer on %s%s", c->where,
					c->stream ? " (does another client hold the port?)" : "");
		n = poll(&p, 1, left > 86400000 ? 86400000 : (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fail_set(f, errno, "poll");
	}
}

static int read_more(struct client *c, struct fail *f)
{
	char chunk[sizeof(struct frame_head) + LIMIT_FRAME];
	int fds[IO_FDS_MAX];
	size_t n_fds = 0;
	ssize_t n;
	int r = wait_readable(c, f);

	if (r < 0)
		return r;
	n = io_recv_fds(c->fd, chunk, sizeof(chunk), fds, &n_fds);
	if (n == -EINTR || n == -EAGAIN)
		return 0;
	if (n < 0)
		return fail_set(f, (int)-n, "recv from %s", c->where);
	for (size_t i = 0; i < n_fds; i++)
		if (c->n_fds < (int)ARRAY_LEN(c->fds))
			c->fds[c->n_fds++] = fds[i];
		else
			close(fds[i]);
	if (n == 0)
		return fail_set(f, EPIPE,
				"orlop-init closed the connection before its answer was "
				"complete");
	/* what was dealt with goes first, so that the buffer never holds more than two frames */
	if (c->in.len > c->used)
		memmove(c->in.data, c->in.data + c->used, c->in.len - c->used);
	c->in.len -= c->used;
	c->used = 0;
	buf_add(&c->in, chunk, (size_t)n);
	return c->in.bad ? fail_set(f, ENOMEM, "answer") : 0;
}

/* The next frame that is for us. */
static int next_payload(struct client *c, const char **ret, size_t *ret_len, struct fail *f)
{
	for (;;) {
		struct frame_head head;
		size_t used;
		int r = 0;

		switch (frame_parse(c->in.data + c->used, c->in.len - c->used, &head, ret, &used)) {
		case FRAME_READY:
			c->used += used;
			*ret_len = head.len;
			if (head.id == c->id)
				return 0;
			break;
		case FRAME_SKIP: c->used += used; break;
		case FRAME_NONE: r = read_more(c, f); break;
		}
		if (r < 0)
			return r;
	}
}

int client_next(struct client *c, json_t **ret_object, const char **ret_text, size_t *ret_len,
		struct fail *f)
{
	json_error_t error;
	int r;

	json_decref(c->line);
	c->line = NULL;
	r = next_payload(c, ret_text, ret_len, f);
	if (r < 0)
		return r;
	while (*ret_len && (*ret_text)[*ret_len - 1] == '\n')
		--*ret_len;
	c->line = json_loadb(*ret_text, *ret_len, JSON_ALLOW_NUL, &error);
	if (!json_is_object(c->line))
		return fail_set(f, EBADMSG, "orlop-init sent something else than a JSON object");
	*ret_object = c->line;
	return 1;
}

static int finish(const json_t *last)
{
	const char *error = json_string_value(json_object_get(last, "error"));
	json_int_t code = json_integer_value(json_object_get(last, "exit"));

	if (error && *error)
		print_problem("%s", error);
	return code < 0 || code > 255 ? CLI_ERROR : (int)code;
}

int client_run(const char *const *words, int timeout_sec, bool json,
	       int (*each)(json_t *object, void *data), void *data)
{
	struct fail f = {0};
	struct client c;
	json_t *object;
	const char *text;
	size_t len;
	int code = -1;
	int r = client_open(&c, words, timeout_sec, &f);

	if (r < 0)
		return print_fail(&f);
	while (code < 0) {
		r = client_next(&c, &object, &text, &len, &f);
		if (r < 0) {
			code = print_fail(&f);
			break;
		}
		if (json_object_get(object, "exit"))
			code = finish(object);
		else if (json)
			code = print_line(text, len) < 0 ? CLI_ERROR : -1;
		else if (each && each(object, data))
			code = CLI_OK;
	}
	client_close(&c);
	return code;
}
