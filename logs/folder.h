/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unit's files in one place: `current`, appended to, and the rotated ones.
 *
 * Appending is all or nothing: what could be written only in part (a full disk) is taken back, so that
 * a file always ends with a whole record. A torn record that a crash left behind is cut off at opening.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "logs/place.h"
#include "logs/rotate.h"

struct folder {
	struct place *place; /* borrowed */
	const char *name;    /* borrowed: the unit */
	int fd;              /* current; -1 = not open */
	uint64_t size;       /* of current */
	uint64_t next;       /* the number that current will get */
};

void folder_init(struct folder *d, struct place *place, const char *name);
void folder_done(struct folder *d);

/* Appends whole records, at most o->size bytes, rotating first if they do not fit. Opens the folder if need
 * be. -errno: nothing was written. *ret_lost: bytes of the unit's oldest records that rotation removed. */
int folder_append(struct folder *d, const struct rotate_options *o, const void *data, size_t len,
		  uint64_t *ret_lost);

/* How many of these bytes to append first, so that `current` is filled before it is rotated: whole records
 * that still fit, or all if none does. */
size_t folder_fit(const struct folder *d, const struct rotate_options *o, const char *data,
		  size_t len);

/* Reads the unit's files in this place, oldest first, each whole, and hands them to put(), which
 * returns 0 or -errno. A file that was taken is removed. Files above `max` bytes are not expected
 * here and come in pieces that end with a newline. */
int folder_move(struct folder *d, size_t max, int (*put)(void *data, const char *bytes, size_t len),
		void *data);

/* Whether the unit has anything in this place. */
bool folder_has_files(const struct folder *d);

/* Removes everything that the unit has in this place, and its folder. */
void folder_erase(struct folder *d);
