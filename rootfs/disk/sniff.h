/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies on a disk, told from its bytes. Pure: the bytes are given as memory (the probe maps the
 * device), so that whoever reads foreign bytes needs no system call at all.
 *
 * Blank means that a disk may be formatted, so it is told narrowly: the first and the last MiB hold
 * nothing but zeros, and so do SNIFF_SAMPLES pages spread evenly over all the rest. File systems,
 * partition tables, RAID and LVM labels, encrypted volumes and swap all have something in the first or
 * last MiB. The samples are for what has not (a plain dump that begins with zeros).
 *
 * Formatting is not one write, and the power may go in its middle. orlop-disk therefore writes
 * SNIFF_MARK into the first sector of a blank disk before, which ext4 leaves alone, and zeros after
 * it. A disk that begins with the mark was blank, holds nothing yet, and is formatted again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNIFF_EDGE    (1u << 20)
#define SNIFF_SAMPLES 256u
#define SNIFF_PAGE    4096u
#define SNIFF_MARK    "orlop: this disk was blank and is being formatted\n"

enum sniff_kind {
	SNIFF_UNREADABLE, /* never told by sniff(): what is assumed when the probe did not answer */
	SNIFF_BLANK,
	SNIFF_HALF_MADE, /* formatting was cut off */
	SNIFF_EXT,
	SNIFF_FOREIGN,
	SNIFF__N,
};

struct sniff {
	enum sniff_kind kind;
	/* of SNIFF_EXT: */
	char label[17]; /* NUL-terminated; bytes that are no printable ASCII become '?' */
	uint64_t
		fs_size; /* bytes, as the superblock has it; not to be trusted beyond a comparison */
	bool clean;      /* unmounted in order, no error noted, no journal to replay */
};

/* disk: the whole device, size bytes; any size. */
void sniff(const uint8_t *disk, uint64_t size, struct sniff *ret);
