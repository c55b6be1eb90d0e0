/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children of PID 1: its own, and those it inherits.
 *
 * On SIGCHLD everything that has ended is reaped with waitid(P_ALL) until nothing is left, because one
 * signal may stand for many. A child that somebody waits for has a `struct child`; its owner is called
 * with how it ended. All others are orphans of containers' and services' processes: reaped and
 * forgotten.
 *
 * One race is taken care of here: a container's first process may end before orlop-run's report about it
 * was read. The latest ends of unknown pids are kept, and children_adopt() finds them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0 = not in the table */
	int pidfd; /* -1 or owned: closed when the child was reaped or dropped */
	/* code is CLD_EXITED, CLD_KILLED or CLD_DUMPED; status the exit code or the signal. The child is out of the
	 * table already and may be freed or used again. */
	void (*ended)(struct child *c, int code, int status);
	int code, status; /* how it ended, if it was reaped before it was adopted */
	struct child *next;
};

/* A process that PID 1 has just made. Takes the pidfd over. */
void children_add(struct child *c, pid_t pid, int pidfd, void (*ended)(struct child *, int, int));

/* One that somebody else made, or that was made before a revival. Takes the pidfd over. If it was reaped already,
 * `ended` is called in this or the next reaping with how it ended; as killed by SIGKILL where that is not known any
 * more. */
void children_adopt(struct child *c, pid_t pid, int pidfd, void (*ended)(struct child *, int, int));

/* Forgets it; it is reaped as an orphan. */
void children_drop(struct child *c);

/* Sends a signal through the pidfd: never to another process that got the same pid. 0 or -errno. */
int children_signal(const struct child *c, int sig);

/* Reaps all that has ended; called in every pass of the loop. before() is called for each end that somebody waits for,
 * just before. */
void children_reap(void (*before)(void));

/* Revival: ends that were noted in the vault, whose children are about to be adopted. */
void children_restore_exits(void);

/* How many orphans were reaped since boot. */
uint64_t children_orphans(void);
