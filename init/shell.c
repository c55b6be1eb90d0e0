/* SPDX-License-Identifier: Apache-2.0 */
#include "init/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/exec.h"
#include "init/intent.h"
#include "init/loop.h"
#include "init/names.h"
#include "init/packed.h"
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
	struct names dropped; /* taken out of force, and still in the set */
	int packed;           /* what the set was read from */
} shell = {.packed = -1};

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

static bool is_kept(const char *name)
{
	return !names_has(&shell.dropped, name);
}

/* The supervisor gets the units of the set that were not dropped. */
static int load_supervisor(const struct unit_set *set, struct fail *f)
{
	_free_
	struct sup_unit_config *config = sup_config_from_set(set);
	size_t n = config ? leave_out(config, set->n, is_kept) : SIZE_MAX;
	int r;

	if (n == SIZE_MAX)
		return fail_set(f, ENOMEM, "units");
	for (size_t i = 0; i < n; i++)
		config[i].disabled = intent_disabled(config[i].name);
	r = sup_load(shell.sup, config, n, false, f);
	if (r == 0)
		shell_push(&(struct event){.kind = EVENT_NONE, .unit = SUP_NONE});
	return r;
}

int shell_drop_unit(const char *name, struct fail *f)
{
	int r;

	if (names_add(&shell.dropped, name) < 0)
		return fail_set(f, ENOMEM, "units");
	r = load_supervisor(shell.set, f);
	if (r < 0)
		names_remove(&shell.dropped, name);
	errand_again(); /* it may have read the file that has gone with the unit */
	vault_touch();
	return r;
}

bool shell_known(const struct unit *u)
{
	return sup_find(shell.sup, u->name) != SUP_NONE;
}

/* packed: kept as a copy. */
static int put_in_force(struct unit_set *set, int packed, struct fail *f)
{
	struct names dropped = shell.dropped;
	int copy = fcntl(packed, F_DUPFD_CLOEXEC, 3), r;

	if (copy < 0)
		return fail_set(f, errno, "units");
	shell.dropped = (struct names){0}; /* of the set before */
	r = load_supervisor(set, f);
	if (r < 0) {
		shell.dropped = dropped;
		close(copy);
		return r;
	}
	names_clear(&dropped);
	if (shell.packed >= 0)
		vault_close(shell.packed);
	shell.packed = copy;
	unit_set_free(shell.set);
	shell.set = set;
	malloc_trim(0); /* what reading took, which is more than what is kept */
	vault_touch();
	return 0;
}

int shell_packed(void)
{
	return shell.packed;
}

int shell_read_units(int packed, struct unit_set **ret, struct fail *f)
{
	struct packed p;
	int r = packed_open(&p, packed, f);

	if (r == 0)
		r = units_load_packed(p.units, p.units_len, ret, f);
	packed_close(&p);
	return r;
}

int shell_load_units(struct shell_load *load, int packed, struct fail *f)
{
	struct unit_set *set = NULL;
	int r = shell_read_units(packed, &set, f);

	if (r < 0)
		return r;
	load->errors = set->n_errors;
	for (size_t i = 0; i < set->n_diags && load->tell; i++)
		load->tell(load->ctx, set->diags[i]);
	if (load->strict && set->n_errors)
		r = fail_set(f, EINVAL, "%zu mistakes in the unit files: nothing has changed",
			     set->n_errors);
	else
		r = put_in_force(set, packed, f);
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

int shell_add_unit(const char *name, int packed, void (*tell)(void *ctx, const struct diag *d),
		   void *ctx, struct fail *f)
{
	struct addition add = {name, f};
	struct unit_set *set = NULL;
	const struct unit *u;
	int r = shell_read_units(packed, &set, f);

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
		r = put_in_force(set, packed, f);
	if (r < 0)
		unit_set_free(set);
	return r;
}

void shell_save(struct vault_writer *w)
{
	_buf_ struct buf core = {0};

	for (size_t i = 0; i < shell.dropped.n; i++) {
		vault_word(w, "dropped");
		vault_word(w, shell.dropped.items[i]);
	}
	vault_word(w, "units");
	vault_fd(w, shell.packed);
	sup_encode(shell.sup, &core);
	vault_word(w, "core");
	vault_number(w, (int64_t)core.len);
	buf_add(&w->words, core.data, core.len);
	w->bad |= core.bad;
}

int shell_restore_dropped(char *const *args, struct fail *f)
{
	return names_add(&shell.dropped, args[0]) < 0 ? fail_set(f, ENOMEM, "units") : 0;
}

/* The units of before, whatever their files say by now. */
int shell_restore_units(char *const *args, struct fail *f)
{
	int packed = atoi(args[0]), r;

	if (packed < 0)
		return 0;
	r = shell_read_units(packed, &shell.set, f);
	if (r == 0)
		r = load_supervisor(shell.set, f);
	shell.packed = packed;
	malloc_trim(0);
	return r;
}

int shell_restore_core(const char *words, size_t len, struct fail *f)
{
	return sup_decode(shell.sup, words, len, f);
}
