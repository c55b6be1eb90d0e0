/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program as PID 1, without a reboot: `orlop upgrade-init FILE` goes the way of a crash (crash.h, vault.h).
 *
 * The file is copied to where nothing can change it any more. Then, as a child, the copy is asked whether it can read
 * a snapshot of the state (--try). Only then PID 1 executes it. If it fails all the same before the end of
 * its first pass of the loop, the program before it is executed with the same state, which is untouched until then;
 * whoever asked hears from one of the two what became of it.
 *
 * A revival that fails for a reason that may pass (no memory, no fds) is begun again a few times in the same way.
 */
#pragma once

#include "base/fail.h"

struct request;
void verb_upgrade(const struct request *r);

/* Behind the commit of each pass: executes the new program if it is time for it, and notes that this one works. */
void upgrade_pass(void);

/* This image cannot go on from the state: executes the program before it, or this one again. Does not return. */
void upgrade_failed(const struct fail *f) __attribute__((noreturn));

/* The new program as a child: whether it can go on from the state in fd. Returns the exit code. */
int upgrade_try(int fd);

/* Revival. */
struct vault_writer;
void upgrade_save(struct vault_writer *w);
int upgrade_restore(char *const *args, struct fail *f);
