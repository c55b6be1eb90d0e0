/* SPDX-License-Identifier: Apache-2.0 */
#include "init/revive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/words.h"
#include "init/boot.h"
#include "init/boot_jobs.h"
#include "init/children.h"
#include "init/client.h"
#include "init/console.h"
#include "init/control.h"
#include "init/errand.h"
#include "init/intent.h"
#include "init/logs.h"
#include "init/notify.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/stamps.h"
#include "init/transient.h"
#include "init/upgrade.h"
#include "init/verbs.h"

#define ARGS_MAX 24

void revive_write(struct vault_writer *w)
{
	console_save(w);
	intent_write(w); /* the units ask for it */
	shell_save(w);   /* the units: the others find theirs by them */
	run_save(w);
	logs_save(w);
	control_save(w);
	transient_save(w);
	errand_save(w);
	verbs_save_relays(w);
	notify_save(w);
	boot_save(w);
	stamps_save(w);
	upgrade_save(w);
}

/* Of a program that only tries whether it could go on, beside the core itself. */
static int try_units(char *const *args, struct fail *f)
{
	char *here[] = {(char *)REVIVE_TRY_UNITS};

	return shell_restore_units(strcmp(args[0], "-1") != 0 ? here : args, f);
}

static const struct {
	const char *key;
	size_t n;
	int (*read)(char *const *args, struct fail *f);
} rows[] = {
	{"console", 1, console_restore},
	{"disabled", 1, intent_restore},
	{"dropped", 1, shell_restore_dropped},
	{"units", 1, shell_restore_units},
	{"run", RUN_WORDS, run_restore},
	{"log-pipe", 3, logs_restore_pipe},
	{"log-child", 3, logs_restore_child},
	{"control", 1, control_restore},
	{"client", CLIENT_WORDS, control_restore_client},
	{"port", CLIENT_WORDS, control_restore_port},
	{"deferred", DEFERRED_WORDS, client_restore_deferred},
	{"token", 1, client_restore_token},
	{"errand", 1, errand_restore},
	{"made", 1, transient_restore_made},
	{"transient", TRANSIENT_WORDS, transient_restore},
	{"relay", 2, verbs_restore_relay},
	{"upgrade", 1, upgrade_restore},
	{"notify", 1, notify_restore},
	{"boot", BOOT_STEP__N + 3, boot_restore},
	{"disk", 4, boot_restore_disk},
	{"stamp", 2, stamps_restore},
};

/* One record; `core` takes the number of bytes it says. try: only what the supervisor is made of is read, of the rest
 * it is enough to be known. */
static int read_record(const char *key, struct words_iter *it, bool try, struct fail *f)
{
	char *args[ARGS_MAX];

	if (!strcmp(key, "core")) {
		const char *len = words_next(it);
		size_t n = len ? strtoul(len, NULL, 10) : 0;

		if (!len || n > it->len - it->at)
			return fail_set(f, EINVAL, "the state is cut off");
		it->at += n;
		return shell_restore_core(it->data + it->at - n, n, f);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(key, rows[i].key) != 0)
			continue;
		for (size_t n = 0; n < rows[i].n; n++) {
			args[n] = (char *)words_next(it);
			if (!args[n])
				return fail_set(f, EINVAL, "record \"%s\" is cut off", key);
		}
		if (!try || rows[i].read == shell_restore_dropped)
			return rows[i].read(args, f);
		return rows[i].read == shell_restore_units ? try_units(args, f) : 0;
	}
	return fail_set(f, EINVAL, "record \"%s\" is unknown", key);
}

static int read_all(bool try, struct fail *f)
{
	struct words_iter it;
	const char *state, *key;
	size_t len;
	int r = 0;

	state = vault_state(&len);
	if (!state)
		return fail_set(f, ENOENT, "there is no state");
	words_iter_init(&it, state, len);
	while (r == 0 && (key = words_next(&it)))
		r = read_record(key, &it, try, f);
	return r;
}

int revive_try(struct fail *f)
{
	return read_all(true, f);
}

int revive_read(struct fail *f)
{
	int r;

	children_restore_exits();
	r = read_all(false, f);
	if (r == 0)
		r = run_reconcile(f);
	if (r < 0)
		return r;
	boot_resume();
	intent_resume();
	transient_resume();
	vault_touch();
	boot_give_back();
	return 0;
}
