/* SPDX-License-Identifier: Apache-2.0 */
/* run and rm: units that a command makes, and their end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/transient.h"
#include "init/verbs.h"
#include "units/diag.h"

static void tell(void *ctx, const struct diag *d)
{
	char text[600];
	struct line l;

	if (!ctx) /* nobody is there to hear it */
		return;
	shell_diag_line(d, text, sizeof(text));
	line_begin(&l);
	json_str(&l.j, d->severity == DIAG_ERROR ? "problem" : "warning", text);
	line_send(&l, ctx);
}

/* run NAME TEXT [--rm] [-d] [-i] [-t -S SIZE] */
static bool read_wish(const struct request *r, struct transient_wish *wish)
{
	for (size_t i = 3; i < r->argc; i++) {
		const char *word = r->argv[i];

		if (!strcmp(word, "--rm"))
			wish->remove = true;
		else if (!strcmp(word, "-d"))
			wish->detached = true;
		else if (!strcmp(word, "-i"))
			wish->attach.input = true;
		else if (!strcmp(word, "-t"))
			wish->attach.tty = true;
		else if (!strcmp(word, "-S") && i + 1 < r->argc)
			snprintf(wish->attach.size, sizeof(wish->attach.size), "%s", r->argv[++i]);
		else
			return false;
	}
	return true;
}

#define EXIT_NOT_RUN 125 /* as docker and podman */

void verb_run_unit(const struct request *r)
{
	struct transient_wish wish = {
		.attach = {.client = r->answer.client->fd, .id = r->answer.id}};
	struct fail f = {0};

	if (!read_wish(r, &wish))
		answer_end(&r->answer, EXIT_BAD_USAGE, "run NAME TEXT OPTION...");
	else if (strlen(r->argv[2]) > LIMIT_TRANSIENT_TEXT)
		answer_end(&r->answer, EXIT_NOT_RUN, "that is too much for one unit");
	else if (r->answer.client->stream && !wish.detached)
		answer_end(
			&r->answer, EXIT_REFUSED,
			"run without -d needs a shell on the host: a port cannot carry its input and output");
	else if (transient_run(&r->answer, r->argv[1], r->argv[2], &wish, tell, &f) < 0)
		answer_end(&r->answer, EXIT_NOT_RUN, f.text);
}

/* Why a unit is not to be removed; NULL: it is. */
static const char *refusal(const struct unit *u, const char *name, bool force, char *text,
			   size_t size, int *ret_code)
{
	struct sup_unit_info info;
	uint32_t id = shell_find(name);

	*ret_code = EXIT_NO_SUCH_UNIT;
	if (!u || !sup_unit_info(shell_sup(), id, &info)) {
		snprintf(text, size, "there is no unit \"%.200s\"", name);
		return text;
	}
	*ret_code = EXIT_REFUSED;
	if (!transient_is(u->name)) {
		snprintf(text, size, "%.200s was not made by orlop run: %s%.300s%s", u->name,
			 u->n_sources ? "remove " : "it is the host's own",
			 u->n_sources ? u->sources[0] : "",
			 u->n_sources ? ", then orlop reload" : "");
		return text;
	}
	if (!force && info.state != SUP_DOWN && info.state != SUP_FAILED) {
		snprintf(text, size, "%.200s runs: orlop stop it first, or rm -f", u->name);
		return text;
	}
	return NULL;
}

static bool read_rm(const struct request *r, size_t *first, bool *force, bool *volumes)
{
	for (*first = 1; *first < r->argc && r->argv[*first][0] == '-'; ++*first)
		if (!strcmp(r->argv[*first], "-f"))
			*force = true;
		else if (!strcmp(r->argv[*first], "-v"))
			*volumes = true;
		else
			return false;
	return *first < r->argc;
}

static const struct unit *unit_of(const char *name)
{
	uint32_t id = shell_find(name);

	return id == SUP_NONE ? NULL : shell_unit(id);
}

static int remove_unit(const struct request *r, const struct unit *u, bool volumes, struct fail *f)
{
	uint32_t id = shell_find(u->name), token = answer_defer(&r->answer, id);
	int e;

	if (!token)
		return fail_set(f, 0, "too many requests are waiting");
	e = transient_remove(u->name, token, volumes, f);
	if (e == 0)
		shell_push(&(struct event){.kind = EVENT_STOP, .unit = id});
	return e;
}

/* All may be removed, or nothing is done. */
void verb_rm(const struct request *r)
{
	bool force = false, volumes = false;
	char text[700];
	size_t first;
	int code;

	if (!read_rm(r, &first, &force, &volumes)) {
		answer_end(&r->answer, EXIT_BAD_USAGE, "rm [-f] [-v] UNIT...");
		return;
	}
	for (size_t i = first; i < r->argc; i++)
		if (refusal(unit_of(r->argv[i]), r->argv[i], force, text, sizeof(text), &code)) {
			answer_end(&r->answer, code, text);
			return;
		}
	for (size_t i = first; i < r->argc; i++) {
		struct fail f = {0};

		if (remove_unit(r, unit_of(r->argv[i]), volumes, &f) == 0)
			continue;
		answer_end(&r->answer, EXIT_ERROR, f.text);
		return;
	}
}
