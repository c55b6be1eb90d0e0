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
#include "units/diff.h"
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
	const char *dropped; /* while a unit is taken out */
} shell = {.dropped = ""};

/* A unit that is to be added to those in force. */
struct addition {
	const char *name;
	struct fail *f;
};

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

/* Leaves configs out of which `stays` says no; edges go by the index in the array. Returns how many are left. */
static size_t leave_out(struct sup_unit_config *config, size_t n, bool (*stays)(const char *name))
{
	_free_
	uint32_t *to = calloc(n + 1, sizeof(*to));
	size_t left = 0;

	if (!to)
		return SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		to[i] = stays(config[i].name) ? (uint32_t)left++ : UINT32_MAX;
	for (size_t i = 0; i < n; i++) {
		/* the block is ours, const only for the supervisor */
		struct sup_edge *edges = (struct sup_edge *)config[i].edges;
		size_t kept = 0;

		if (to[i] == UINT32_MAX)
			continue;
		for (size_t j = 0; j < config[i].n_edges; j++) {
			if (to[edges[j].to] == UINT32_MAX)
				continue;
			edges[kept] = edges[j];
			edges[kept++].to = to[edges[j].to];
		}
		config[i].n_edges = kept;
		config[to[i]] = config[i];
	}
	return left;
}

static bool is_known(const char *name)
{
	return sup_find(shell.sup, name) != SUP_NONE && strcmp(name, shell.dropped) != 0;
}

int shell_drop_unit(const char *name, struct fail *f)
{
	_free_
	struct sup_unit_config *config = sup_config_from_set(shell.set);
	size_t n;
	int r;

	shell.dropped = name;
	n = config ? leave_out(config, shell.set->n, is_known) : SIZE_MAX;
	shell.dropped = "";
	if (n == SIZE_MAX)
		return fail_set(f, ENOMEM, "units");
	for (size_t i = 0; i < n; i++)
		config[i].disabled = intent_disabled(config[i].name);
	r = sup_load(shell.sup, config, n, false, f);
	if (r == 0)
		shell_push(&(struct event){.kind = EVENT_NONE, .unit = SUP_NONE});
	return r;
}

bool shell_known(const struct unit *u)
{
	return sup_find(shell.sup, u->name) != SUP_NONE;
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

/* Whether a change is more than the one that was meant. */
static int look_at_change(void *ctx, enum unit_change change, const struct unit *from,
			  const struct unit *to)
{
	struct addition *add = ctx;
	const char *name = (to ? to : from)->name;

	if (change == CHANGE_NONE || !strcmp(name, add->name))
		return 0;
	if (!to && !shell_known(from)) /* it was taken out before */
		return 0;
	if (change == CHANGE_ADDED && strchr(name, '@')) /* an instance that the new unit names */
		return 0;
	return fail_set(add->f, 0, "%s is not as it was read (%s): orlop reload first", name,
			change_names[change]);
}

int shell_add_unit(const char *name, void (*tell)(void *ctx, const struct diag *d), void *ctx,
		   struct fail *f)
{
	struct addition add = {name, f};
	struct unit_set *set = NULL;
	const struct unit *u;
	int r = units_load_dirs(units_dirs, NULL, &set, f);

	if (r < 0)
		return r;
	u = unit_by_name(set, name);
	for (size_t i = 0; u && i < u->n_diags; i++)
		tell(ctx, u->diags[i]);
	if (!u || u->state != UNIT_OK)
		r = fail_set(f, 0, "%s cannot be run", name);
	else
		r = units_diff(shell.set, set, look_at_change, &add);
	if (r == -ENOMEM)
		fail_set(f, ENOMEM, "units");
	if (r == 0)
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
