/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errands: whatever PID 1 wants read from or written to /var. It touches nothing there itself, as a disk that hangs
 * would hang PID 1 with it, for ever and beyond the reach of any signal.
 *
 * Each is a child, `orlop-init --aide store WORD...` (store_aide.h), one at a time and in the order in which they were
 * sent, with a deadline. Those that wait when it passes have waited long enough and fail with it. While a child is left
 * behind in a disk that does not answer, all that follows fails at once:
 * one process may be lost to such a disk, not one for each request.
 *
 * What PID 1 must know of the disk at any time (names.h: what is disabled, what a command made; the unit files as they
 * were read, packed.h) it has read at boot and keeps in memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

struct errand_end {
	int fd; /* what the child has written: a memfd, the errand's own; -1 with an error */
	const char *error; /* NULL: done, and on the disk */
};

struct errand {
	const char *const *words; /* the child's, ended by NULL */
	const char *const *more;  /* and behind them; or NULL */
	/* Called once, from the loop or, if it cannot be begun, before errand_send() returns. */
	void (*over)(void *ctx, const struct errand_end *end);
	void *ctx;
	uint32_t token; /* whose client is told that a revival has lost it; 0 = nobody's */
	bool elsewhere; /* it has nothing to do with /var, and begins even while that hangs */
};

void errand_send(const struct errand *errand);

/* What the running one has read may not be true any more: it is run once more. */
void errand_again(void);

/* The machine goes down: what waits fails, and none is begun any more, as it would hold the disk. */
void errand_end(void);

/* Revival: nothing of them goes on. */
struct vault_writer;
void errand_save(struct vault_writer *w);
int errand_restore(char *const *args, struct fail *f);
