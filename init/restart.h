/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether and when to start again: the restart table, exit classification, backoff, start limit.
 * Pure arithmetic on values; knows nothing of units.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/sup.h"

/* What an exit means. wait_status as of waitpid(); oom: the kernel's OOM killer was there. A oneshot that was
 * ended by SIGHUP, SIGINT, SIGTERM or SIGPIPE did not do its work, so that is not clean. */
enum sup_result exit_result(const struct unit_policy *policy, int wait_status, bool oom);

/* The restart table, for a unit that nobody asked to stop. wait_status counts only if exited. */
bool restart_wanted(const struct unit_policy *policy, enum sup_result result, bool exited,
		    int wait_status);

#define RESTART_DELAY_MIN 10000000ull /* 10 ms, whatever is written */

/* How long to wait before the start that follows `failures` failed ones in a row (0: the first), ns. */
uint64_t restart_delay(const struct unit_policy *policy, uint32_t failures);

/* The start limit: a window that begins with its first start, as systemd counts. */
struct start_limit {
	uint64_t begin;
	uint32_t count;
};

bool start_limit_hit(const struct unit_policy *policy, const struct start_limit *limit,
		     uint64_t now);
void start_limit_count(const struct unit_policy *policy, struct start_limit *limit, uint64_t now);
