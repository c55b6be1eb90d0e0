/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices: cgroups in which units' cgroups lie together, as Slice= says. They have no processes and no limits of their own;
 * what the host is short of is shared out among slices first, and then among the units of each. Made with the first unit in
 * it, gone with the last. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SLICE_PATH_MAX 4096

/* Where a unit's cgroup is, below the units': "a.slice/a-b.slice/web" for service "web" in slice a-b.slice; "web" where
 * slice is NULL. false: too long, or the service has the name of a slice. */
bool slice_place(const char *slice, const char *service, char ret[SLICE_PATH_MAX]);

/* Whether a cgroup's name is a slice's and no unit's. */
bool slice_is_one(const char *name);
