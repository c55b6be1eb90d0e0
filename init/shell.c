/* SPDX-License-Identifier: Apache-2.0 */
#include "init/shell.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/intent.h"
#include "init/loop.h"
#include "init/text.h"
#include "init/vault.h"
#include "units/diag.h"
#include "units/load.h"

/* A burst: every unit of a big host ends in one pass. More are stepped at once, see shell_push(). */
#define QUEUE_MAX 2048u

struct queued {
	struct event event;
	char step[32], text[160];
};

static struct {
	struct sup *sup;
	struct unit_set *set;
	struct queued queue[QUEUE_MAX];
	unsigned first, n;
	unsigned lost;
	struct timer deadline;
} shell;

int shell_init(struct fail *f)
{
	shell.sup = sup_new(NULL);
	return shell.sup ? 0 : fail_set(f, ENOMEM, "supervisor");
}

const struct sup *shell_sup(void)
{
	return shell.sup;
}

const struct unit_set *shell_set(void)
{
	return shell.set;
}

const struct unit *shell_unit(uint32_t id)
{
	struct sup_unit_info info;

	if (!shell.set || !sup_unit_info(shell.sup, id, &info))
		return NULL;
	return unit_by_name(shell.set, info.name);
}

uint32_t shell_find(const char *name)
{
	const struct unit *u = shell.set ? unit_find(shell.set, name) : NULL;

	return sup_find(shell.sup, u ? u->name : name);
}

void shell_push(const struct event *event)
{
	struct queued *q;

	/* The queue starts over whenever it is empty, so that a quiet host touches one page of it. */
	if (!shell.n)
		shell.first = 0;
	if (shell.n == QUEUE_MAX) {
		/* Cannot be reached with what a pass reads (loop.c: BATCH) and an action pushes. If it is,
		 * saying so and living on with a unit in a wrong state beats every alternative. */
		if (!shell.lost++)
			console_say("BUG: more than %u events at once", QUEUE_MAX);
		return;
	}
	q = &shell.queue[(shell.first + shell.n++) % QUEUE_MAX];
	q->event = *event;
	q->event.now = loop_now();
	text_cut(q->step, sizeof(q->step), event->step ? event->step : "");
	text_cut(q->text, sizeof(q->text), event->text ? event->text : "");
	q->event.step = q->step;
	q->event.text = q->text;
}

static bool step(const struct event *event)
{
	bool more;
	const struct action *a;
	size_t n;

	vault_touch();
	more = sup_step(shell.sup, event, event ? event->now : loop_now());
	for (a = sup_actions(shell.sup, &n); n--; a++)
		exec_action(a);
	return more;
}

static void timer_due(struct timer *t)
{
	(void)t;
	shell_push(&(struct event){.kind = EVENT_TIMER, .unit = SUP_NONE});
}

void shell_pump(void)
{
	bool more = false;
	uint64_t deadline;

	while (shell.n || more) {
		struct queued *q = shell.n && !more ? &shell.queue[shell.first] : NULL;

		more = step(q ? &q->event : NULL);
		if (q) {
			shell.first = (shell.first + 1) % QUEUE_MAX;
			shell.n--;
		}
	}
	deadline = sup_next_deadline(shell.sup);
	if (deadline == SUP_NEVER)
		loop_untimer(&shell.deadline);
	else
		loop_timer(&shell.deadline, deadline, timer_due);
}

void shell_diag_line(const struct diag *d, char *text, size_t size)
{
	snprintf(text, size, "%s:%u:%u: %s[%s]: %s%s%s", d->at.file ? d->at.file : "", d->at.line,
		 d->at.column, d->severity == DIAG_ERROR ? "error" : "warning", d->code, d->message,
		 d->hint ? "; " : "", d->hint ? d->hint : "");
}

static int put_in_force(struct unit_set *set, struct fail *f)
{
	_free_
	struct sup_unit_config *config = sup_config_from_set(set);
	int r;

	if (!config)
		return fail_set(f, ENOMEM, "units");
	for (size_t i = 0; i < set->n; i++)
		config[i].disabled = intent_disabled(config[i].name);
	r = sup_load(shell.sup, config, set->n, false, f);
	if (r < 0)
		return r;
	unit_set_free(shell.set);
	shell.set = set;
	malloc_trim(0); /* what reading took, which is more than what is kept */
	shell_push(&(struct event){.kind = EVENT_NONE, .unit = SUP_NONE});
	return 0;
}

int shell_load_units(struct shell_load *load, struct fail *f)
{
	struct unit_set *set = NULL;
	int r = units_load_dirs(units_dirs, NULL, &set, f);

	if (r < 0)
		return r;
	load->errors = set->n_errors;
	for (size_t i = 0; i < set->n_diags && load->tell; i++)
		load->tell(load->ctx, set->diags[i]);
	if (load->strict && set->n_errors)
		r = fail_set(f, EINVAL, "%zu mistakes in the unit files: nothing has changed",
			     set->n_errors);
	else
		r = put_in_force(set, f);
	if (r < 0)
		unit_set_free(set);
	return r;
}

void shell_save(struct vault_writer *w)
{
	_buf_ struct buf core = {0};

	vault_word(w, "units");
	vault_number(w, shell.set != NULL);
	sup_encode(shell.sup, &core);
	vault_word(w, "core");
	vault_number(w, (int64_t)core.len);
	buf_add(&w->words, core.data, core.len);
	w->bad |= core.bad;
}

int shell_restore_units(char *const *args, struct fail *f)
{
	return strcmp(args[0], "1") != 0 ? 0 : shell_load_units(&(struct shell_load){0}, f);
}

int shell_restore_core(const char *words, size_t len, struct fail *f)
{
	return sup_decode(shell.sup, words, len, f);
}
