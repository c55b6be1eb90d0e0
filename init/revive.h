/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state that goes into the vault and comes out of it again: one row for each kind of record, its reader beside its
 * writer. What can be made anew (epoll, timers, cgroup watches, the power button) is not kept.
 *
 * After reading, the supervisor's belief is compared with what there is: what it believes to exist and does not
 * is told to it as an event; what exists and it does not know of (a start that the crash interrupted) is killed.
 */
#pragma once

#include "base/fail.h"
#include "init/vault.h"

/* For vault_commit(). */
void revive_write(struct vault_writer *w);

/* Whether this program understands the state in force; the supervisor is made from it, nothing else is touched. What
 * the units were read from is fd 4 then. */
#define REVIVE_TRY_UNITS "4"
int revive_try(struct fail *f);

/* Takes the state in force over. Behind loop_init() and shell_init(), before anything else made its own. */
int revive_read(struct fail *f);
