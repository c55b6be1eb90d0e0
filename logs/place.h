/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory with one folder for each unit: PATH_LOGS on the data disk, and PATH_LOG_RING in memory.
 *
 * All units together take at most `total_max` bytes in a place: past it the oldest rotated files go,
 * whoever's they are. What a unit is writing now (`current`) is never taken from it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define PLACE_TOTAL (256ull << 20) /* of the data disk, for all units together */

struct place {
	int dir; /* owned; -1 = not there (yet) */
	uint64_t total, total_max;
};

/* Opens path (makes it if its parent exists) and counts what is in it. As root it also gives it to
 * uid/gid `owner` with mode 0750. */
int place_open(struct place *p, const char *path, uint64_t total_max, unsigned owner,
	       struct fail *f);
void place_close(struct place *p);

/* Removes the oldest rotated files until the total is within its bound, or none is left. */
void place_trim(struct place *p);

/* Removes folder/name and takes its size off the total. */
int place_unlink(struct place *p, const char *folder, const char *name);

/* Numbers of the rotated files in a folder, sorted, owned by the caller. *ret_current tells whether `current` is
 * there. A missing folder is an empty one. */
int place_list(int dir, const char *folder, uint64_t **ret, size_t *ret_n, bool *ret_current);
