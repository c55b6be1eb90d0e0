/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/restart.h"

#include <signal.h>
#include <sys/wait.h>

#define ROW(r)    (1u << (r))
#define ALL_CLEAN ROW(SUP_SUCCESS)
#define ALL_UNCLEAN                                                                       \
	(ROW(SUP_EXIT_CODE) | ROW(SUP_SIGNAL) | ROW(SUP_CORE_DUMP) | ROW(SUP_TIMEOUT) |   \
	 ROW(SUP_WATCHDOG) | ROW(SUP_OOM_KILL) | ROW(SUP_RESOURCES) | ROW(SUP_PROTOCOL) | \
	 ROW(SUP_UNHEALTHY))

/* Restart= -> the results that are started again. SKIP, START_LIMIT, DEPENDENCY and CONFIG never are. */
static const uint32_t restart_table[POLICY_RESTART__N] = {
	[POLICY_RESTART_NO] = 0,
	[POLICY_RESTART_ALWAYS] = ALL_CLEAN | ALL_UNCLEAN,
	[POLICY_RESTART_ON_SUCCESS] = ALL_CLEAN,
	[POLICY_RESTART_ON_FAILURE] = ALL_UNCLEAN,
	[POLICY_RESTART_ON_ABNORMAL] = ALL_UNCLEAN & ~ROW(SUP_EXIT_CODE),
	[POLICY_RESTART_ON_WATCHDOG] = ROW(SUP_WATCHDOG) | ROW(SUP_UNHEALTHY),
	[POLICY_RESTART_ON_ABORT] = ROW(SUP_SIGNAL) | ROW(SUP_CORE_DUMP),
};

/* A death by signal s is what a shell in between reports as exit code 128+s, so a set names both. */
static bool in_set(const struct policy_exits *set, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return policy_exits_signal(set, WTERMSIG(wait_status)) ||
		       policy_exits_code(set, 128 + WTERMSIG(wait_status));
	return policy_exits_code(set, WEXITSTATUS(wait_status)) ||
	       (WEXITSTATUS(wait_status) > 128 &&
		policy_exits_signal(set, WEXITSTATUS(wait_status) - 128));
}

static bool clean_signal(int signal)
{
	return signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGPIPE;
}

enum sup_result exit_result(const struct unit_policy *policy, int wait_status, bool oom)
{
	if (oom && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL)
		return SUP_OOM_KILL;
	if (in_set(&policy->success, wait_status))
		return SUP_SUCCESS;
	if (WIFSIGNALED(wait_status)) {
		if (clean_signal(WTERMSIG(wait_status)) && policy->type != POLICY_TYPE_ONESHOT)
			return SUP_SUCCESS;
		return WCOREDUMP(wait_status) ? SUP_CORE_DUMP : SUP_SIGNAL;
	}
	return WEXITSTATUS(wait_status) == 0 ? SUP_SUCCESS : SUP_EXIT_CODE;
}

bool restart_wanted(const struct unit_policy *policy, enum sup_result result, bool exited,
		    int wait_status)
{
	if (result == SUP_SKIP || result == SUP_START_LIMIT || result == SUP_DEPENDENCY ||
	    result == SUP_CONFIG)
		return false;
	if (exited && in_set(&policy->restart_prevent, wait_status))
		return false;
	if (exited && in_set(&policy->restart_force, wait_status))
		return true;
	if (result == SUP_UNHEALTHY && policy->on_unhealthy == POLICY_HEALTH_STOP)
		return false;
	if (result == SUP_UNHEALTHY && policy->on_unhealthy == POLICY_HEALTH_RESTART)
		return true;
	return restart_table[policy->restart] & ROW(result);
}
