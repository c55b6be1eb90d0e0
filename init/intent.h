/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people want to outlive a reboot: units that were disabled. A file of the unit's name in
 * /var/lib/orlop/state/disabled; that it exists is all there is to know. PID 1 is told at boot which there are, and keeps
 * that in memory; what changes is written by an errand (errand.h).
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"

bool intent_disabled(const char *unit);

/* In force at once; the supervisor hears by EVENT_INTENT_SAVED when it is on the disk, or why it is not. */
void intent_save(const char *unit, bool enabled);

/* As the boot has found it, and for units that are gone: nothing is written. */
void intent_found(const char *unit, bool enabled);

/* Revival. */
struct vault_writer;
void intent_write(struct vault_writer *w);
int intent_restore(char *const *args, struct fail *f);
/* For units whose intent was on the way: once more. */
void intent_resume(void);
