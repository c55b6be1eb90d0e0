/* SPDX-License-Identifier: Apache-2.0 */
/* One pipe that a unit writes to, and how what it holds gets into the unit's sink. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "logs/sink.h"

#define SOURCE_QUANTUM \
	(64u << 10) /* bytes taken from a pipe in one go: what a pipe holds by default */

/* What all sources share: memory for one go, and the pipe that tee() copies into. */
struct source_scratch {
	int in, out; /* read and write end */
	char *bytes; /* SOURCE_QUANTUM */
	struct buf records;
};

int source_scratch_init(struct source_scratch *t, struct fail *f);

struct source {
	int fd; /* owned */
	ino_t ino;
	struct sink *sink; /* its users count includes this one */
	bool ready;        /* there may be something to read */
	bool skip_line;    /* after a drop: the rest of a line that lost its beginning goes too */
	int64_t cut_at;    /* when an incomplete line is written as it is; INT64_MAX = none waits */
};

enum source_result {
	SOURCE_MORE,  /* go on later: there is more */
	SOURCE_EMPTY, /* wait for the next event */
	SOURCE_END,   /* the last writer is gone and all is written */
};

/* Takes at most SOURCE_QUANTUM bytes. `end`: incomplete lines are written too. */
enum source_result source_take(struct source *s, struct source_scratch *t, bool end, int64_t now,
			       int64_t mono);
