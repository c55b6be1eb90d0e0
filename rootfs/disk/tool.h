/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running one of e2fsprogs' programs: with a deadline, its output kept for the error message.
 */
#pragma once

#include "base/fail.h"

/* Runs argv (absolute path first) to its end. Returns its exit status (0-255), or -errno with a text:
 * it could not be started (errno), died of a signal (-EPIPE), or was killed after `seconds`
 * (-ETIMEDOUT). f is also given the last line of output when the status is not 0. */
int tool_run(const char *const argv[], int seconds, struct fail *f);
