/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of `orlop exec` that faces the person who typed it. orlop-run has that client's connection to PID 1 as
 * an fd and speaks base/wire.h on it: first a frame that carries the fds through which the client talks to the
 * command - ends of pipes, or the master of a terminal that was made in the container's own devpts - and
 * at the end one with its exit code. The command holds pipes of ours, or a terminal of its own: never an fd of the
 * client's, whose terminal or files it could do something with.
 *
 * While the command runs, the client may send words: "signal" NUMBER. A client that goes away ends the command.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fail.h"

struct session {
	bool on;    /* there is a client */
	int client; /* its connection */
	uint32_t id;
	bool input; /* -i */
	bool tty;   /* -t */
	unsigned rows, columns;
	int theirs[3]; /* what becomes 0, 1, 2 of the command; -1 = /dev/null */
};

/* Makes the pipes and gives the client their other ends; with a terminal there is nothing to do yet. */
int session_open(struct session *s, struct fail *f);

/* In the new process, inside the container: makes the terminal or takes the pipes as 0, 1, 2. root: the
 * container's. */
int session_enter(struct session *s, int root, struct fail *f);

/* Waits for the command's end, passing on what the client asks for: a wait status, or -errno. */
int session_wait(struct session *s, pid_t pid, int pidfd, struct fail *f);

/* The last frame. error: NULL or a text for the user. */
void session_end(struct session *s, int code, const char *error);
