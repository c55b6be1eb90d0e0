/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transient units, inside: what transient.c (how they come and run), transient_leave.c (how they end and go) and
 * transient_list.c (what is known of them, also to a revived PID 1) have in common. transient.h is for everybody else.
 */
#pragma once

#include "init/errand.h"
#include "init/names.h"
#include "init/transient.h"

/* What a command gets whose container could not be run, as with docker and podman. */
#define EXIT_NOT_RUN 125

enum transient_phase {
	WAITS_FOR_DISK,    /* it is noted there, the units are read */
	WAITS_FOR_NETWORK, /* in force, its address is being made */
	RUNS,              /* was started, or is as it is: nothing is to be done until it is down */
	LEAVES,            /* the supervisor is to forget it */
	LEAVES_DISK,       /* what it has there is being removed */
	LEAVES_NETWORK,    /* its address is being given up */
	GONE,
};

struct transient {
	struct transient *next;
	enum transient_phase phase;
	bool remove, volumes, detached;
	bool down;             /* to be looked at */
	uint32_t token;        /* of the command that made it; 0 = has its answer */
	uint32_t remove_token; /* of who wants it removed */
	void (*tell)(void *, const struct diag *);
	struct transient_attach attach;
	struct names gone; /* named volumes that go with it */
	int code;          /* how it ended, for the command */
	char text[400];
	char left[160]; /* why the disk still has something of it */
	char unit[];
};

/* --- transient_list.c ------------------------------------------------------------------------- */

struct transient *transient_first(void);
struct transient *transient_find(const char *unit);
struct transient *transient_add(const char *unit); /* its phase is RUNS; NULL: no memory */
void transient_drop(struct transient *t);

/* Whether transient_is() from here on. -errno: no memory. */
int transient_mark(const char *unit);
void transient_unmark(const char *unit);

/* --- transient_leave.c ------------------------------------------------------------------------ */

/* Looks at all of them as soon as this pass of the loop is over: what is down ends, what is GONE is dropped. */
void transient_look_soon(void);

/* The last line of the answer that the token stands for; the token is 0 then. */
void transient_answer(uint32_t *token, int code, const char *text);

/* "web.container: removed", and the rest if it was the last of several. */
void transient_answer_removed(struct transient *t);

/* A unit that is down goes: out of the supervisor, then off the disk, then out of the network. */
void transient_leave(struct transient *t);

/* Nothing of it is known from here on, and then nothing of it is on the disk. */
void transient_forget(const char *unit, const struct names *volumes,
		      void (*over)(void *, const struct errand_end *), void *ctx);
