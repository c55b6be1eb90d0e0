/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: helper programs that PID 1 runs to do what it must not do itself, each with a deadline.
 *
 * What a task writes to its stderr appears on the console, line by line, with the task's name in front. At
 * its deadline it is killed, and left behind if it does not die of that (a disk that hangs). The owner embeds a `struct
 * task` and hears exactly once how it ended.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "init/children.h"
#include "init/loop.h"

#define TASK_FDS_MAX 4

enum task_end { TASK_OK, TASK_FAILED, TASK_LATE };

struct task {
	const char *name; /* static */
	struct child child;
	struct timer deadline;
	struct watch out; /* its stderr; closed with the task */
	bool late;
	/* What is left to say about a failure: the last line that it wrote. */
	char line[200];
	size_t have;
	size_t said; /* bytes of `line` once that has ended */
	void (*over)(struct task *t, enum task_end end);
};

/* Starts argv. fds[0..n) become 3, 4, ... in it; they stay the caller's. timeout: nanoseconds. The task must not be
 * running. */
int task_start(struct task *t, const char *name, const char *const *argv, const int *fds,
	       size_t n_fds, uint64_t timeout, void (*over)(struct task *, enum task_end),
	       struct fail *f);

bool task_runs(const struct task *t);

/* Revival: three words; the task's time begins anew. */
struct vault_writer;
void task_save(const struct task *t, struct vault_writer *w);
int task_restore(struct task *t, const char *name, char *const *args, uint64_t timeout,
		 void (*over)(struct task *, enum task_end), struct fail *f);
