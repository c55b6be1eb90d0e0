/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at the bytes of disks that may come from anybody, in processes that can do nothing else.
 *
 * A child for each disk maps the device read-only, becomes nobody, and enters seccomp's strict mode:
 * from there on read(), write() and exit are the only calls it could make, and its memory the only
 * thing it can see. It writes one struct sniff into a pipe. All disks are looked at side by side. A disk
 * whose child dies (an I/O error is a SIGBUS), lies in wait, or says something that is no answer is
 * SNIFF_UNREADABLE.
 */
#pragma once

#include "base/fail.h"
#include "rootfs/disk/decide.h"

#define PROBE_SECONDS 15 /* a disk that sleeps needs some to spin up */

/* Sets disks[i].found of all. An error means that not even the children could be made. */
int probe_disks(struct disk *disks, size_t n, struct fail *f);
