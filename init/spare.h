/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spare orlop-run: one that has begun and waits for a job (base/job.h), so that a container's start, and above
 * all the restart of one that has died, need not wait until a program is loaded.
 *
 * There is at most one. It is made a moment after a start has begun and taken by the next; starts at the same moment make
 * their own. It is a child of PID 1 like any other but in nobody's table until it is taken, holds nothing but its
 * end of a socket, and ends by itself when PID 1 closes the other: at a crash of PID 1, an upgrade, a shutdown.
 *
 * To make a network namespace takes as long as much of the rest, and longer while others are being made or taken
 * down. So the spare has made one, and a user namespace that owns it, if the last start needed new ones: the next is
 * likely to be of the same kind.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/fail.h"

/* An orlop-run that waits for its job: the spare, or a new one where there is none that lives. fresh: the job needs new
 * namespaces. Returns its pid; its pidfd and our end of its socket (non-blocking) are the caller's. -errno: there is
 * none. Another will wait soon. */
pid_t spare_take(bool fresh, int *ret_pidfd, int *ret_sock, struct fail *f);

/* The machine goes down: no more of them. */
void spare_end(void);
