/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key table: one row for every key that may stand in a unit file.
 *
 * All that speaks of keys comes from these rows: the parser (units/compile.c), `orlop help KEY`, the JSON
 * of `orlop show`, the manual page orlop.unit(5) and the shell completion. A new key is one row here, a
 * field in units/unit.h, and, if its values are of a new sort, a row in units/types.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_section {
	SECTION_CONTAINER,
	SECTION_VOLUME,
	SECTION_NETWORK,
	SECTION_POD,
	SECTION_IMAGE,
	SECTION_QUADLET,
	SECTION_UNIT,
	SECTION_SERVICE,
	SECTION_INSTALL,
	SECTION__N,
};

extern const char *const section_names[SECTION__N];

enum key_verdict {
	KEY_MUST,      /* supported */
	KEY_SHOULD,    /* supported; rare in real files */
	KEY_LATER,     /* an error: not supported yet */
	KEY_REFUSED,   /* an error: never; the help text says what to do instead */
	KEY_NO_EFFECT, /* a warning: accepted, does nothing here */
	KEY_VERDICT__N,
};

extern const char *const key_verdict_names[KEY_VERDICT__N];

/* In which kinds of units the row counts. A key with another meaning in .service has two rows. */
enum key_kinds {
	FOR_QUADLET = 1 << 0, /* container, volume, network, pod, image */
	FOR_SERVICE = 1 << 1,
	FOR_TARGET = 1 << 2,
	FOR_ALL = FOR_QUADLET | FOR_SERVICE | FOR_TARGET,
	FOR_RUN = FOR_QUADLET | FOR_SERVICE,
};

/* Sorts of values; what each means and how it is read is in types.c. The letter is the rule for
 * repetition: S the last one wins, X the last line wins, L all count and an empty one clears those above. */
enum key_type {
	TYPE_NONE, /* a row that is only recognised */
	TYPE_TEXT,
	TYPE_NAME,
	TYPE_CHOICE, /* arg: the words */
	TYPE_BOOL,
	TYPE_BOOL_SYSTEMD,
	TYPE_INT, /* arg: "min max" */
	TYPE_SIZE,
	TYPE_SIZE_SYSTEMD, /* arg: "tasks": percent is of the host's pid limit, not of its memory */
	TYPE_TIMESPAN,
	TYPE_DURATION, /* arg: "disable": that word is allowed */
	TYPE_SIGNAL,
	TYPE_SLICE,
	TYPE_MODE,
	TYPE_IP,  /* arg: "4" or "6" */
	TYPE_IPS, /* arg: words that may stand there too */
	TYPE_SUBNETS,
	TYPE_IP_RANGES,
	TYPE_PATH,
	TYPE_IMAGE,
	TYPE_LINES,
	TYPE_WORDS,
	TYPE_ARGS,
	TYPE_EXEC,
	TYPE_ENTRYPOINT,
	TYPE_HEALTH_CMD,
	TYPE_LABELS,
	TYPE_ENV,
	TYPE_OPTIONS,
	TYPE_SYSCTLS,
	TYPE_ENV_FILES,
	TYPE_SERVICE_ENV_FILES,
	TYPE_VOLUMES,
	TYPE_MOUNTS,
	TYPE_TMPFS,
	TYPE_PORTS,
	TYPE_EXPOSE,
	TYPE_NETWORKS,
	TYPE_ADD_HOST,
	TYPE_USER,
	TYPE_USERNS,
	TYPE_ID_MAPS,
	TYPE_CAPS,
	TYPE_DEVICES,
	TYPE_ULIMITS,
	TYPE_SECRETS,
	TYPE_MASKS,
	TYPE_PODMAN_ARGS,
	TYPE_UNIT_REF, /* arg: the kind */
	TYPE_DEPS,     /* arg: the key of the edge, "After" */
	TYPE_UNIT_NAMES,
	TYPE_CONDITION,
	TYPE_COMMANDS,
	TYPE_EXITS,
	TYPE_RLIMIT,
	TYPE_CPU_QUOTA,
	TYPE_CPUS,
	TYPE_IO_LIMITS,
	TYPE__N,
};

struct key {
	const char *name;
	uint8_t section, type, verdict, kinds;
	uint16_t offset;  /* of the field: in the section's struct, or in struct unit */
	const char *json; /* the field's name in the JSON; NULL = not printed by the table */
	const char *arg;
	const char *preset; /* what holds where the key is not written, as text; "" = nothing */
	const char *help;   /* one line; for a refused key what to do instead */
};

struct key_table {
	const struct key *rows;
	size_t n;
};

/* The i-th table; NULL behind the last one. */
const struct key_table *key_table_at(size_t i);

/* All rows in the order of the tables. */
#define for_each_key(k)                                               \
	for (size_t t_##k = 0; key_table_at(t_##k); t_##k++)          \
		for (const struct key *k = key_table_at(t_##k)->rows; \
		     k < key_table_at(t_##k)->rows + key_table_at(t_##k)->n; k++)

/* -1 if there is no such section. */
int section_by_name(const char *name);

/* All rows, sorted by section and name, for the lookup below. */
struct key_index {
	const struct key **rows;
	size_t n;
};

/* Fills index->rows, which has room for key_count() pointers. */
size_t key_count(void);
void key_index_fill(struct key_index *index);

/* The row of a key in units of some kinds; NULL if there is none. *ret_slot: its place in the index. */
const struct key *key_find(const struct key_index *index, enum key_section section,
			   const char *name, enum key_kinds kinds, size_t *ret_slot);
