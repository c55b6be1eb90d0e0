/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that touch foreign bytes: a function of this program, run in a forked process that can do
 * nothing but compute, read and write what it was given.
 *
 * The child has the fds of its job and no others; an unprivileged id, no groups, no_new_privs; an
 * empty directory as root; limits on memory and time, none on open files because it may open none; and a system call
 * filter that knows read, write, memory and exit. It is killed with its parent.
 *
 * A job tells how it ended by writing one struct job_status to its status fd (JOB_STATUS), which is
 * shorter than PIPE_BUF, so that several jobs of a pipeline share one pipe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fail.h"

/* The fds of every job. */
enum job_fd { JOB_IN, JOB_OUT, JOB_STATUS, JOB__N };

struct job_status {
	uint32_t size; /* sizeof(struct job_status) */
	uint32_t job;  /* the number it was started with */
	int32_t code;  /* 0 or a positive errno */
	char text[FAIL_TEXT_MAX];
	char digest[160]; /* of a hashing job: "sha256:<hex>" of what went through */
	uint64_t bytes;   /* that went through */
};

struct job {
	uint32_t number;  /* names it in its status */
	const char *name; /* for messages: "tar reader" */
	int fds[JOB__N];  /* given to the child; -1 = closed */
	const void *arg;  /* whatever run() wants; lives in the child's copy of the memory */
	/* 0 or -errno with st->text set; st is sent afterwards */
	int (*run)(const void *arg, struct job_status *st);
};

/* Starts a job. Returns its pid, or -errno. The fds stay the caller's. */
pid_t sandbox_start(const struct job *job, struct fail *f);

/* Waits for a job. 0 if it exited normally (whatever its status says), else -errno: it was killed. */
int sandbox_wait(pid_t pid, const char *name, struct fail *f);

/* Sets st to an error and returns -code. */
int job_fail(struct job_status *st, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
