/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of one key to a field of the unit: what the parsers of all types share.
 *
 * A parser is given the conversion (which unit, key and entry it is about) and the field to fill. It takes
 * the value as items (the whole value, or its words), with quotes, escapes, specifiers and variables
 * dealt with, and complains about an item or a part of it; the place in the file follows from there.
 * Private to units/.
 */
#pragma once

#include "units/expand.h"
#include "units/ini.h"
#include "units/keys.h"

struct conv {
	struct arena *arena;   /* of the set: what stays */
	struct arena *scratch; /* gone after this unit */
	struct diags *diags;
	struct unit *unit;
	const struct units_input *in;
	struct expander ex;
	const char *folder; /* where the unit's file lies, for relative paths */
	bool is_template;   /* foo@.container */
	size_t n_words;     /* of all lists so far; and ports; and bytes that were filled in */
	size_t n_ports, spent;

	/* Of the value that is converted now. */
	const struct key *key;
	const struct ini_entry *entry;
};

/* A value, or a word of it. */
struct item {
	struct text text; /* text.value is never NULL */
	size_t at, width; /* in the entry's value */
};

struct items {
	struct item *items;
	size_t n;
};

enum conv_flags {
	CONV_SPECIFIERS = EXPAND_SPECIFIERS,
	CONV_VARIABLES = EXPAND_VARIABLES,
	CONV_ALL = CONV_SPECIFIERS | CONV_VARIABLES,
	CONV_ESCAPES = 1 << 2, /* words: C escapes; a bad one is an error */
	CONV_LITERAL = 1 << 3, /* and a word with a bad one is kept as written, with a warning */
};

/* The whole value; one pair of enclosing double quotes goes away if `unquote`. false: out of memory. */
bool conv_value(struct conv *c, enum conv_flags flags, bool unquote, struct item *ret);

/* The words of the value. false: an error was reported, or out of memory. */
bool conv_words(struct conv *c, enum conv_flags flags, struct items *ret);

/* Complains about `len` bytes from `part` on, which points into item->text.value; part NULL: the whole. */
void conv_report(struct conv *c, enum diag_severity severity, const struct item *item,
		 const char *part, size_t len, const char *code, const char *hint, const char *fmt,
		 ...) __attribute__((format(printf, 8, 9)));

#define conv_error(c, item, code, hint, ...) \
	conv_report((c), DIAG_ERROR, (item), NULL, 0, (code), (hint), __VA_ARGS__)
#define conv_warning(c, item, code, hint, ...) \
	conv_report((c), DIAG_WARNING, (item), NULL, 0, (code), (hint), __VA_ARGS__)

/* Complains about the key rather than its value. */
void conv_report_key(struct conv *c, enum diag_severity severity, const char *code,
		     const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Where an item stands. */
struct source_at conv_at(const struct conv *c, const struct item *item);

/* item as an absolute path: ./x is next to the unit file; with `bare` x is too. NULL: reported. */
const char *conv_path(struct conv *c, const struct item *item, const char *path, bool bare);

/* Checks a reference to an image, which may be a unit's name ("x.image"), and takes the transport away that says
 * nothing. false: reported. */
bool conv_image(struct conv *c, const struct item *item, struct text *text);

/* Counts words (ports) of the unit; false: there are too many, and the first time that is reported. */
bool conv_count_words(struct conv *c, size_t n);
bool conv_count_ports(struct conv *c, size_t n);

void conv_add_text(struct conv *c, struct text_list *list, struct text text);
void conv_set_pair(struct conv *c, struct pair_list *list, const char *name, const char *value,
		   const char *raw);

/* The repetition rules. */
enum key_rule {
	RULE_LAST,       /* the last one counts; empty = not set */
	RULE_LINE,       /* the same for a line of words */
	RULE_KEEP_EMPTY, /* the last one counts, also if it is empty */
	RULE_ALL,        /* all count; an empty one clears those above it */
};

/* How the field is kept, for the JSON. */
enum key_store {
	STORE_NONE,
	STORE_TEXT,
	STORE_TEXTS,
	STORE_PAIRS,
	STORE_TRI,
	STORE_NUMBER,
	STORE_COMMANDS,
};

struct key_type_row {
	const char *name; /* for `orlop help`: "size" */
	enum key_rule rule;
	enum key_store store;
	void (*parse)(struct conv *c, void *field);
	const char *meaning; /* what may be written, for `orlop help` */
};

extern const struct key_type_row key_types[TYPE__N];

/* The parsers, by file. */
void parse_text(struct conv *c, void *field);
void parse_name(struct conv *c, void *field);
void parse_choice(struct conv *c, void *field);
void parse_bool(struct conv *c, void *field);
void parse_bool_systemd(struct conv *c, void *field);
void parse_int(struct conv *c, void *field);
void parse_size(struct conv *c, void *field);
void parse_size_systemd(struct conv *c, void *field);
void parse_timespan(struct conv *c, void *field);
void parse_duration(struct conv *c, void *field);
void parse_signal(struct conv *c, void *field);
void parse_slice(struct conv *c, void *field);
void parse_mode(struct conv *c, void *field);
void parse_ip(struct conv *c, void *field);
void parse_path(struct conv *c, void *field);
void parse_image(struct conv *c, void *field);
void parse_user(struct conv *c, void *field);
void parse_userns(struct conv *c, void *field);
void parse_cpu_quota(struct conv *c, void *field);
void parse_cpus(struct conv *c, void *field);

void parse_ips(struct conv *c, void *field);
void parse_subnets(struct conv *c, void *field);
void parse_ip_ranges(struct conv *c, void *field);
void parse_lines(struct conv *c, void *field);
void parse_words(struct conv *c, void *field);
void parse_args(struct conv *c, void *field);
void parse_exec(struct conv *c, void *field);
void parse_entrypoint(struct conv *c, void *field);
void parse_health_cmd(struct conv *c, void *field);
void parse_labels(struct conv *c, void *field);
void parse_env(struct conv *c, void *field);
void parse_options(struct conv *c, void *field);
void parse_sysctls(struct conv *c, void *field);
void parse_env_files(struct conv *c, void *field);
void parse_service_env_files(struct conv *c, void *field);
void parse_expose(struct conv *c, void *field);
void parse_add_host(struct conv *c, void *field);
void parse_id_maps(struct conv *c, void *field);
void parse_caps(struct conv *c, void *field);
void parse_devices(struct conv *c, void *field);
void parse_ulimits(struct conv *c, void *field);
void parse_rlimit(struct conv *c, void *field);
void parse_io_limits(struct conv *c, void *field);
void parse_secrets(struct conv *c, void *field);
void parse_masks(struct conv *c, void *field);

void parse_volumes(struct conv *c, void *field);
void parse_mounts(struct conv *c, void *field);
void parse_tmpfs(struct conv *c, void *field);
void parse_ports(struct conv *c, void *field);
void parse_networks(struct conv *c, void *field);

void parse_unit_ref(struct conv *c, void *field);
void parse_deps(struct conv *c, void *field);
void parse_unit_names(struct conv *c, void *field);
void parse_condition(struct conv *c, void *field);
void parse_commands(struct conv *c, void *field);
void parse_exits(struct conv *c, void *field);

/* Two parsers append to an array whose count stands behind it: T *items; size_t n. */
#define CONV_PUSH(c, type, field)                                 \
	({                                                        \
		struct {                                          \
			type *items;                              \
			size_t n;                                 \
		} *array_ = (void *)(field);                      \
		ARENA_PUSH((c)->arena, array_->items, array_->n); \
	})
