/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a plan: the order and the two processes of plan.h, undo, and who hears of a failure. */
#pragma once

#include "runtime/run.h"

/* Applies the steps of orlop-run, and by STEP_CLONE all others: returns 0 when the container's program runs.
 * On failure all of them are undone (after the hand-over: but for what PID 1 keeps) and PID 1 has been
 * told. With run_init it returns 0 at STEP_CLONE. */
int steps_apply(struct run *run, struct fail *f);

/* Continues in the container's first process behind STEP_CLONE: until exec, or its end. */
void steps_continue(struct run *run) __attribute__((noreturn));
