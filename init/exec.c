/* SPDX-License-Identifier: Apache-2.0 */
#include "init/exec.h"

#include <signal.h>

#include "init/boot_jobs.h"
#include "init/console.h"
#include "init/intent.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/transient.h"
#include "init/verbs.h"

static void signal_main(const struct action *a)
{
	struct run *r = run_find(a->unit);
	int sig = a->code;

	if (!r)
		return;
	if (!sig)
		sig = r->stop_signal ? r->stop_signal : SIGTERM;
	/* what stands still hears nothing: a stop or a kill ends a pause */
	if (run_cgroup_frozen(r))
		(void)run_cgroup_freeze(r, false, NULL);
	children_signal(&r->main, sig);
}

static void reply(const struct action *a)
{
	if (a->token == BOOT_TOKEN)
		boot_jobs_units_up();
	else
		verb_reply(a->token, a->code, a->text);
}

static void log_text(const struct action *a)
{
	struct sup_unit_info info;

	if (a->unit != SUP_NONE && sup_unit_info(shell_sup(), a->unit, &info))
		console_say("%s: %s", info.name, a->text);
	else
		console_say("%s", a->text);
}

static void save_intent(const struct action *a)
{
	struct sup_unit_info info;

	if (sup_unit_info(shell_sup(), a->unit, &info))
		intent_save(info.name, a->code == 1);
}

static void forgotten(const struct action *a)
{
	run_forget(a->unit);
	transient_forgotten(a->text);
}

static void nothing(const struct action *a)
{
	(void)a;
}

static void (*const actions[ACTION_KIND__N])(const struct action *) = {
	[ACTION_NONE] = nothing,
	[ACTION_SPAWN_CONTAINER] = exec_spawn_container,
	[ACTION_SPAWN_SERVICE] = exec_spawn_service,
	[ACTION_CANCEL_START] = exec_cancel_start,
	[ACTION_SIGNAL_MAIN] = signal_main,
	[ACTION_CG_KILL] = exec_cg_kill,
	[ACTION_CG_CHECK] = exec_cg_check,
	[ACTION_CG_REMOVE] = exec_cg_remove,
	[ACTION_RUN_HELPER] = exec_run_helper,
	[ACTION_KILL_HELPER] = exec_kill_helper,
	[ACTION_RUN_PROBE] = exec_run_probe,
	[ACTION_KILL_PROBE] = exec_kill_probe,
	[ACTION_REPLY] = reply,
	[ACTION_STATE] = exec_state,
	[ACTION_LOG] = log_text,
	[ACTION_SAVE_INTENT] = save_intent,
	[ACTION_FORGOTTEN] = forgotten,
	[ACTION_SHUTDOWN] = exec_shutdown,
};

void exec_action(const struct action *action)
{
	if (action->kind < ACTION_KIND__N && actions[action->kind])
		actions[action->kind](action);
}
