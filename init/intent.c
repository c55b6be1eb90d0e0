/* SPDX-License-Identifier: Apache-2.0 */
#include "init/intent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "init/console.h"
#include "init/errand.h"
#include "init/names.h"
#include "init/shell.h"
#include "init/vault.h"

static struct names disabled;

bool intent_disabled(const char *unit)
{
	return names_has(&disabled, unit);
}

void intent_found(const char *unit, bool enabled)
{
	if (enabled)
		names_remove(&disabled, unit);
	else if (names_add(&disabled, unit) < 0)
		console_say("%s: disabled, but there is no memory to know it", unit);
	vault_touch();
}

/* By name, as ids may have changed hands. ctx: the name, or NULL where there was no memory for it. */
static void saved(void *ctx, const struct errand_end *end)
{
	char *unit = ctx;

	if (end->error)
		console_say("%s: disable or enable: %s", unit, end->error);
	shell_push(&(struct event){.kind = EVENT_INTENT_SAVED,
				   .unit = sup_find(shell_sup(), unit),
				   .code = end->error ? EIO : 0,
				   .text = end->error});
	free(unit);
}

void intent_save(const char *unit, bool enabled)
{
	const char *const words[] = {enabled ? "enable" : "disable", unit, NULL};
	char *name = strdup(unit);

	intent_found(unit, enabled);
	if (name)
		errand_send(&(struct errand){.words = words, .over = saved, .ctx = name});
	else
		shell_push(&(struct event){.kind = EVENT_INTENT_SAVED,
					   .unit = sup_find(shell_sup(), unit),
					   .code = ENOMEM,
					   .text = strerror(ENOMEM)});
}

void intent_write(struct vault_writer *w)
{
	for (size_t i = 0; i < disabled.n; i++) {
		vault_word(w, "disabled");
		vault_word(w, disabled.items[i]);
	}
}

int intent_restore(char *const *args, struct fail *f)
{
	(void)f;
	intent_found(args[0], false);
	return 0;
}

void intent_resume(void)
{
	for (uint32_t id = 0; id < sup_count(shell_sup()); id++) {
		struct sup_unit_info info;
		struct sup_facts facts;

		if (sup_unit_facts(shell_sup(), id, &facts) && facts.intent &&
		    sup_unit_info(shell_sup(), id, &info))
			intent_save(info.name, !intent_disabled(info.name));
	}
}
