/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload means for every unit: two sets in, one verdict a unit out. Pure.
 *
 * What counts is what the files say, not how: an edited comment changes nothing. A container's network
 * namespace, its ports and its ids outlive a restart, so a change of those needs more than one.
 */
#pragma once

#include "units/unit.h"

enum unit_change {
	CHANGE_NONE,
	CHANGE_ADDED,
	CHANGE_REMOVED,
	CHANGE_UPDATED,  /* policy, dependencies, texts: in force at once, nothing is stopped */
	CHANGE_RESTART,  /* the process must be started anew */
	CHANGE_RECREATE, /* and what outlives a restart too: network, ports, ids */
	CHANGE_REJECTED, /* the new files have mistakes: the running one stays as it is */
	CHANGE__N,
};

/* "none", "added"... and what it means, for people. */
extern const char *const change_names[CHANGE__N];
extern const char *const change_texts[CHANGE__N];

/* Called for every unit of either set in the order of their names; from or to is NULL where it is not in
 * that set. Another value than 0 ends it and is returned. */
typedef int unit_change_fn(void *ctx, enum unit_change change, const struct unit *from,
			   const struct unit *to);

/* Built-in targets are left out. 0, -ENOMEM, or what fn returned. */
int units_diff(const struct unit_set *from, const struct unit_set *to, unit_change_fn *fn,
	       void *ctx);

/* A number that differs when CHANGE_RESTART or CHANGE_RECREATE would be the verdict: what the unit's process
 * and what it lives in are made from. Comments, policy and dependencies do not count. 0: memory ran out. */
uint64_t unit_process_hash(const struct unit_set *set, const struct unit *u);

/* And one that differs with CHANGE_RECREATE only. 0: memory ran out. */
uint64_t unit_pinned_hash(const struct unit_set *set, const struct unit *u);
