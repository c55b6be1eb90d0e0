/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting until the host is on a network. */
#pragma once

#include "base/fail.h"

/* Returns 0 once a link that is not one of ours has an address that is good beyond the link, and a default
 * route leads out by it, in one family; the kernel's events are waited for, nothing is polled.
 * timeout_ms: -1 = for ever; else -ETIMEDOUT. */
int online_wait(int timeout_ms, struct fail *f);
