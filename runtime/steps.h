/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a plan: the order and the two processes of plan.h, undo, and who hears of a failure. */
#pragma once

#include "runtime/run.h"

/* Applies the steps of orlop-run, and by STEP_CLONE all others: returns 0 when the container's program runs.
 * On failure all of them are undone (after the hand-over: but for what PID 1 keeps) and PID 1 has been
 * told. */
int steps_apply(struct run *run, struct fail *f);

/* Continues in the container's first process behind STEP_CLONE: until exec, or its end. */
void steps_continue(struct run *run) __attribute__((noreturn));

/* Which steps of a plan make one more process in a container that runs: in orlop-run, then in the new
 * process before and after it is in the container. */
enum steps_some { STEPS_EXEC_HELPER = 1, STEPS_EXEC_HOST, STEPS_EXEC };

/* Applies those, in their order. *ret_step is the name of the last one. */
int steps_apply_some(struct run *run, enum steps_some which, const char **ret_step, struct fail *f);
