/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-log read: a unit's records, oldest first, from its files in the store and in the ring.
 *
 * Following goes across rotation: a file that was renamed is read to its end before the next one is begun;
 * if the writer was faster and removed files in between, a marker says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "logs/out.h"

struct read_options {
	const char *unit;
	int64_t lines; /* the last so many; -1 = all */
	int64_t since; /* ns since 1970; only records from then on */
	bool follow;
};

/* Writes the records to out until all are written or, following, until the reader is gone. */
int log_read(const struct read_options *o, struct out *out, struct fail *f);
