/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to orlop-init: one request, then answers until the one that says how it ended.
 *
 * By default it is the SOCK_SEQPACKET socket /run/orlop/control, where a packet is a frame. With
 * `--connect unix:PATH` it is a byte stream, as QEMU gives it for the guest's virtio-serial port; frames
 * follow one another there, and answers with another id than ours belong to somebody who went away.
 *
 * The server is trusted to be orlop-init, yet everything it sends is bounded: a frame by LIMIT_FRAME,
 * JSON by its parser's depth. What containers and units say inside of it is escaped by whoever prints.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"

struct client {
	int fd;
	bool stream;
	uint32_t id;
	int64_t deadline;  /* CLOCK_MONOTONIC in ms; 0 = none */
	const char *where; /* for messages: path of the socket */
	int fds[3];        /* that came along, in the order of their coming; owned */
	int n_fds;
	struct buf in; /* what came and is not parsed yet */
	size_t used;   /* of it, dealt with */
	json_t *line;  /* the last answer, owned */
};

/* Global options; called once, before any client_open(). connect: NULL or "unix:PATH"; borrowed.
 * timeout_sec: -1 = the verb's own, 0 = none. -EINVAL with a text if connect is nothing we know. */
int client_configure(const char *connect, int timeout_sec, struct fail *f);

/* Connects and sends the request words (NULL-terminated). timeout_sec: 0 = none, if the user named no
 * other. On failure nothing is left open and f says what to do. */
int client_open(struct client *c, const char *const *words, int timeout_sec, struct fail *f);

/* More words for whoever answers the request that is under way. */
int client_send(struct client *c, const char *const *words, struct fail *f);

/* The next answer: 1 and *ret_text (len bytes, one JSON line, borrowed until the next call) and
 * *ret_object (borrowed as long), or -errno; -ETIMEDOUT past the deadline. */
int client_next(struct client *c, json_t **ret_object, const char **ret_text, size_t *ret_len,
		struct fail *f);

void client_close(struct client *c);

/* The whole of what most verbs do: sends words, hands every answer but the last to `each` (may be NULL),
 * or prints it as it came if json is set (the last one is for us: it becomes the exit code). Prints the error that the last one carries. Returns the exit
 * code. `each` returns 0 to go on, or 1 to stop: the exit code is then 0. */
int client_run(const char *const *words, int timeout_sec, bool json,
	       int (*each)(json_t *object, void *data), void *data);
