/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load: what its stages share. Private to units/.
 *
 *     scan.c      files -> names: which file is which unit, which drop-ins go with it
 *     gather.c    one unit's files -> the entries that count; compile.c: entries -> fields, by the key
 *                 table; finish*.c, policy.c: defaults, what keys mean together
 *     resolve.c   names of other units -> pointers; resolve_links.c: edges nobody writes, unique names
 *     graph.c     cycles, order
 *
 * load.c runs them.
 */
#pragma once

#include "units/conv.h"
#include "units/names.h"

/* A unit file that won its name, or a drop-in. */
struct loaded_file {
	const struct unit_file *file;
	const char *path;   /* copied: outlives the input */
	const char *name;   /* last part of the path */
	const char *folder; /* drop-ins: "web.container.d"; units: NULL */
	size_t rank;        /* precedence: place in the input */
	bool used;
	uint32_t n_instances; /* template: made because other units name them */
};

/* Names -> units: unit names, service names, aliases. Open addressing. */
struct name_slot {
	const char *name;
	struct unit *unit;
};

struct name_table {
	struct name_slot *slots;
	size_t size; /* a power of two */
	size_t n;
};

struct loader {
	const struct units_input *in;
	struct unit_set *set;
	struct arena *arena;   /* the set's */
	struct arena *scratch; /* for one unit */
	struct arena *work;    /* for the whole load */
	struct diags diags;
	struct key_index keys;

	struct loaded_file *mains; /* sorted by name */
	size_t n_mains;
	struct loaded_file *dropins; /* sorted by folder, then rank */
	size_t n_dropins;
	struct name_table *table;

	struct unit **units; /* in the order of their making */
	size_t n_units;
	bool enabling;    /* instances that are made now were asked for */
	size_t n_guesses; /* of names that are near; each looks at all units */
};

/* scan.c */
int scan_files(struct loader *l);
struct loaded_file *scan_main(struct loader *l, const char *name); /* NULL: there is none */
/* The drop-ins of a unit, in the order of their use. */
struct loaded_file **scan_dropins(struct loader *l, const char *name, const struct unit_name *n,
				  size_t *ret_n);
void scan_report_unused(struct loader *l);

/* compile.c: fills u from its files, of which main may be NULL (then nothing is read). */
void compile_unit(struct loader *l, struct unit *u, const struct unit_name *n,
		  struct loaded_file *main);

/* What compile.c lets finish*.c ask: the last entry of a key, if it was written. */
struct compile;
const struct ini_entry *compile_entry(const struct compile *x, enum key_section section,
				      const char *key);
/* Complains about that key; if it was not written, about the file. */
void compile_report(struct compile *x, enum diag_severity severity, enum key_section section,
		    const char *key, const char *code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));
/* Whether a misspelled key was taken for this one. */
bool compile_was_meant(const struct compile *x, const char *key);
struct conv *compile_conv(struct compile *x);
/* Whether one place in the unit's files comes before another, in the order of their use. */
bool compile_is_before(const struct compile *x, const struct source_at *a,
		       const struct source_at *b);

/* finish.c */
void finish_unit(struct compile *x);
/* policy.c */
void finish_policy(struct compile *x);

/* podman_args.c: the native key and value of an option, or false with a reason. */
struct podman_option {
	const char *section_key; /* "DropCapability"; NULL: has no effect */
	enum key_section section;
	const char *value;
};
bool podman_option(struct arena *arena, const char *word, const char *next, bool *ret_took_next,
		   struct podman_option *ret, char *why, size_t size);

/* load.c: whether a target of that name is there without a file. */
bool loader_is_builtin(const char *name);

/* resolve.c */
struct unit *loader_find(struct loader *l, const char *name);
struct unit *loader_make(struct loader *l, const char *name, struct loaded_file *main);
void resolve_units(struct loader *l);
/* "data@.volume" named by an instance means the same instance of it. */
struct unit *loader_find_ref(struct loader *l, const struct unit *from, const char *ref);
/* A hint: the name nearest to one that is not there, or `otherwise`. */
const char *loader_near(struct loader *l, const char *name, const char *otherwise);
void loader_add_edge(struct loader *l, struct unit *u, enum dep_kind kind, struct unit *other,
		     struct source_at at, bool implicit);
/* What a unit cannot do without: it is started first, and started at all. */
void loader_need(struct loader *l, struct unit *u, struct unit *other, struct source_at at);

/* resolve_links.c */
void link_install(struct loader *l, struct unit *u, const struct unit_install_list *list,
		  enum dep_kind kind, const char *key);
void link_target(struct loader *l, struct unit *target);
void link_defaults(struct loader *l, struct unit *u);
/* Networks and containers that are named by their own name rather than by their unit's. */
void link_plain(struct loader *l, struct name_table *names, struct unit *u, struct unit_join *joins,
		size_t n);
void claim_names(struct loader *l, struct name_table *names, struct unit *u);
/* The diagnostic, if it was kept. */
struct diag *resolve_report(struct loader *l, struct unit *u, enum diag_severity severity,
			    struct source_at at, size_t width, const char *code, const char *hint,
			    const char *fmt, ...) __attribute__((format(printf, 8, 9)));

/* ports.c */
void check_ports(struct loader *l);

/* graph.c: rejects the units of every ordering cycle. */
int graph_check(struct loader *l);

/* unit.c */
struct unit *name_table_get(const struct name_table *table, const char *name);
/* false: the name is another unit's (*ret_other), or memory ran out (NULL). */
bool name_table_add(struct arena *arena, struct name_table *table, const char *name, struct unit *u,
		    struct unit **ret_other);
