/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The early boot: what PID 1 does itself, in order and before the loop runs. Each step is short, has nothing to wait
 * for, and is only a warning when it fails: a host that comes up without its host name can be looked
 * at, one that stops cannot. main.c tells the order and why.
 *
 * What takes long or reads foreign bytes (data disk, images, network) is no step here but a task of
 * the loop: bootseq.h, boot_jobs.h.
 */
#pragma once

#include <stdint.h>

#include "init/cmdline.h"

/* Moves from the initramfs to a read-only bind of /orlop-root, so that pivot_root(2) works in containers
 * (EINVAL on the initramfs itself). No /orlop-root: PID 1 was started on a root file system already. */
void boot_enter_root(void);

/* /proc /sys /dev /dev/pts /dev/shm /run /tmp and the cgroup tree. */
void boot_mounts(void);

/* Every module of /usr/lib/orlop/modules.list, in its order. One that fails is a warning. */
void boot_modules(void);

/* The command line, from /proc/cmdline. */
void boot_cmdline(struct host_options *options);

/* The clock is never before the day the image was built, or before the last shutdown (seconds since 1970): a machine
 * without a clock battery would refuse every certificate. */
void boot_clock_floor(int64_t seconds, const char *what);
int64_t boot_image_day(void);

/* Host name and the kernel settings that belong to nobody else. */
void boot_settings(const struct host_options *options);

/* /sys/fs/cgroup/init with PID 1 in it, /sys/fs/cgroup/orlop for the units, controllers turned on for both. Returns
 * the directory fd of the units' cgroup, or -1 with a warning: then no unit can start. */
int boot_cgroups(void);

/* Gives back what only the boot or a revival needed: freed heap, and pages of the program that were mapped
 * around what it ran. They are in the page cache and come back one by one when they are called. */
void boot_give_back(void);

/* Signals and limits of PID 1 itself, its environment, /dev/null on 0, 1 and 2. */
void boot_self(void);
