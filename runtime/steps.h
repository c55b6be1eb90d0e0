/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a plan: the order and the two processes of plan.h, undo, and who hears of a failure. */
#pragma once

#include "runtime/run.h"

/* Applies the steps of orlop-run up to STEP_HAND_OVER. On failure all of them are undone and PID 1 has
 * been told. In the container's first process it does not return. */
int steps_apply(struct run *run, struct fail *f);

/* Continues in the container's first process behind STEP_CLONE: until exec, or its end. */
void steps_continue(struct run *run) __attribute__((noreturn));
