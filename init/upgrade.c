/* SPDX-License-Identifier: Apache-2.0 */
#include "init/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/version.h"
#include "init/aide.h"
#include "init/console.h"
#include "init/crash.h"
#include "init/poweroff.h"
#include "init/revive.h"
#include "init/shell.h"
#include "init/task.h"
#include "init/text.h"
#include "init/vault.h"
#include "init/verbs.h"

#define COPY_TIME  (60 * NSEC_PER_SEC)
#define TRY_TIME   (20 * NSEC_PER_SEC)
#define REVIVE_MAX 4u

/* What the new program leaves in the snapshot: that it ended well is what /bin/true does, too. */
#define TRIED 0x7469ed01u

static struct {
	struct task task;
	uint32_t token; /* who waits for it; 0: no upgrade is under way */
	int state;      /* the snapshot that it tries itself on */
	bool ready;     /* to be executed at the end of this pass */
	char file[VAULT_PATH_MAX], copy[VAULT_PATH_MAX];
} upgrade = {.state = -1};

/* After this the next one may begin. */
static void answer(int code, const char *text)
{
	uint32_t token = upgrade.token;

	upgrade.token = 0;
	upgrade.ready = false;
	vault_touch();
	console_say("upgrade: %s", text);
	verb_reply(token, code, text);
}

static void refuse(const struct task *t, enum task_end end, const char *what)
{
	char text[400];

	snprintf(text, sizeof(text), "%s%s%.*s; nothing has changed", what,
		 end == TASK_LATE ? ": not done in time"
		 : t->said        ? ": "
				  : "",
		 end == TASK_LATE ? 0 : (int)t->said, t->line);
	answer(EXIT_ERROR, text);
}

static void tried(struct task *t, enum task_end end)
{
	uint32_t mark = 0;
	ssize_t n = pread(upgrade.state, &mark, sizeof(mark), offsetof(struct vault_head, trial));

	close(upgrade.state);
	upgrade.state = -1;
	if (end != TASK_OK)
		refuse(t, end, "the new program cannot go on from here");
	else if (n != (ssize_t)sizeof(mark) || mark != TRIED)
		refuse(t, end, "this is no orlop-init");
	else
		upgrade.ready = true;
}

static void copied(struct task *t, enum task_end end)
{
	const char *argv[] = {upgrade.copy, "--try", "3", NULL};
	int fds[] = {-1, shell_packed()}; /* REVIVE_TRY_UNITS */
	struct fail f = {0};

	if (end != TASK_OK) {
		refuse(t, end, "the file cannot be copied");
		return;
	}
	fds[0] = upgrade.state = vault_snapshot(&f);
	if (upgrade.state >= 0 &&
	    task_start(&upgrade.task, "upgrade", argv, fds, 2, TRY_TIME, tried, &f) == 0)
		return;
	if (upgrade.state >= 0)
		close(upgrade.state);
	upgrade.state = -1;
	answer(EXIT_ERROR, f.text);
}

void verb_upgrade(const struct request *r)
{
	const char *argv[] = {PATH_INIT, "--aide", "copy", upgrade.file, upgrade.copy, NULL};
	struct fail f = {0};

	if (upgrade.token || !vault_head() || sup_shutdown_kind(shell_sup()) != SUP_RUNNING) {
		answer_end(&r->answer, EXIT_REFUSED,
			   upgrade.token ? "an upgrade is under way" : "not now");
		return;
	}
	if (r->argv[1][0] != '/' || strlen(r->argv[1]) >= sizeof(upgrade.file)) {
		answer_end(&r->answer, EXIT_BAD_USAGE, "upgrade-init: FILE is an absolute path");
		return;
	}
	upgrade.token = answer_defer(&r->answer, SUP_NONE);
	if (!upgrade.token) {
		answer_end(&r->answer, EXIT_ERROR, "too many requests are waiting");
		return;
	}
	text_cut(upgrade.file, sizeof(upgrade.file), r->argv[1]);
	/* its name stays orlop-init, which is what ps shows */
	snprintf(upgrade.copy, sizeof(upgrade.copy), PATH_RUNDIR "/init.%u/orlop-init",
		 vault_head()->generation + 1);
	if (task_start(&upgrade.task, "upgrade", argv, NULL, 0, COPY_TIME, copied, &f) < 0)
		answer(EXIT_ERROR, f.text);
}

static void execute(struct vault_head *head)
{
	char text[200];
	int r;

	console_say("upgrade: %s becomes PID 1", upgrade.file);
	text_cut(head->candidate, sizeof(head->candidate), upgrade.copy);
	head->trial = VAULT_TRIAL_BEGUN;
	r = crash_exec(head->candidate);
	head->trial = VAULT_NO_TRIAL;
	snprintf(text, sizeof(text), "%s: %s; nothing has changed", upgrade.file, strerror(-r));
	answer(EXIT_ERROR, text);
}

void upgrade_pass(void)
{
	struct vault_head *head = vault_head();
	unsigned trial = head ? head->trial : VAULT_NO_TRIAL;
	char text[300];

	if (!head)
		return;
	head->attempts = 0;
	if (trial == VAULT_TRIAL_BEGUN) {
		memcpy(head->program, head->candidate, sizeof(head->program));
		head->trial = VAULT_NO_TRIAL;
		answer(EXIT_OK, "orlop-init " ORLOP_VERSION " is PID 1 now");
	} else if (trial == VAULT_TRIAL_FAILED) {
		head->trial = VAULT_NO_TRIAL;
		snprintf(text, sizeof(text), "the new program failed (%.200s); the old one goes on",
			 head->reason);
		answer(EXIT_ERROR, text);
	} else if (upgrade.ready) {
		execute(head);
	}
}

void upgrade_failed(const struct fail *f)
{
	struct vault_head *head = vault_head();

	console_say("revive: %s", f->text);
	if (head && head->trial == VAULT_TRIAL_BEGUN) {
		head->trial = VAULT_TRIAL_FAILED;
		text_cut(head->reason, sizeof(head->reason), f->text);
	} else if (!head || head->attempts >= REVIVE_MAX) {
		poweroff_emergency(f->text);
	}
	crash_exec(NULL);
	poweroff_emergency(f->text);
}

int upgrade_try(int fd)
{
	struct fail f = {0};

	if (vault_open(fd, &f) == 0 && shell_init(&f) == 0 && revive_try(&f) == 0) {
		vault_head()->trial = TRIED;
		return 0;
	}
	fprintf(stderr, "%s\n", f.text);
	return 1;
}

void upgrade_save(struct vault_writer *w)
{
	if (!upgrade.token)
		return;
	vault_word(w, "upgrade");
	vault_number(w, upgrade.token);
}

/* Its children, if they still ran when PID 1 crashed, are nobody's now. */
int upgrade_restore(char *const *args, struct fail *f)
{
	struct vault_head *head = vault_head();

	(void)f;
	upgrade.token = (uint32_t)strtoul(args[0], NULL, 10);
	if (head->trial == VAULT_NO_TRIAL) {
		text_cut(head->reason, sizeof(head->reason), "PID 1 crashed meanwhile");
		head->trial = VAULT_TRIAL_FAILED;
	}
	return 0;
}
