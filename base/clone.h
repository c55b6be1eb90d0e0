/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone3 in the manner of vfork: the child runs in the caller's memory while that stands still, up to its
 * exec or end. No page table is copied and no page afterwards, which is a third of what starting a process
 * costs, and the child may leave results in the caller's variables.
 *
 * What a vfork child must not do holds here as well: nothing that the caller would miss or find in its way
 * afterwards (no locks taken, no buffers of stdio written). Signal dispositions are its own.
 */
#pragma once

#include <linux/sched.h>
#include <sys/types.h>

/* Adds CLONE_VM | CLONE_VFORK to args->flags. go(arg) runs in the child, below the caller's stack frames,
 * and must not return. Returns the pid, or -1 with errno. */
pid_t clone_vfork(struct clone_args *args, void (*go)(void *arg), void *arg);

/* The same by the old system call, which filters let pass: as vfork(), but safe to call from a function. */
pid_t vfork_call(void (*go)(void *arg), void *arg);
