/* SPDX-License-Identifier: Apache-2.0 */
/* What PID 1 is told over the report socket (base/wire.h): one packet each. */
#pragma once

#include <sys/types.h>

#include "base/fail.h"

/* The container's first process exists. userns and netns may be -1. 0 or -errno. */
int report_cloned(int sock, pid_t pid, int stop_signal, int pidfd, int userns, int netns);

/* A step failed. Only write() is used: a system call filter of the unit's own may be in force already.
 * Also written to stderr, which is the unit's log. */
void report_failed(int sock, const char *step, const struct fail *f);
