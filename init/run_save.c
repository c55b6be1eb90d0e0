/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's children and fds over a revival (run.h). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "init/console.h"
#include "init/exec.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/text.h"
#include "init/vault.h"

static void save_child(struct vault_writer *w, const struct child *c)
{
	vault_number(w, c->pid);
	vault_fd(w, c->pid ? c->pidfd : -1);
}

static void save_one(struct vault_writer *w, const struct run *r)
{
	vault_word(w, "run");
	vault_word(w, r->name);
	vault_word(w, r->service);
	save_child(w, &r->main);
	save_child(w, &r->starter);
	save_child(w, &r->helper);
	save_child(w, &r->probe);
	vault_fd(w, r->report_open ? r->report.fd : -1);
	vault_fd(w, r->userns);
	vault_fd(w, r->netns);
	vault_number(w, r->cgroup >= 0);
	vault_number(w, r->cloned);
	vault_number(w, r->error);
	vault_word(w, r->step);
	vault_word(w, r->text);
	vault_number(w, r->stop_signal);
	vault_number(w, (int64_t)r->command);
	vault_number(w, r->which);
	vault_number(w, (int64_t)r->helper_at);
	vault_number(w, r->told);
	vault_word(w, r->place ? r->place : "");
}

void run_save(struct vault_writer *w)
{
	for (uint32_t unit = 0; unit < run_count(); unit++)
		if (run_find(unit))
			save_one(w, run_find(unit));
}

static void restore_child(struct child *c, char *const *args,
			  void (*ended)(struct child *, int, int))
{
	if (atoi(args[0]))
		children_adopt(c, atoi(args[0]), atoi(args[1]), ended);
}

int run_restore(char *const *args, struct fail *f)
{
	struct run *r = run_make(sup_find(shell_sup(), args[0]), args[0], args[1]);
	int report = atoi(args[10]);

	if (!r && sup_find(shell_sup(), args[0]) != SUP_NONE)
		return fail_set(f, ENOMEM, "%s", args[0]);
	if (!r) {
		console_say("revive: %s is not known any more", args[0]);
		return 0; /* its fds close with the next exec; its cgroup is killed as unknown */
	}
	r->userns = atoi(args[11]);
	r->netns = atoi(args[12]);
	r->cloned = atoi(args[14]);
	r->error = atoi(args[15]);
	text_cut(r->step, sizeof(r->step), args[16]);
	text_cut(r->text, sizeof(r->text), args[17]);
	r->stop_signal = atoi(args[18]);
	r->command = strtoul(args[19], NULL, 10);
	r->which = (enum sup_helper)atoi(args[20]);
	r->helper_at = strtoul(args[21], NULL, 10);
	r->told = atoi(args[22]);
	r->place = *args[23] ? strdup(args[23]) : NULL;
	if (*args[23] && !r->place)
		return fail_set(f, ENOMEM, "%s", args[0]);
	restore_child(&r->main, args + 2, run_main_ended);
	run_watch_stranger(r);
	restore_child(&r->starter, args + 4, run_starter_ended);
	restore_child(&r->helper, args + 6, run_helper_ended);
	restore_child(&r->probe, args + 8, run_probe_ended);
	if (report >= 0 && run_report_again(r, report, f) < 0)
		return -f->code;
	return atoi(args[13]) ? run_cgroup_again(r, f) : 0;
}

/* What one unit has lost. A helper of the network is begun again: it finds what the first has done. */
static void reconcile_one(uint32_t unit, const struct sup_facts *facts)
{
	struct run *r = run_find(unit);

	if (facts->main && !(r && r->main.pid))
		shell_push(&(struct event){.kind = EVENT_EXITED, .unit = unit, .code = SIGKILL});
	if (facts->starter && !(r && (r->starter.pid || r->report_open)))
		shell_push(&(struct event){.kind = EVENT_START_FAILED,
					   .unit = unit,
					   .code = EINTR,
					   .step = "start",
					   .text = "PID 1 was revived meanwhile",
					   .flag = r && run_cgroup_populated(r)});
	if (facts->helper && !(r && r->helper.pid)) {
		if (facts->which == SUP_HELPER_NET_DOWN || facts->which == SUP_HELPER_NET_UP)
			exec_run_helper(&(struct action){.kind = ACTION_RUN_HELPER,
							 .unit = unit,
							 .code = (int)facts->which});
		else
			shell_push(&(struct event){.kind = EVENT_HELPER_DONE,
						   .unit = unit,
						   .code = 1,
						   .text = "PID 1 was revived meanwhile",
						   .flag = r && run_cgroup_populated(r)});
	}
	if (facts->probe && !(r && r->probe.pid))
		shell_push(&(struct event){.kind = EVENT_PROBE_DONE, .unit = unit, .code = 125});
	if (facts->cgroup)
		exec_cg_check(&(struct action){.kind = ACTION_CG_CHECK, .unit = unit});
}

static bool is_known(const char *service)
{
	uint32_t unit = run_by_service(service);
	struct sup_facts facts;

	return unit != SUP_NONE && sup_unit_facts(shell_sup(), unit, &facts) &&
	       (facts.main || facts.starter || facts.helper || facts.probe || facts.cgroup);
}

int run_reconcile(struct fail *f)
{
	int e = run_cgroups_kill_unknown(is_known, f);

	if (e < 0)
		return e;
	for (uint32_t unit = 0; unit < sup_count(shell_sup()); unit++) {
		struct sup_facts facts;

		if (sup_unit_facts(shell_sup(), unit, &facts))
			reconcile_one(unit, &facts);
	}
	return 0;
}
