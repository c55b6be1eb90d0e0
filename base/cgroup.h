/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup v2 directories: made fresh, killed whole, removed. A cgroup is named by a path below its
 * parent's directory fd; nothing here keeps state.
 *
 * Every start gets a cgroup that was never killed: Linux 6.18 kills what is cloned into one that was
 * (seen; 6.1 does not), so cg_fresh() removes and makes it anew.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/fail.h"

/* Removes an empty leaf `name` below parent if it is there and makes it. Returns its directory fd.
 * -EBUSY: processes are left in it, nothing was changed. */
int cg_fresh(int parent, const char *name, struct fail *f);

/* Removes the leaf and the empty cgroups that its processes made below it. Nothing there: 0.
 * -EBUSY: processes are left. */
int cg_remove(int parent, const char *name, struct fail *f);

/* SIGKILL for everything below cg (cgroup.kill, Linux 5.14). */
int cg_kill(int cg, struct fail *f);

/* 1 if there is a living process in or below cg, 0 if not, -errno. Reads the events fd that
 * cg_open_events() gave; reading re-arms its EPOLLPRI. */
int cg_populated(int events_fd);

/* cgroup.events, for epoll with EPOLLPRI and for cg_populated(). */
int cg_open_events(int cg, struct fail *f);

/* Sets a limit of io.max ("rbps=10000000") on the disk that the file `st` is or lies on: the whole one where
 * that is a part of it, as the kernel limits no parts. */
int cg_io_max(int cg, const struct stat *st, const char *limit, struct fail *f);

/* The controllers that units are limited by, for cg_enable(). */
extern const char *const cg_unit_controllers[];

/* Turns on these controllers for the children of cg, each on its own, so that one which the kernel
 * lacks does not take the others with it. Returns how many could not be turned on. */
int cg_enable(int cg, const char *const *controllers);
