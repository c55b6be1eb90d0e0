/* SPDX-License-Identifier: Apache-2.0 */
#include "init/stamps.h"

#include <stdlib.h>

#include "init/loop.h"
#include "init/vault.h"

const char *const stamp_names[STAMP__N] = {
	[STAMP_KERNEL] = "kernel",
	[STAMP_ROOT] = "root",
	[STAMP_MODULES] = "modules",
	[STAMP_LOOP] = "control",
	[STAMP_DISK] = "disk",
	[STAMP_UNITS] = "units",
	[STAMP_IMAGES] = "images",
	[STAMP_NETWORK] = "network",
	[STAMP_FIRST_CONTAINER] = "first-container-started",
	[STAMP_BOOTED] = "booted",
};

static uint64_t stamps[STAMP__N];

void stamp(enum stamp s)
{
	if (!stamps[s])
		stamps[s] = loop_now();
}

uint64_t stamp_of(enum stamp s)
{
	return stamps[s];
}

void stamps_save(struct vault_writer *w)
{
	for (int i = 0; i < STAMP__N; i++) {
		vault_word(w, "stamp");
		vault_number(w, i);
		vault_number(w, (int64_t)stamps[i]);
	}
}

int stamps_restore(char *const *args, struct fail *f)
{
	int i = atoi(args[0]);

	(void)f;
	if (i >= 0 && i < STAMP__N)
		stamps[i] = strtoull(args[1], NULL, 10);
	return 0;
}
