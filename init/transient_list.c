/* SPDX-License-Identifier: Apache-2.0 */
#include "init/transient_core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/vault.h"

static struct transient *list;
static struct names made; /* of which the disk has a note */

struct transient *transient_first(void)
{
	return list;
}

struct transient *transient_find(const char *unit)
{
	struct transient *t = list;

	while (t && strcmp(t->unit, unit) != 0)
		t = t->next;
	return t;
}

struct transient *transient_add(const char *unit)
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

void transient_drop(struct transient *t)
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

int transient_mark(const char *unit)
{
	return names_add(&made, unit);
}

void transient_unmark(const char *unit)
{
	names_remove(&made, unit);
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
	struct transient *t = transient_add(args[0]);
	int flags = atoi(args[2]);

	if (!t)
		return fail_set(f, ENOMEM, "%s", args[0]);
	t->phase = (enum transient_phase)atoi(args[1]);
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
