/* SPDX-License-Identifier: Apache-2.0 */
#include "init/transient.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/store.h"
#include "init/boot_network.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/shell.h"
#include "init/transient_core.h"
#include "init/transient_disk.h"
#include "units/load.h"

#define SUFFIX ".container"

static int may_be_made(const char *name, struct fail *f)
{
	const struct unit_set *set = shell_set();
	const struct unit *other;
	size_t n = 0;

	if (!set)
		return fail_set(f, 0, "the host has not read its units yet");
	if (sup_shutdown_kind(shell_sup()) != SUP_RUNNING)
		return fail_set(f, 0, "the host is shutting down");
	if (!store_name_valid(name) || strlen(name) > TRANSIENT_NAME_MAX)
		return fail_set(f, 0, "\"%.100s\" is no name for a unit", name);
	other = unit_find(set, name);
	if (other && shell_known(other))
		return fail_set(f, 0, "there is a unit of that name: %s", other->name);
	for (size_t i = 0; i < set->n; i++)
		n += set->units[i]->kind == UNIT_CONTAINER && transient_is(set->units[i]->name);
	if (n >= LIMIT_TRANSIENT)
		return fail_set(f, 0, "there are %zu units without a file already: orlop rm", n);
	return 0;
}

static void tell_console(void *ctx, const struct errand_end *end)
{
	(void)ctx;
	if (end->error)
		console_say("store: what a command had begun to make goes at the next boot: %s",
			    end->error);
}

/* What failed on the way in leaves nothing. A reload meanwhile may have put it in force: then it goes as any other. */
static void give_up(struct transient *t, const char *why)
{
	transient_answer(&t->token, EXIT_NOT_RUN, why);
	if (sup_find(shell_sup(), t->unit) != SUP_NONE &&
	    sup_shutdown_kind(shell_sup()) == SUP_RUNNING) {
		transient_leave(t);
		return;
	}
	transient_remove_file(t->unit);
	transient_forget(t->unit, NULL, tell_console, NULL);
	errand_again(); /* it may have read the file */
	transient_answer_removed(t);
	transient_drop(t);
}

/* Detached, the supervisor answers when it is up. */
static void start(struct transient *t)
{
	if (t->remove_token) { /* somebody was quicker */
		t->phase = RUNS;
		t->down = true;
		return;
	}
	t->phase = t->detached && !t->remove ? GONE : RUNS;
	shell_push(&(struct event){
		.kind = EVENT_START,
		.unit = sup_find(shell_sup(), t->unit),
		.token = t->detached ? t->token : 0,
	});
	if (t->detached)
		t->token = 0;
}

void transient_network(void)
{
	for (struct transient *t = transient_first(); t; t = t->next)
		if (t->phase == LEAVES_NETWORK)
			t->phase = GONE;
	for (struct transient *t = transient_first(); t; t = t->next)
		if (t->phase == WAITS_FOR_NETWORK)
			start(t);
	if (transient_first())
		transient_look_soon();
}

/* The disk knows of it, and the units were read. */
static void noted(void *ctx, const struct errand_end *end)
{
	struct transient *t = ctx;
	struct answer a = {0};
	struct fail f = {0};

	if (!answer_kept(t->token, &a) && !t->detached)
		give_up(t, NULL); /* whom it was to be run for is not there any more */
	else if (end->error)
		give_up(t, end->error);
	else if (sup_shutdown_kind(shell_sup()) != SUP_RUNNING)
		give_up(t, "the host is shutting down");
	else if (shell_add_unit(t->unit, end->fd, t->tell, a.client ? &a : NULL, &f) < 0)
		give_up(t, f.text);
	else {
		answer_about(t->token, sup_find(shell_sup(), t->unit));
		t->phase = WAITS_FOR_NETWORK;
		if (!boot_network_follow(NULL))
			start(t);
		transient_look_soon();
	}
}

int transient_run(const struct answer *a, const char *name, const char *text,
		  const struct transient_wish *wish, void (*tell)(void *, const struct diag *),
		  struct fail *f)
{
	char unit[TRANSIENT_NAME_MAX + sizeof(SUFFIX)];
	const char *const words[] = {"note", unit, NULL};
	struct transient *t;
	int r = may_be_made(name, f);

	if (r < 0)
		return r;
	snprintf(unit, sizeof(unit), "%s" SUFFIX, name);
	t = transient_find(unit);
	if (t || sup_find(shell_sup(), unit) != SUP_NONE)
		return fail_set(f, 0, "%s is being %s", unit,
				t && t->phase < RUNS ? "made" : "removed");
	t = transient_mark(unit) < 0 ? NULL : transient_add(unit);
	r = t ? transient_write_file(unit, text, f) : fail_set(f, ENOMEM, "%s", unit);
	if (r == 0 && !(t->token = answer_defer(a, SUP_NONE)))
		r = fail_set(f, 0, "too many requests are waiting");
	if (r < 0) {
		transient_unmark(unit);
		transient_remove_file(unit);
		if (t)
			transient_drop(t);
		return r;
	}
	t->phase = WAITS_FOR_DISK;
	t->tell = tell;
	t->remove = wish->remove;
	t->detached = wish->detached;
	t->attach = wish->attach;
	errand_send(&(struct errand){.words = words, .more = units_dirs, .over = noted, .ctx = t});
	return 0;
}

struct transient_attach transient_attached(const char *unit)
{
	struct transient *t = transient_find(unit);
	struct transient_attach attach = {.client = -1};

	if (t && t->phase == RUNS && t->token) {
		attach = t->attach;
		t->attach.client = -1;
	}
	return attach;
}

int transient_remove(const char *unit, uint32_t token, bool volumes, struct fail *f)
{
	struct transient *t = transient_find(unit);

	if (t && (t->phase >= LEAVES || t->remove_token))
		return fail_set(f, 0, "%s is being removed", unit);
	if (!t)
		t = transient_add(unit);
	if (!t)
		return fail_set(f, ENOMEM, "rm");
	t->remove = t->down = true;
	t->volumes |= volumes;
	t->remove_token = token;
	transient_look_soon();
	return 0;
}

void transient_left(uint32_t token)
{
	for (struct transient *t = transient_first(); t; t = t->next) {
		if (t->remove_token == token)
			t->remove_token = 0;
		if (t->token != token)
			continue;
		t->token = 0;
		if (t->detached)
			continue;
		/* whom it was run for is not there any more */
		t->attach.client = -1;
		t->down = true;
		if (t->phase == WAITS_FOR_NETWORK)
			t->phase = RUNS;
		else if (t->phase == RUNS) /* WAITS_FOR_DISK: noted() sees that nobody waits */
			shell_push(&(struct event){.kind = EVENT_STOP,
						   .unit = sup_find(shell_sup(), t->unit)});
		transient_look_soon();
	}
}

/* A start that had no attachment yet has lost it. */
static void resume(struct transient *t)
{
	if (t->phase == WAITS_FOR_NETWORK && !t->detached) {
		t->phase = RUNS;
		snprintf(t->text, sizeof(t->text), "PID 1 was revived meanwhile");
	} else if (t->phase == LEAVES || t->phase == LEAVES_DISK) {
		t->phase = LEAVES;
		if (t->volumes)
			transient_volumes(t->unit, &t->gone);
		transient_forgotten(t->unit);
	}
}

void transient_resume(void)
{
	bool waits = false;
	struct transient *next;

	for (struct transient *t = transient_first(); t; t = next) {
		next = t->next;
		if (t->phase == WAITS_FOR_DISK) {
			give_up(t, "PID 1 was revived meanwhile");
			continue;
		}
		resume(t);
		waits |= t->phase == WAITS_FOR_NETWORK || t->phase == LEAVES_NETWORK;
	}
	if (waits)
		boot_network_again();
	if (transient_first())
		transient_look_soon();
}
