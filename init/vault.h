/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault: what PID 1 knows, kept where a crash of PID 1 does not reach it.
 *
 * It is a memfd that the next image of PID 1 is handed by number. At the end of each pass of the loop in which
 * something has changed (vault_touch) the whole state is written into the half that is not in force,
 * as words, together with the list of fds that belong to it; then the halves change places, so there is always
 * one complete state. crash.c makes just those fds survive the exec; all others are close-on-exec.
 *
 * Two things make the last state true even if PID 1 dies in the middle of a pass:
 *   - an fd that the state in force may name is closed only once the next state is in force (vault_close): its
 *     number cannot have become something else's;
 *   - how a child ended is noted here before it is reaped (vault_note_exit), and the notes are dropped
 *     when a state without the child is in force.
 *
 * Records are a key word and a fixed number of words, one row of a table each (revive.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/fail.h"

#define VAULT_STATE_MAX (16u << 20) /* a thousand units are 1 MiB */
#define VAULT_FDS_MAX   65536u
#define VAULT_EXITS_MAX 1024u
#define VAULT_CRASHES   4u
#define VAULT_PATH_MAX  128u

struct vault_exit {
	int32_t pid, code, status;
};

/* An upgrade of PID 1's own program, upgrade.h. */
enum vault_trial {
	VAULT_NO_TRIAL,
	VAULT_TRIAL_BEGUN,  /* `candidate` was executed and has not come to the end of a pass */
	VAULT_TRIAL_FAILED, /* and will not: `program` was executed again */
};

/* The head, in shared memory. Read and written by the crash handler, so plain numbers only. */
struct vault_head {
	uint32_t magic, size;
	uint32_t generation; /* how often PID 1 has been revived */
	uint32_t active;     /* which half is in force: 0 or 1 */
	uint64_t len[2];     /* bytes of state; 0 = none */
	uint32_t n_fds[2];
	uint32_t n_exits;
	uint32_t attempts; /* revivals in a row that have not come to the end of a pass */
	uint32_t trial;
	char program[VAULT_PATH_MAX]; /* what a revival executes */
	char candidate[VAULT_PATH_MAX], reason[160];
	uint64_t crashes[VAULT_CRASHES]; /* CLOCK_BOOTTIME ns of the last ones, newest first */
	struct vault_exit exits[VAULT_EXITS_MAX];
	int32_t fds[2][VAULT_FDS_MAX];
};

/* A state being written. */
struct vault_writer {
	struct buf words;
	int32_t *fds; /* of the half that is being written */
	uint32_t n_fds;
	bool bad; /* more fds than there is room for */
};

void vault_word(struct vault_writer *w, const char *word);
void vault_number(struct vault_writer *w, int64_t n);
void vault_fd(struct vault_writer *w, int fd); /* -1 is kept as -1 */

int vault_create(struct fail *f);

/* Takes over the one that the image before has left. */
int vault_open(int fd, struct fail *f);

struct vault_head *vault_head(void); /* NULL: there is none */
int vault_memfd(void);

/* A copy of head and state in force, as a new memfd. */
int vault_snapshot(struct fail *f);

/* The state in force; NULL if there is none. */
const char *vault_state(size_t *ret_len);

/* Something has changed: the pass ends with a commit. */
void vault_touch(void);

/* Writes and puts in force what `write` says, if something has changed. */
void vault_commit(void (*write)(struct vault_writer *w));

/* close(), when no state in force names the fd any more. */
void vault_close(int fd);

void vault_note_exit(pid_t pid, int code, int status);
