/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the boot got how far: CLOCK_BOOTTIME at the end of each phase. Shown by the verb `boot`.
 */
#pragma once

#include <stdint.h>

enum stamp {
	STAMP_KERNEL, /* PID 1 began */
	STAMP_ROOT,
	STAMP_MODULES,
	STAMP_LOOP, /* the control socket is served */
	STAMP_DISK,
	STAMP_UNITS, /* read */
	STAMP_IMAGES,
	STAMP_NETWORK,
	STAMP_FIRST_CONTAINER, /* a container's main process was exec'ed */
	STAMP_BOOTED,          /* all that is started at boot is up, or has failed */
	STAMP__N,
};

extern const char *const stamp_names[STAMP__N];

/* Sets it to now, the first time only. */
void stamp(enum stamp s);

/* Revival. */
struct vault_writer;
struct fail;
void stamps_save(struct vault_writer *w);
int stamps_restore(char *const *args, struct fail *f);

/* Nanoseconds; 0 = not yet. */
uint64_t stamp_of(enum stamp s);
