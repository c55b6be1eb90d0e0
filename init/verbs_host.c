/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/version.h"
#include "init/boot_jobs.h"
#include "init/boot_network.h"
#include "init/children.h"
#include "init/errand.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/vault.h"
#include "init/verbs.h"
#include "units/diag.h"
#include "units/diff.h"
#include "units/load.h"

void verb_version(const struct request *r)
{
	struct line l;

	line_begin(&l);
	json_str(&l.j, "version", ORLOP_VERSION);
	line_send(&l, &r->answer);
	answer_end(&r->answer, EXIT_OK, NULL);
}

/* How long the step of the boot sequence took that a stamp ends, in ns; 0 = none. */
static uint64_t took(enum stamp s)
{
	static const struct {
		enum stamp stamp;
		enum boot_step step;
	} rows[] = {
		{STAMP_DISK, BOOT_DISK},
		{STAMP_UNITS, BOOT_STORE},
		{STAMP_IMAGES, BOOT_IMAGES},
		{STAMP_NETWORK, BOOT_NETWORK},
	};
	const struct bootseq *seq = boot_jobs_seq();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].stamp == s && seq->over[rows[i].step])
			return seq->over[rows[i].step] - seq->begun[rows[i].step];
	if (s == STAMP_ROOT || s == STAMP_MODULES)
		return stamp_of(s) - stamp_of(s - 1);
	return 0;
}

void verb_boot(const struct request *r)
{
	for (enum stamp s = 0; s < STAMP__N; s++) {
		struct line l;

		if (!stamp_of(s))
			continue;
		line_begin(&l);
		json_str(&l.j, "phase", stamp_names[s]);
		json_int(&l.j, "usec", (int64_t)(stamp_of(s) / 1000));
		if (took(s))
			json_int(&l.j, "took_usec", (int64_t)(took(s) / 1000));
		line_send(&l, &r->answer);
	}
	answer_end(&r->answer, EXIT_OK, NULL);
}

/* How far the boot has got, as one word. */
static const char *host_state(void)
{
	if (sup_shutdown_kind(shell_sup()) != SUP_RUNNING)
		return sup_shutdown_names[sup_shutdown_kind(shell_sup())];
	return bootseq_finished(boot_jobs_seq()) ? "running" : "booting";
}

static void add_steps(struct json_out *j)
{
	const struct bootseq *seq = boot_jobs_seq();

	for (int step = 0; step < BOOT_STEP__N; step++)
		if (seq->outcome[step] == BOOT_FAILED || seq->outcome[step] == BOOT_LATE ||
		    seq->outcome[step] == BOOT_RUNS)
			json_str(j, boot_step_names[step], boot_outcome_names[seq->outcome[step]]);
}

/* Resident set of PID 1 in bytes. */
static int64_t own_rss(void)
{
	_free_
	char *text = NULL;
	long long size = 0, rss = 0;
	size_t len;

	if (io_read_file(AT_FDCWD, "/proc/self/statm", 256, &text, &len, NULL) < 0 ||
	    sscanf(text, "%lld %lld", &size, &rss) != 2)
		return 0;
	return rss * sysconf(_SC_PAGESIZE);
}

void host_status(const struct answer *a)
{
	unsigned counts[SUP_STATE__N] = {0};
	char name[65] = "";
	struct line l;

	for (uint32_t id = 0; id < sup_count(shell_sup()); id++) {
		struct sup_unit_info info;

		if (sup_unit_info(shell_sup(), id, &info))
			counts[info.state]++;
	}
	gethostname(name, sizeof(name) - 1);
	line_begin(&l);
	json_str(&l.j, "state", host_state());
	json_str(&l.j, "hostname", name);
	json_str(&l.j, "version", ORLOP_VERSION);
	json_int(&l.j, "since_usec", wall_usec(0));
	if (boot_disk_text()[0])
		json_str(&l.j, "disk", boot_disk_text());
	if (stamp_of(STAMP_BOOTED))
		json_int(&l.j, "boot_usec", (int64_t)(stamp_of(STAMP_BOOTED) / 1000));
	add_steps(&l.j);
	for (int state = 0; state < SUP_STATE__N; state++)
		if (counts[state]) {
			char key[32];

			snprintf(key, sizeof(key), "units %s", sup_state_names[state]);
			json_int(&l.j, key, counts[state]);
		}
	json_int(&l.j, "rss_bytes", own_rss());
	if (vault_head())
		json_int(&l.j, "revivals", vault_head()->generation);
	json_int(&l.j, "orphans", (int64_t)children_orphans());
	line_send(&l, a);
}

void verb_events(const struct request *r)
{
	r->answer.client->events = true;
	r->answer.client->events_id = r->answer.id;
	vault_touch();
}

void verb_power(const struct request *r)
{
	static const struct {
		const char *verb;
		enum sup_shutdown kind;
	} rows[] = {{"poweroff", SUP_POWEROFF}, {"reboot", SUP_REBOOT}, {"halt", SUP_HALT}};
	bool force = r->argc > 1 && !strcmp(r->argv[1], "-f");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].verb, r->argv[0]))
			shell_push(&(struct event){.kind = EVENT_SHUTDOWN,
						   .unit = SUP_NONE,
						   .code = rows[i].kind,
						   .flag = force});
	/* at once: when it is done there is nobody left to say so */
	answer_end(&r->answer, EXIT_OK, NULL);
}

static void tell_problem(void *ctx, const struct diag *d)
{
	char text[600];
	struct line l;

	shell_diag_line(d, text, sizeof(text));
	line_begin(&l);
	json_str(&l.j, "error", text);
	line_send(&l, ctx);
}

/* One line for each unit that a reload would change. What was taken out of force before (orlop rm) is in the set of now
 * and no change any more; under that name there may be something new. */
static int answer_change(void *ctx, enum unit_change change, const struct unit *from,
			 const struct unit *to)
{
	const struct answer *a = ctx;
	struct line l;

	if (from && !shell_known(from)) {
		if (!to)
			return 0;
		change = CHANGE_ADDED;
	}
	if (change == CHANGE_NONE)
		return 0;
	line_begin(&l);
	json_str(&l.j, "unit", (to ? to : from)->name);
	json_str(&l.j, "change", change_names[change]);
	json_str(&l.j, "text", change_texts[change]);
	line_send(&l, a);
	return 0;
}

/* Says what the files would mean; nothing is kept. */
static void dry_run(struct answer a, int packed)
{
	struct unit_set *set = NULL;
	struct fail f = {0};
	struct line l;
	int e = shell_read_units(packed, &set, &f);

	if (e == 0 && shell_set())
		e = units_diff(shell_set(), set, answer_change, &a);
	if (e < 0) {
		answer_end(&a, EXIT_ERROR, *f.text ? f.text : strerror(-e));
		unit_set_free(set);
		return;
	}
	for (size_t i = 0; i < set->n_diags; i++)
		if (set->diags[i]->severity == DIAG_ERROR)
			tell_problem(&a, set->diags[i]);
	line_begin(&l);
	json_int(&l.j, "units", (int64_t)set->n);
	json_int(&l.j, "errors", (int64_t)set->n_errors);
	json_str(&l.j, "text",
		 set->n_errors ? "the unit files have mistakes: a reload would change nothing"
			       : "a reload would do this; nothing has changed");
	line_send(&l, &a);
	answer_end(&a, set->n_errors ? EXIT_ERROR : EXIT_OK, NULL);
	unit_set_free(set);
}

static void reload(struct answer a, int packed)
{
	struct shell_load load = {.strict = true, .tell = tell_problem, .ctx = &a};
	struct fail f = {0};
	char text[64];
	struct line l;

	if (sup_shutdown_kind(shell_sup()) != SUP_RUNNING) {
		answer_end(&a, EXIT_REFUSED, "the host is shutting down");
		return;
	}
	if (shell_load_units(&load, packed, &f) < 0) {
		answer_end(&a, EXIT_ERROR, f.text);
		return;
	}
	boot_network_again();
	snprintf(text, sizeof(text), "%zu units are in force", shell_set()->n);
	line_begin(&l);
	json_str(&l.j, "text", text);
	line_send(&l, &a);
	answer_end(&a, EXIT_OK, NULL);
}

struct reload {
	uint32_t token;
	bool dry;
};

/* Who has left meanwhile has taken it back. */
static void files_read(void *ctx, const struct errand_end *end)
{
	struct reload *what = ctx;
	struct answer a;
	uint32_t unit;
	int ended;
	bool waits = answer_resume(what->token, EXIT_OK, &a, &unit, &ended);

	if (waits && end->error)
		answer_end(&a, EXIT_ERROR, end->error);
	else if (waits && what->dry)
		dry_run(a, end->fd);
	else if (waits)
		reload(a, end->fd);
	free(what);
}

static void read_files(const struct request *r, bool dry)
{
	static const char *const words[] = {"units", NULL};
	struct reload *what = malloc(sizeof(*what));
	uint32_t token = what ? answer_defer(&r->answer, SUP_NONE) : 0;

	if (!token) {
		answer_end(&r->answer, EXIT_ERROR, "too many requests are waiting");
		free(what);
		return;
	}
	*what = (struct reload){token, dry};
	errand_send(&(struct errand){.words = words,
				     .more = units_dirs,
				     .over = files_read,
				     .ctx = what,
				     .token = token});
}

void verb_reload(const struct request *r)
{
	if (r->argc > 1 && !strcmp(r->argv[1], "--dry-run"))
		read_files(r, true);
	else if (r->argc > 1) /* units, by their own ExecReload= and its kin */
		verb_change(r);
	else if (sup_shutdown_kind(shell_sup()) != SUP_RUNNING)
		answer_end(&r->answer, EXIT_REFUSED, "the host is shutting down");
	else
		read_files(r, false);
}
