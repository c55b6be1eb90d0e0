/* SPDX-License-Identifier: Apache-2.0 */
/* How transient units end: what their commands hear, and the steps in which nothing is left of them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "init/addresses.h"
#include "init/aide.h"
#include "init/boot_network.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/intent.h"
#include "init/logs.h"
#include "init/shell.h"
#include "init/text.h"
#include "init/transient_core.h"
#include "init/transient_disk.h"
#include "init/vault.h"
#include "init/verbs.h"

/* As EXIT_NOT_RUN, with docker and podman. */
#define EXIT_NO_PROGRAM  126
#define EXIT_NOT_FOUND   127
#define EXIT_SIGNAL_BASE 128

static struct timer again;

static void go_on(struct timer *t);

void transient_look_soon(void)
{
	vault_touch();
	loop_timer(&again, loop_now(), go_on);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* How a main process ended, as an exit code; or that there was none. */
static int exit_code(const struct sup_unit_info *info, char *text, size_t size)
{
	bool started = info->exited && !(info->error && info->step[0]);

	text[0] = '\0';
	if (started && WIFEXITED(info->wait_status))
		return WEXITSTATUS(info->wait_status);
	if (started)
		return EXIT_SIGNAL_BASE + WTERMSIG(info->wait_status);
	snprintf(text, size, "%s: %s%s%s%s%s", info->name, sup_result_names[info->result],
		 info->step[0] ? " at " : "", info->step, info->text[0] ? ": " : "", info->text);
	if (strcmp(info->step, "exec"))
		return EXIT_NOT_RUN;
	return info->error == ENOENT || info->error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NO_PROGRAM;
}

void transient_answer(uint32_t *token, int code, const char *text)
{
	struct answer a;
	uint32_t unit;
	int ended;

	if (*token && answer_resume(*token, code, &a, &unit, &ended) && ended >= 0)
		answer_end(&a, ended, text && *text ? text : NULL);
	*token = 0;
}

void transient_answer_removed(struct transient *t)
{
	char text[sizeof(t->left) + 64];
	struct answer a;
	uint32_t unit;
	struct line l;
	int ended;

	if (!t->remove_token ||
	    !answer_resume(t->remove_token, t->left[0] ? EXIT_ERROR : EXIT_OK, &a, &unit, &ended))
		return;
	line_begin(&l);
	json_str(&l.j, "unit", t->unit);
	json_str(&l.j, "state", "removed");
	if (t->left[0]) {
		snprintf(text, sizeof(text), "what the disk has of it goes at the next boot: %s",
			 t->left);
		json_str(&l.j, "error", text);
	}
	line_send(&l, &a);
	if (ended >= 0)
		answer_end(&a, ended, NULL);
	t->remove_token = 0;
}

/* --- the way out ------------------------------------------------------------------------------ */

static bool is_down(const char *unit)
{
	struct sup_unit_info info;

	if (!sup_unit_info(shell_sup(), sup_find(shell_sup(), unit), &info))
		return true;
	return (info.state == SUP_DOWN || info.state == SUP_FAILED) && info.want != SUP_WANT_UP &&
	       info.want != SUP_WANT_AGAIN;
}

void transient_leave(struct transient *t)
{
	struct fail f = {0};

	if (t->volumes)
		transient_volumes(t->unit, &t->gone);
	transient_remove_file(t->unit);
	t->phase = LEAVES;
	if (shell_drop_unit(t->unit, &f) < 0)
		console_say("%s: %s: it stays in the list until the next reload", t->unit, f.text);
	if (sup_find(shell_sup(), t->unit) == SUP_NONE || f.code)
		transient_forgotten(t->unit);
}

void transient_forget(const char *unit, const struct names *volumes,
		      void (*over)(void *, const struct errand_end *), void *ctx)
{
	const char *const words[] = {"forget", unit, NULL};

	transient_unmark(unit);
	intent_found(unit, true);
	errand_send(&(struct errand){.words = words,
				     .more = volumes ? (const char *const *)volumes->items : NULL,
				     .over = over,
				     .ctx = ctx});
}

static void left_disk(void *ctx, const struct errand_end *end)
{
	struct transient *t = ctx;

	text_cut(t->left, sizeof(t->left), end->error ? end->error : "");
	if (t->gone.n)
		aide_remove_leftovers();
	t->phase = boot_network_follow(addresses_any(t->unit) ? t->unit : NULL) ? LEAVES_NETWORK
										: GONE;
	transient_look_soon();
}

void transient_forgotten(const char *unit)
{
	struct transient *t = transient_find(unit);
	char service[NAME_MAX + 1];

	if (!t || t->phase != LEAVES)
		return;
	transient_service(unit, service, sizeof(service));
	logs_erase(service);
	t->phase = LEAVES_DISK;
	transient_forget(unit, &t->gone, left_disk, t);
}

/* A unit that is down has no more to say: its command hears how it ended, and if it is to go, it goes. */
static void ended(struct transient *t)
{
	struct sup_unit_info info;

	t->down = false;
	if (!is_down(t->unit))
		return;
	if (sup_unit_info(shell_sup(), sup_find(shell_sup(), t->unit), &info))
		t->code = exit_code(&info, t->text, sizeof(t->text));
	if (!t->remove)
		t->phase = GONE; /* from here: the unit stays */
	else if (sup_shutdown_kind(shell_sup()) == SUP_RUNNING)
		transient_leave(t);
}

static void go_on(struct timer *timer)
{
	struct transient *next;

	(void)timer;
	for (struct transient *t = transient_first(); t; t = next) {
		next = t->next;
		if (t->phase == RUNS && t->down)
			ended(t);
	}
	for (struct transient *t = transient_first(); t; t = next) {
		next = t->next;
		if (t->phase != GONE)
			continue;
		transient_answer(&t->token, t->code, t->text);
		transient_answer_removed(t);
		transient_drop(t);
	}
}

void transient_down(const char *unit)
{
	struct transient *t = transient_find(unit);

	if (!t)
		return;
	t->down = true;
	transient_look_soon(); /* not now: the supervisor is in the middle of a step */
}
