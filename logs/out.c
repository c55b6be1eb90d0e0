/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/out.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/wire.h"

int out_init(struct out *o, const char *frame_id, struct fail *f)
{
	int type = 0;
	socklen_t len = sizeof(type);
	unsigned long id;
	char *end;

	*o = (struct out){.fd = STDOUT_FILENO, .terminal = isatty(STDOUT_FILENO)};
	if (!frame_id)
		return 0;
	errno = 0;
	id = strtoul(frame_id, &end, 10);
	if (errno || end == frame_id || *end || id > UINT32_MAX)
		return fail_set(f, 0, "--frame-id \"%s\" is not a number", frame_id);
	o->fd = OUT_CLIENT;
	o->frames = true;
	o->id = (uint32_t)id;
	o->packets = getsockopt(o->fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		     type == SOCK_SEQPACKET;
	return 0;
}

void out_done(struct out *o)
{
	buf_done(&o->pending);
}

/* All of it, also when PID 1 made the connection non-blocking. */
static int write_out(struct out *o, const char *data, size_t len)
{
	while (len) {
		ssize_t n = o->packets ? send(o->fd, data, len, MSG_NOSIGNAL)
				       : write(o->fd, data, len);
		struct pollfd p = {.fd = o->fd, .events = POLLOUT};

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (n < 0) {
			poll(&p, 1, -1);
			continue;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int out_flush(struct out *o)
{
	int r = o->pending.bad ? -ENOMEM : write_out(o, o->pending.data, o->pending.len);

	buf_reset(&o->pending);
	return r;
}

static int send_payload(struct out *o, const struct buf *payload)
{
	int r = 0;

	if (payload->bad)
		return -ENOMEM;
	if (o->packets || o->pending.len + payload->len + sizeof(struct frame_head) > OUT_WRITE_MAX)
		r = out_flush(o);
	if (r < 0)
		return r;
	frame_add(&o->pending, o->id, payload->data, payload->len);
	return o->packets ? out_flush(o) : 0;
}

void out_json(struct buf *b, const struct line *line, const char *text, size_t len, bool partial)
{
	_buf_ struct buf stamp = {0};
	struct json_out j;

	line_add_stamp(&stamp, line->time);
	json_init(&j, b);
	json_object(&j, NULL);
	json_str(&j, "t", stamp.data);
	json_bool(&j, "p", partial);
	if (line->flag == LINE_MARKER)
		json_bool(&j, "m", true);
	json_strn(&j, "s", text, len);
	json_end(&j);
}

/* A record as one frame, or, where escapes make it too long for one, as several. */
static int send_json(struct out *o, const struct line *line, const char *text, size_t len,
		     bool partial)
{
	_buf_ struct buf payload = {0};
	size_t half = len / 2;
	int r;

	out_json(&payload, line, text, len, partial);
	if (payload.len <= OUT_WRITE_MAX - sizeof(struct frame_head))
		return send_payload(o, &payload);
	while (half > 1 && len / 2 - half < 4 && ((unsigned char)text[half] & 0xc0) == 0x80)
		half--;
	r = send_json(o, line, text, half, true);
	return r < 0 ? r : send_json(o, line, text + half, len - half, partial);
}

/* As on a terminal nothing of the unit's may act on it: what is neither printable ASCII nor the
 * beginning or middle of a UTF-8 character is shown as \xNN. */
static void add_text(struct out *o, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool c1 = c == 0xc2 && i + 1 < len && ((unsigned char)text[i + 1] & 0xe0) == 0x80;

		if (o->terminal && ((c < 0x20 && c != '\t') || c == 0x7f || c1))
			buf_fmt(&o->pending, "\\x%02x", c);
		else
			buf_chr(&o->pending, (char)c);
	}
}

static int add_plain(struct out *o, const struct line *line)
{
	bool marker = line->flag == LINE_MARKER;

	if (marker && o->open_line)
		buf_chr(&o->pending, '\n');
	buf_str(&o->pending, marker ? "-- " : "");
	add_text(o, line->text, line->len);
	buf_str(&o->pending, marker ? " --" : "");
	o->open_line = line->flag == LINE_PARTIAL;
	if (!o->open_line)
		buf_chr(&o->pending, '\n');
	return o->pending.len > OUT_WRITE_MAX ? out_flush(o) : 0;
}

int out_line(struct out *o, const struct line *line)
{
	if (!o->frames)
		return add_plain(o, line);
	return send_json(o, line, line->text, line->len, line->flag == LINE_PARTIAL);
}

int out_exit(struct out *o, int code, const char *error)
{
	_buf_ struct buf payload = {0};
	int r;

	if (!o->frames && error)
		fprintf(stderr, "orlop-log: %s\n", error);
	if (!o->frames)
		return out_flush(o);
	frame_end_line(&payload, code, error);
	r = send_payload(o, &payload);
	return r < 0 ? r : out_flush(o);
}
