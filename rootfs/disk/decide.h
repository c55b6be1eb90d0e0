/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which disk becomes /var, told from what the probe found. Pure.
 *
 *	one disk labelled orlop-data         use it
 *	none, one entirely blank disk        format it
 *	none of either                       volatile: nothing persists, and the host says so
 *	two labelled or two blank disks,
 *	the one is read-only, or none is
 *	labelled and one cannot be read      refused: a guess could cost somebody's data
 *
 * Refused is not volatile: containers must not start on an empty store in place of the one they have
 * (a database would initialise itself anew). A disk that is neither is nobody's business: it is never
 * written to.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "rootfs/disk/sniff.h"

#define DISK_LABEL    "orlop-data"
#define DISK_MIN_SIZE (64u << 20) /* a blank disk smaller than this is left alone */
#define DISK_MAX      64u         /* block devices that are looked at */

struct disk {
	char path[64]; /* "/dev/vda1" */
	uint64_t size; /* bytes */
	bool read_only;
	bool partition;   /* of another disk: never formatted */
	bool partitioned; /* the kernel sees partitions on it */
	struct sniff found;
};

enum verdict {
	VERDICT_USE,
	VERDICT_FORMAT,
	VERDICT_VOLATILE,
	VERDICT_REFUSED,
};

struct decision {
	enum verdict verdict;
	const struct disk *disk;  /* of USE and FORMAT; borrowed */
	bool check;               /* USE: run e2fsck before mounting */
	bool grow;                /* USE: the device is larger than its file system */
	char text[FAIL_TEXT_MAX]; /* for people: why */
};

void disk_decide(const struct disk *disks, size_t n, struct decision *ret);
