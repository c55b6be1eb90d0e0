/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "units/loader.h"

const char *const dep_names[DEP__N] = {
	[DEP_REQUIRES] = "requires",
	[DEP_REQUISITE] = "requisite",
	[DEP_WANTS] = "wants",
	[DEP_BINDS_TO] = "binds_to",
	[DEP_PART_OF] = "part_of",
	[DEP_UPHOLDS] = "upholds",
	[DEP_CONFLICTS] = "conflicts",
	[DEP_AFTER] = "after",
	[DEP_BEFORE] = "before",
	[DEP_ON_FAILURE] = "on_failure",
	[DEP_ON_SUCCESS] = "on_success",
	[DEP_RELOAD_TO] = "propagates_reload_to",
	[DEP_RELOAD_FROM] = "reload_propagated_from",
};

const char *const dep_keys[DEP__N] = {
	[DEP_REQUIRES] = "Requires",
	[DEP_REQUISITE] = "Requisite",
	[DEP_WANTS] = "Wants",
	[DEP_BINDS_TO] = "BindsTo",
	[DEP_PART_OF] = "PartOf",
	[DEP_UPHOLDS] = "Upholds",
	[DEP_CONFLICTS] = "Conflicts",
	[DEP_AFTER] = "After",
	[DEP_BEFORE] = "Before",
	[DEP_ON_FAILURE] = "OnFailure",
	[DEP_ON_SUCCESS] = "OnSuccess",
	[DEP_RELOAD_TO] = "PropagatesReloadTo",
	[DEP_RELOAD_FROM] = "ReloadPropagatedFrom",
};

const struct io_max_name io_max_names[IO_MAX__N] = {
	[IO_READ_BANDWIDTH] = {"IOReadBandwidthMax", "rbps"},
	[IO_WRITE_BANDWIDTH] = {"IOWriteBandwidthMax", "wbps"},
	[IO_READ_IOPS] = {"IOReadIOPSMax", "riops"},
	[IO_WRITE_IOPS] = {"IOWriteIOPSMax", "wiops"},
};

struct unit_set *unit_set_free(struct unit_set *set)
{
	if (set)
		arena_free(set->arena); /* the set lies in it too */
	return NULL;
}

static size_t hash_name(const char *name)
{
	uint64_t h = hash_bytes(HASH_START, name, strlen(name));

	return (size_t)(h ^ h >> 32);
}

static struct name_slot *find_slot(const struct name_table *table, const char *name)
{
	size_t i = hash_name(name) & (table->size - 1);

	while (table->slots[i].name && strcmp(table->slots[i].name, name) != 0)
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

struct unit *name_table_get(const struct name_table *table, const char *name)
{
	return table->size ? find_slot(table, name)->unit : NULL;
}

static bool table_grow(struct arena *arena, struct name_table *table)
{
	struct name_table bigger = {.size = table->size ? 2 * table->size : 64};

	bigger.slots = arena_alloc(arena, bigger.size * sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].name)
			*find_slot(&bigger, table->slots[i].name) = table->slots[i];
	bigger.n = table->n;
	*table = bigger;
	return true;
}

bool name_table_add(struct arena *arena, struct name_table *table, const char *name, struct unit *u,
		    struct unit **ret_other)
{
	struct name_slot *slot;

	*ret_other = NULL;
	if (2 * table->n >= table->size && !table_grow(arena, table))
		return false;
	slot = find_slot(table, name);
	if (slot->name && slot->unit != u) {
		*ret_other = slot->unit;
		return false;
	}
	if (!slot->name)
		table->n++;
	*slot = (struct name_slot){name, u};
	return true;
}

struct unit *unit_by_name(const struct unit_set *set, const char *name)
{
	return name_table_get(set->by_name, name);
}

struct unit *unit_find(const struct unit_set *set, const char *name)
{
	struct unit *u = unit_by_name(set, name);
	char full[300];
	size_t len = strlen(name);

	if (u || len + sizeof(".service") > sizeof(full))
		return u;
	memcpy(full, name, len);
	memcpy(full + len, ".service", sizeof(".service"));
	return unit_by_name(set, full);
}
