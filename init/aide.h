/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things that may take long and are nobody else's: PID 1 runs its own program again for them, as a task,
 * `orlop-init --aide WORD`.
 *
 *	store ...       an errand to /var: store_aide.h
 *	conditions      of a unit that is about to be started: condition.h
 *	remove          what half-finished work left in the store
 *	copy FROM TO    a file, into a directory that is made for it
 *	leave           the end of the machine: sync, unmount /var, or make it read-only
 */
#pragma once

#include "init/task.h"

/* Removes what half-finished work left in the store: PATH_STORE/tmp.*, in the background. */
void aide_remove_leftovers(void);

/* The last sync and unmount. `over` hears how it ended, TASK_LATE after `timeout` ns. */
int aide_leave(struct task *task, uint64_t timeout, void (*over)(struct task *, enum task_end),
	       struct fail *f);

/* The child's side: argv behind --aide. Returns the exit code. */
int aide_main(int argc, char **argv);
