/* SPDX-License-Identifier: Apache-2.0 */
#include "init/transient.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/store.h"
#include "init/addresses.h"
#include "init/aide.h"
#include "init/boot_network.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/intent.h"
#include "init/logs.h"
#include "init/names.h"
#include "init/shell.h"
#include "init/text.h"
#include "init/transient_disk.h"
#include "init/vault.h"
#include "init/verbs.h"
#include "units/load.h"

#define SUFFIX ".container"

/* What a command gets whose container could not be run, as with docker and podman. */
#define EXIT_NOT_RUN     125
#define EXIT_NO_PROGRAM  126
#define EXIT_NOT_FOUND   127
#define EXIT_SIGNAL_BASE 128

enum phase {
	WAITS_FOR_DISK,    /* it is noted there, the units are read */
	WAITS_FOR_NETWORK, /* in force, its address is being made */
	RUNS,              /* was started, or is as it is: nothing is to be done until it is down */
	LEAVES,            /* the supervisor is to forget it */
	LEAVES_DISK,       /* what it has there is being removed */
	LEAVES_NETWORK,    /* its address is being given up */
	GONE,
};

struct transient {
	struct transient *next;
	enum phase phase;
	bool remove, volumes, detached;
	bool down;             /* to be looked at */
	uint32_t token;        /* of the command that made it; 0 = has its answer */
	uint32_t remove_token; /* of who wants it removed */
	void (*tell)(void *, const struct diag *);
	struct transient_attach attach;
	struct names gone; /* named volumes that go with it */
	int code;          /* how it ended, for the command */
	char text[400];
	char left[160]; /* why the disk still has something of it */
	char unit[];
};

static struct transient *list;
static struct names made; /* of which the disk has a note */
static struct timer again;

static void go_on(struct timer *t);

static void look_soon(void)
{
	vault_touch();
	loop_timer(&again, loop_now(), go_on);
}

static struct transient *find(const char *unit)
{
	struct transient *t = list;

	while (t && strcmp(t->unit, unit) != 0)
		t = t->next;
	return t;
}

static struct transient *add(const char *unit)
{
	size_t len = strlen(unit) + 1;
	struct transient *t = calloc(1, sizeof(*t) + len);

	if (!t)
		return NULL;
	memcpy(t->unit, unit, len);
	t->phase = RUNS;
	t->attach.client = -1;
	t->next = list;
	list = t;
	return t;
}

static void drop(struct transient *t)
{
	struct transient **link = &list;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	names_clear(&t->gone);
	free(t);
	vault_touch();
}

bool transient_is(const char *unit)
{
	return names_has(&made, unit);
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

/* The last line of the answer that the token stands for. */
static void answer(uint32_t *token, int code, const char *text)
{
	struct answer a;
	uint32_t unit;
	int ended;

	if (*token && answer_resume(*token, code, &a, &unit, &ended) && ended >= 0)
		answer_end(&a, ended, text && *text ? text : NULL);
	*token = 0;
}

/* "web.container: removed", and the rest if it was the last of several. */
static void answer_removed(struct transient *t)
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

static void leave(struct transient *t)
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

/* Nothing of it is known from here on, and then nothing of it is on the disk. */
static void forget(const char *unit, const struct names *volumes,
		   void (*over)(void *, const struct errand_end *), void *ctx)
{
	const char *words[3 + 64] = {"forget", unit};

	names_remove(&made, unit);
	intent_found(unit, true);
	for (size_t i = 0; volumes && i < volumes->n && i + 3 < ARRAY_LEN(words); i++)
		words[2 + i] = volumes->items[i];
	errand_send(&(struct errand){.words = words, .over = over, .ctx = ctx});
}

static void left_disk(void *ctx, const struct errand_end *end)
{
	struct transient *t = ctx;

	text_cut(t->left, sizeof(t->left), end->error ? end->error : "");
	if (t->gone.n)
		aide_remove_leftovers();
	t->phase = boot_network_follow(addresses_any(t->unit) ? t->unit : NULL) ? LEAVES_NETWORK
										: GONE;
	look_soon();
}

void transient_forgotten(const char *unit)
{
	struct transient *t = find(unit);
	char service[NAME_MAX + 1];

	if (!t || t->phase != LEAVES)
		return;
	transient_service(unit, service, sizeof(service));
	logs_erase(service);
	t->phase = LEAVES_DISK;
	forget(unit, &t->gone, left_disk, t);
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
	for (struct transient *t = list; t; t = t->next)
		if (t->phase == LEAVES_NETWORK)
			t->phase = GONE;
	for (struct transient *t = list; t; t = t->next)
		if (t->phase == WAITS_FOR_NETWORK)
			start(t);
	if (list)
		look_soon();
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
		leave(t);
}

static void go_on(struct timer *timer)
{
	struct transient *next;

	(void)timer;
	for (struct transient *t = list; t; t = next) {
		next = t->next;
		if (t->phase == RUNS && t->down)
			ended(t);
	}
	for (struct transient *t = list; t; t = next) {
		next = t->next;
		if (t->phase != GONE)
			continue;
		answer(&t->token, t->code, t->text);
		answer_removed(t);
		drop(t);
	}
}

void transient_down(const char *unit)
{
	struct transient *t = find(unit);

	if (!t)
		return;
	t->down = true;
	look_soon(); /* not now: the supervisor is in the middle of a step */
}

/* --- the way in ------------------------------------------------------------------------------- */

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
	answer(&t->token, EXIT_NOT_RUN, why);
	if (sup_find(shell_sup(), t->unit) != SUP_NONE &&
	    sup_shutdown_kind(shell_sup()) == SUP_RUNNING) {
		leave(t);
		return;
	}
	transient_remove_file(t->unit);
	forget(t->unit, NULL, tell_console, NULL);
	errand_again(); /* it may have read the file */
	answer_removed(t);
	drop(t);
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
		look_soon();
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
	t = find(unit);
	if (t || sup_find(shell_sup(), unit) != SUP_NONE)
		return fail_set(f, 0, "%s is being %s", unit,
				t && t->phase < RUNS ? "made" : "removed");
	t = names_add(&made, unit) < 0 ? NULL : add(unit);
	r = t ? transient_write_file(unit, text, f) : fail_set(f, ENOMEM, "%s", unit);
	if (r == 0 && !(t->token = answer_defer(a, SUP_NONE)))
		r = fail_set(f, 0, "too many requests are waiting");
	if (r < 0) {
		names_remove(&made, unit);
		transient_remove_file(unit);
		if (t)
			drop(t);
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
	struct transient *t = find(unit);
	struct transient_attach attach = {.client = -1};

	if (t && t->phase == RUNS && t->token) {
		attach = t->attach;
		t->attach.client = -1;
	}
	return attach;
}

int transient_remove(const char *unit, uint32_t token, bool volumes, struct fail *f)
{
	struct transient *t = find(unit);

	if (t && (t->phase >= LEAVES || t->remove_token))
		return fail_set(f, 0, "%s is being removed", unit);
	if (!t)
		t = add(unit);
	if (!t)
		return fail_set(f, ENOMEM, "rm");
	t->remove = t->down = true;
	t->volumes |= volumes;
	t->remove_token = token;
	look_soon();
	return 0;
}

void transient_left(uint32_t token)
{
	for (struct transient *t = list; t; t = t->next) {
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
		look_soon();
	}
}

/* --- revival ---------------------------------------------------------------------------------- */

enum { SAVED_REMOVE = 1, SAVED_VOLUMES = 2, SAVED_DETACHED = 4 };

void transient_save(struct vault_writer *w)
{
	for (size_t i = 0; i < made.n; i++) {
		vault_word(w, "made");
		vault_word(w, made.items[i]);
	}
	for (const struct transient *t = list; t; t = t->next) {
		vault_word(w, "transient");
		vault_word(w, t->unit);
		vault_number(w, t->phase);
		vault_number(w, (t->remove ? SAVED_REMOVE : 0) | (t->volumes ? SAVED_VOLUMES : 0) |
					(t->detached ? SAVED_DETACHED : 0));
		vault_number(w, t->token);
		vault_number(w, t->remove_token);
		vault_number(w, t->code);
		vault_word(w, t->text);
	}
}

int transient_restore_made(char *const *args, struct fail *f)
{
	return names_add(&made, args[0]) < 0 ? fail_set(f, ENOMEM, "%s", args[0]) : 0;
}

int transient_restore(char *const *args, struct fail *f)
{
	struct transient *t = add(args[0]);
	int flags = atoi(args[2]);

	if (!t)
		return fail_set(f, ENOMEM, "%s", args[0]);
	t->phase = (enum phase)atoi(args[1]);
	t->remove = flags & SAVED_REMOVE;
	t->volumes = flags & SAVED_VOLUMES;
	t->detached = flags & SAVED_DETACHED;
	t->token = (uint32_t)strtoul(args[3], NULL, 10);
	t->remove_token = (uint32_t)strtoul(args[4], NULL, 10);
	t->code = atoi(args[5]);
	snprintf(t->text, sizeof(t->text), "%s", args[6]);
	t->down = true;
	return 0;
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

	for (struct transient *t = list; t; t = next) {
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
	if (list)
		look_soon();
}
