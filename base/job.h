/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job for a program that was started beforehand: what would have been its command line and its fds, sent in one
 * packet over a SEQPACKET socket once they are known.
 *
 * To load a program and to begin its C library takes longer than much of what it then does: on a virtual machine
 * most of it is CPUID instructions, of which glibc executes some three hundred and each leaves the guest. So PID 1
 * keeps one orlop-run that is through with that (init/spare.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/io.h"

#define JOB_BYTES_MAX 1024u
#define JOB_WORDS_MAX 16u
#define JOB_FD_MAX    16 /* numbers of fds are below */

/* The packet; sent up to the end of its words. */
struct job_packet {
	uint32_t
		fds; /* bit n: one of the fds becomes n; they follow in the order of their numbers */
	char words[JOB_BYTES_MAX];
};

struct job {
	struct job_packet packet;
	char *argv[JOB_WORDS_MAX + 1]; /* point into the packet; NULL at the end */
	int argc;
};

/* Sends a job: the words up to a NULL; fds[i] becomes i in the receiver, -1 = none (at most IO_FDS_MAX of them, and
 * n_fds at most JOB_FD_MAX). All fds stay the caller's. 0 or -errno: -EPIPE where nobody waits any more. */
int job_send(int sock, const char *const *words, const int *fds, size_t n_fds, struct fail *f);

/* Waits for one, however long. Its fds are put at their numbers, in place of what was there. Returns 1; 0 if the
 * sender has gone away without a job; -errno: fds of it may be left open then, the caller ends. */
int job_receive(int sock, struct job *job, struct fail *f);
