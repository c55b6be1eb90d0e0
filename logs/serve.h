/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-log serve: copies the output of all units to their files.
 *
 * fd 3 is a SOCK_SEQPACKET socket from PID 1. A packet is words:
 *
 *     UNIT [OPTION...]   with one fd, the read end of the unit's output pipe; options as in logs/rotate.h.
 *                        The same pipe twice is one pipe; another pipe for the same unit is one more.
 *     @store             PATH_LOGS can be used from now on (sent after the data disk is mounted to an orlop-log
 *                        that was started with --early; it is said again after a remount)
 *
 * The pipe is the buffer. What a pipe holds is copied with tee(), written, and only then taken out of it; a
 * line that is not complete stays in it. So whatever kills this process loses nothing: its successor, to
 * which PID 1 sends the same pipes, goes on where this one stopped, and at worst writes the last batch again.
 *
 * Fair: a pass over the units takes at most 64 KiB from each. A unit that writes more than its rate for long has
 * the rest dropped and marked, so that a flood costs neither the disk nor the neighbours.
 *
 * End of file on fd 3: takes what is in the pipes and ends. SIGTERM: the same, incomplete lines too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

struct serve_options {
	bool early;     /* PATH_LOGS is not there yet: wait for @store */
	uint64_t total; /* bytes for all units together */
};

int serve(const struct serve_options *o, struct fail *f);
