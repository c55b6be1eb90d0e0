/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/bootseq.h"

#define AFTER(step) (1u << (step))
#define SECONDS     1000000000ull

const char *const boot_step_names[BOOT_STEP__N] = {
	[BOOT_DISK] = "disk",       [BOOT_STORE] = "store",     [BOOT_HOST] = "host",
	[BOOT_IMAGES] = "images",   [BOOT_NETWORK] = "network", [BOOT_UNITS] = "units",
	[BOOT_CONSOLE] = "console",
};

const char *const boot_outcome_names[] = {
	[BOOT_WAITS] = "waits",   [BOOT_RUNS] = "runs", [BOOT_DONE] = "done",
	[BOOT_FAILED] = "failed", [BOOT_LATE] = "late", [BOOT_SKIPPED] = "skipped",
};

/* The disk's is long: an e2fsck of a big disk after a power cut is worth waiting for. */
const uint64_t boot_step_deadlines[BOOT_STEP__N] = {
	[BOOT_DISK] = 900 * SECONDS,
	[BOOT_IMAGES] = 600 * SECONDS,
	[BOOT_NETWORK] = 30 * SECONDS,
	[BOOT_UNITS] = 8 * SECONDS, /* they go on; the console does not wait longer */
};

static const unsigned needs[BOOT_STEP__N] = {
	[BOOT_STORE] = AFTER(BOOT_DISK),
	[BOOT_HOST] = AFTER(BOOT_STORE),
	[BOOT_IMAGES] = AFTER(BOOT_STORE),
	[BOOT_NETWORK] = AFTER(BOOT_STORE),
	[BOOT_UNITS] = AFTER(BOOT_HOST) | AFTER(BOOT_IMAGES) | AFTER(BOOT_NETWORK),
	[BOOT_CONSOLE] = AFTER(BOOT_UNITS),
};

static bool is_over(const struct bootseq *seq, unsigned step)
{
	return seq->outcome[step] >= BOOT_DONE;
}

void bootseq_skip(struct bootseq *seq, enum boot_step step)
{
	seq->outcome[step] = BOOT_SKIPPED;
}

enum boot_step bootseq_next(struct bootseq *seq, uint64_t now)
{
	for (unsigned step = 0; step < BOOT_STEP__N; step++) {
		bool ready = seq->outcome[step] == BOOT_WAITS;

		for (unsigned other = 0; other < BOOT_STEP__N; other++)
			if (needs[step] & AFTER(other) && !is_over(seq, other))
				ready = false;
		if (!ready)
			continue;
		seq->outcome[step] = BOOT_RUNS;
		seq->begun[step] = now;
		return step;
	}
	return BOOT_STEP__N;
}

void bootseq_over(struct bootseq *seq, enum boot_step step, enum boot_outcome outcome, uint64_t now)
{
	if (seq->outcome[step] != BOOT_RUNS)
		return;
	seq->outcome[step] = outcome;
	seq->over[step] = now;
}

bool bootseq_finished(const struct bootseq *seq)
{
	for (unsigned step = 0; step < BOOT_STEP__N; step++)
		if (!is_over(seq, step))
			return false;
	return true;
}
