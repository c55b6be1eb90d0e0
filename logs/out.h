/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a reader's lines go: text to stdout, or JSON in frames to a client of PID 1's control socket, whose
 * connection this process has inherited as fd 3.
 *
 * A frame that goes into a byte stream is written in one piece of at most OUT_WRITE_MAX bytes: the virtio port
 * takes that much at once, so frames of several helpers never mix.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "logs/line.h"

#define OUT_CLIENT    3
#define OUT_WRITE_MAX (32u << 10)

struct out {
	int fd;
	bool frames, packets, terminal;
	uint32_t id;
	struct buf pending;
	bool open_line; /* text: the last piece was partial */
};

/* frame_id: NULL = text to stdout. */
int out_init(struct out *o, const char *frame_id, struct fail *f);
void out_done(struct out *o);

/* One record. 0, or -errno: -EPIPE, the client is gone. */
int out_line(struct out *o, const struct line *line);

/* Sends what was held back to fill a write. */
int out_flush(struct out *o);

/* The last frame: {"exit":code,"error":error}; as text the error goes to stderr. */
int out_exit(struct out *o, int code, const char *error);

/* JSON of one record, or of a part of its text (which then is partial).. */
void out_json(struct buf *b, const struct line *line, const char *text, size_t len, bool partial);
