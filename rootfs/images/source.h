/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive's view of a job's input: a part of a file, read with pread() because the file offset is
 * shared with other processes, or a stream. Used by the jobs only.
 */
#pragma once

#include <archive.h>
#include <stdbool.h>

#include "rootfs/images/jobs.h"

struct source {
	bool stream;   /* JOB_IN is a pipe: read to its end */
	uint64_t at;   /* next byte */
	uint64_t left; /* bytes, unless it is a stream */
	uint64_t base; /* where the part begins */
	/* A stream may end here, short of a whole tar block: the last entry is complete and only its
	 * padding is missing. `umoci insert` (0.4.7) writes such layers, and the peers read them. */
	bool may_end;
	char block[256 << 10];
};

/* Opens a for reading from s. 0 or -errno with st set. */
int source_open(struct source *s, struct archive *a, struct job_status *st);

/* Reads a stream to its end, for the sake of whoever writes it. */
void source_drain(struct source *s);

/* What libarchive says about a, as the job's failure. */
int source_fail(struct archive *a, const char *doing, struct job_status *st);
