/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes over sockets between orlop's programs. All of them are built together from one tree, so
 * these are plain structs in host byte order; a wrong size or magic is refused, never guessed at.
 *
 * Reports (orlop-run -> PID 1, SOCK_SEQPACKET): the container's first process waits for RUN_GO on the
 * same socket. End of file after RUN_CLONED means that it was exec'ed; RUN_FAILED before that says at
 * which step it stopped.
 *
 * Frames (command <-> PID 1 and its helpers): a request is one frame of words; the answer is any
 * number of frames with one JSON line each, the last of which has the member "exit". On a
 * SOCK_SEQPACKET socket a packet is a frame. On a byte stream (the virtio port) frames follow one
 * another; a reader skips bytes until the magic, and a client ignores frames with another id than its
 * own: they are answers to somebody who went away.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

enum run_report_kind {
	RUN_CLONED = 1, /* with the fds named in `fds`, in the order of the bits */
	RUN_FAILED = 2,
};

enum run_report_fd {
	RUN_FD_PIDFD = 1 << 0,
	RUN_FD_USERNS = 1 << 1,
	RUN_FD_NETNS = 1 << 2,
};

#define RUN_GO 'G'

struct run_report {
	uint32_t size;       /* sizeof(struct run_report) */
	uint32_t kind;       /* enum run_report_kind */
	uint32_t fds;        /* enum run_report_fd bits */
	int32_t pid;         /* RUN_CLONED: as PID 1 sees it */
	int32_t stop_signal; /* RUN_CLONED: the image's, if the unit names none; 0 = SIGTERM */
	int32_t code;        /* RUN_FAILED: positive errno */
	char step[32];       /* RUN_FAILED: name of the step */
	char text[400];      /* RUN_FAILED: what happened */
};

/* The fds of orlop-run start. It begins with RUN_IN_REPORT alone, and /dev/null for 0, 1 and 2, and waits there for
 * its job (base/job.h): the unit, and all the others. */
enum run_fd {
	RUN_IN_SPEC = 3,
	RUN_IN_REPORT = 4,
	RUN_IN_CGROUP = 5,
	RUN_IN_USERNS = 6, /* may be closed */
	RUN_IN_NETNS = 7,  /* may be closed */
	RUN_IN_CLIENT = 8, /* with -F: the connection of who asked, see runtime/session.h */
};

/* The fds that orlop-run exec is given, beside 0, 1 and 2. */
enum run_exec_fd {
	RUN_EXEC_PIDFD = 3,  /* of the container's main process */
	RUN_EXEC_CGROUP = 4, /* the container's */
	RUN_EXEC_CLIENT = 5, /* with -F: the connection of who asked, see runtime/session.h */
};

#define FRAME_MAGIC 0x316c726fu /* "orl1" in memory on a little-endian machine */

struct frame_head {
	uint32_t magic;
	uint32_t len; /* of the payload, at most LIMIT_FRAME */
	uint32_t id;  /* chosen by the client, echoed in every answer */
};

/* Appends a frame to b. len must be at most LIMIT_FRAME. */
void frame_add(struct buf *b, uint32_t id, const void *payload, size_t len);

/* Appends the JSON line that ends an answer: {"exit":code,"error":error}. error: a text for the user, or NULL. */
void frame_end_line(struct buf *line, int code, const char *error);

enum frame_result {
	FRAME_NONE,  /* not complete yet: read more */
	FRAME_READY, /* *ret_head and *ret_payload are set; drop *ret_used bytes afterwards */
	FRAME_SKIP,  /* *ret_used bytes are no frame: drop them and try again */
};

/* Looks at the start of a byte stream. Nothing is copied: *ret_payload points into data. */
enum frame_result frame_parse(const char *data, size_t len, struct frame_head *ret_head,
			      const char **ret_payload, size_t *ret_used);
