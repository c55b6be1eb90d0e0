/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people want to outlive a reboot: units that were disabled. A file of the unit's name in
 * /var/lib/orlop/state/disabled; that it exists is all there is to know.
 */
#pragma once

#include <stdbool.h>

void intent_save(const char *unit, bool enabled);
bool intent_disabled(const char *unit);
