/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block devices of this machine, from sysfs. Only what can hold data of its own is listed: no loop,
 * RAM, zram, floppy or optical devices, and nothing of size zero (an empty card reader).
 */
#pragma once

#include "base/fail.h"
#include "rootfs/disk/decide.h"

/* Fills disks[0..max), sorted by path, `found` still to be filled. Sets *ret_n. More than max devices is
 * an error: a data disk might be among those left out. */
int device_list(struct disk *disks, size_t max, size_t *ret_n, struct fail *f);
