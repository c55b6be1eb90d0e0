/* SPDX-License-Identifier: Apache-2.0 */
/* What our long-running verbs wait for: files that are written, and the signal that ends them. */
#pragma once

#include <stdbool.h>

#include "base/fail.h"

/* An inotify fd that wakes when a file in one of these folders (a NULL at the end; made if they are missing) has
 * been written or replaced. */
int watch_files(const char *const *dirs, struct fail *f);

/* Whether one of these files (names, a NULL at the end; NULL = any) was; throws away what is waiting. */
bool watch_changed(int fd, const char *const *only);

/* A signalfd of SIGTERM and SIGINT, which are blocked from now on. */
int watch_signals(struct fail *f);
