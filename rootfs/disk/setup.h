/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes /var: carries out what disk_decide() decided, step by step, and says what came of it.
 *
 * Whatever happens something is mounted on /var, so that the host has a console and logs: where the
 * data disk fails that is compressed memory (ext4 on zram: kernel 6.1 cannot idmap tmpfs, so containers
 * need a real file system; at most half of the machine's memory) and the state is "refused", so that
 * PID 1 starts no container on an empty store.
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"

enum disk_state {
	DISK_PERSISTENT,
	DISK_VOLATILE,
	DISK_REFUSED,
};

extern const char *const disk_state_names[]; /* "persistent" */

struct disk_setup {
	bool read_only; /* rescue: mount what is there, write nothing */
	bool no_disk;   /* orlop.disk=none: do not even look */
};

struct disk_outcome {
	enum disk_state state;
	char device[64]; /* what is mounted on /var; "" if nothing could be */
	char text
		[FAIL_TEXT_MAX]; /* for people: what is to be said beside the other two; "" = nothing */
};

void disk_setup(const struct disk_setup *how, struct disk_outcome *ret);
