/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disposable upper directories: SCRATCH/<unit>/<time>/{upper,work}, one for each start, on the store's
 * ext4 (a tmpfs cannot be idmapped on Linux 6.1). What an earlier start left is renamed into
 * SCRATCH_TRASH, and removed there in the background by a child that nobody waits for; PID 1 reaps it
 * as an orphan. Nothing but the rename ever touches SCRATCH/<unit>, so a sweeper that is late cannot take
 * away what a new start has just made.
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"
#include "base/paths.h"

#define SCRATCH       PATH_TMP "/run"
#define SCRATCH_TRASH PATH_TMP "/trash"

/* Makes one. *ret_fd is its directory; *ret_name its name, which the caller frees; *ret_trash tells that
 * there is something to sweep. */
int scratch_make(const char *unit, int *ret_fd, char **ret_name, bool *ret_trash, struct fail *f);

/* Removes one, now. */
void scratch_remove(const char *unit, const char *name);

/* Starts a child that empties the trash. */
void scratch_sweep(void);

/* Removes what is left of a unit, or with NULL all there is, now. */
int scratch_clean(const char *unit, struct fail *f);
