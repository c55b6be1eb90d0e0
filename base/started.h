/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What orlop-run notes of a unit when it starts its container, in two files of PATH_STARTED, because the unit's own files
 * and the images' names may say something else while the container runs:
 *
 *     <unit>          the spec that it was started with (units/spec.h)
 *     <unit>.images   words: the ids of the images that it is made of, first its root's, then those of its mounts
 *
 * Only the host's root can read or write them. They go when the unit is down and cleaned up after.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "base/words.h"

#define STARTED_SPEC   ""
#define STARTED_IMAGES ".images"

/* Reads one of the two. *ret_data is the caller's to free, and NUL-terminated (the NUL does not count).
 * -EINVAL: no name of a unit; -ENOENT: nothing is noted; else as io_read_file(), at most LIMIT_SPEC bytes. */
int started_read(const char *unit, const char *which, char **ret_data, size_t *ret_len,
		 struct fail *f);

/* Reads the ids, which *ret walks through, by the same rules; they lie in *ret_data. */
int started_images(const char *unit, struct words_iter *ret, char **ret_data, struct fail *f);

/* Writes one of the two, over what is there; makes the folder if it is missing. The unit's name is valid. */
int started_write(const char *unit, const char *which, const char *data, size_t len,
		  struct fail *f);

/* Takes both away. */
void started_remove(const char *unit);
