/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking through a unit's files in one place while somebody rotates them. Names change, so files are known by
 * what they are (the inode): after a file comes the one with the next number, after the last number `current`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct trail {
	int dir;          /* the place; borrowed; -1 = not there */
	const char *unit; /* borrowed */
	int fd;           /* the file at hand; -1 = none */
	off_t at;         /* where reading goes on in it */
};

void trail_init(struct trail *t, int dir, const char *unit);
void trail_done(struct trail *t);

/* Goes to the oldest file, to its start. false: there is none. */
bool trail_first(struct trail *t);

/* Whether there is a file after the one at hand. What is found at the end of the one at hand when this is true
 * is all that it will ever hold. */
bool trail_has_next(const struct trail *t);

/* Goes to the file after the one at hand. false: there is none, the one at hand is where the unit writes now
 * (or nothing is left). *ret_gap: files in between were removed before they were read. */
bool trail_next(struct trail *t, bool *ret_gap);

/* Whether the file at hand still has a name: a ring that moved to the store has none. */
bool trail_alive(const struct trail *t);

/* Goes to where the last `lines` records of this place begin; *lines is lowered by those that are there. */
bool trail_last(struct trail *t, int64_t *lines);

/* Reads on. Bytes, 0 at the end of the file at hand, or -errno. */
ssize_t trail_read(struct trail *t, void *data, size_t len);
