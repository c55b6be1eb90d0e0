/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disposable upper directories: PATH_TMP/run/<unit>/<time>/{upper,work}, one for each start, on the
 * store's ext4 (a tmpfs cannot be idmapped on Linux 6.1). What an earlier start left is removed in the
 * background, by a child that nobody waits for; PID 1 reaps it as an orphan.
 */
#pragma once

#include "base/fail.h"
#include "base/paths.h"

#define SCRATCH PATH_TMP "/run"

/* Makes one. *ret_fd is its directory; *ret_name its name, which the caller frees. */
int scratch_make(const char *unit, int *ret_fd, char **ret_name, struct fail *f);

/* Removes one, now. */
void scratch_remove(const char *unit, const char *name);

/* Removes all of a unit's, or with NULL all there are, now. */
int scratch_clean(const char *unit, struct fail *f);
