/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Condition...= of [Unit]. PID 1 does not look itself, as a path may lead to a disk that does not answer: a child
 * does, `orlop-init --aide conditions`, in the unit's cgroup and within its start's time limit.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "units/unit.h"

/* The child's exit code: 0 = go on, 1 = it could not look, else CONDITION_FAILED + the number of the one that does not
 * hold, or CONDITION_LAST for all from there on. */
#define CONDITION_FAILED 2
#define CONDITION_LAST   250

/* A unit's conditions for the child, as a sealed memfd; -errno. */
int condition_pack(const struct unit *u, struct fail *f);

/* "ConditionPathExists=!/x". */
void condition_text(const struct unit_condition *c, char *ret, size_t size);

/* The child's side: the conditions are fd 3. */
int condition_main(void);
