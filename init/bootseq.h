/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot sequence: which of the slow steps may begin, given which are over. Pure; boot_jobs.c carries it out.
 *
 * A step begins as soon as all that it needs is over, side by side with others. Over means done, failed or
 * given up at its deadline: a failed step never holds the boot up, it is told on the console and by the
 * verb `boot`, and the units that needed it fail with their own reason.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum boot_step {
	BOOT_DISK,    /* orlop-disk mounts /var */
	BOOT_STORE,   /* folders of the store; what it says; the units are read */
	BOOT_HOST,    /* the host's own services, which need neither network nor images */
	BOOT_IMAGES,  /* preloaded archives into the store */
	BOOT_NETWORK, /* orlop-net up */
	BOOT_UNITS,   /* everything else that is to run */
	BOOT_CONSOLE, /* the shell: last, so that its prompt stands below all that the boot says */
	BOOT_STEP__N,
};

enum boot_outcome {
	BOOT_WAITS,
	BOOT_RUNS,
	BOOT_DONE,
	BOOT_FAILED,
	BOOT_LATE, /* not over at its deadline */
	BOOT_SKIPPED,
};

struct bootseq {
	enum boot_outcome outcome[BOOT_STEP__N];
	uint64_t begun[BOOT_STEP__N], over[BOOT_STEP__N]; /* nanoseconds since boot */
};

extern const char *const boot_step_names[BOOT_STEP__N];
extern const char *const boot_outcome_names[];

/* How long the step may take, in nanoseconds. 0: it is over when it begins. */
extern const uint64_t boot_step_deadlines[BOOT_STEP__N];

/* Marks a step that this boot does not have. */
void bootseq_skip(struct bootseq *seq, enum boot_step step);

/* The next step that may begin, which counts as begun from now on; BOOT_STEP__N if there is none now. */
enum boot_step bootseq_next(struct bootseq *seq, uint64_t now);

/* The step is over. A second word about it is ignored: a task may still end after its deadline. */
void bootseq_over(struct bootseq *seq, enum boot_step step, enum boot_outcome outcome,
		  uint64_t now);

bool bootseq_finished(const struct bootseq *seq);
