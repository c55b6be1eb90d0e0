/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specifiers (%n, %i, %H...) and variables (${X}, $X, $$) in values, as systemd has them.
 *
 * What a specifier stands for is known when the unit is loaded, and so are the variables: those of
 * [Service] Environment= and EnvironmentFile=. An unknown specifier stays as it is written; a variable
 * that is not set is empty. Both are noted, so that the caller can warn at the right column.
 */
#pragma once

#include "base/arena.h"
#include "units/load.h"

enum expand_flags {
	EXPAND_SPECIFIERS = 1 << 0,
	EXPAND_VARIABLES = 1 << 1,
};

struct expander {
	struct arena *arena; /* results live here */
	const struct unit_host *host;
	const char *unit_path; /* the unit's file */
	const char *service;   /* "web", "web-network", "foo@bar" */
	const char *prefix;    /* before '@' */
	const char *instance;  /* "" if there is none */
	bool is_target;        /* its service name is its own, without ".service" */
	struct pair_list vars;
	size_t *spent; /* bytes filled in so far; past LIMIT_UNIT_EXPANDED nothing is */
};

struct expand_notes {
	size_t bad_specifier; /* offset in the text, or EXPAND_NONE */
	size_t unset_at;      /* offset of the first variable that is not set, or EXPAND_NONE */
	char unset[64];       /* its name, cut */
};

#define EXPAND_NONE ((size_t)-1)

/* What text says. value is NULL when memory ran out. notes may be NULL. Past the limit of what one unit may
 * have filled in the text comes back as it is; the caller of the unit looks at *ex->spent. */
struct text expand_text(const struct expander *ex, const char *text, enum expand_flags flags,
			struct expand_notes *notes);

/* Counts bytes that were filled in; false: that was too much. */
bool expand_spend(const struct expander *ex, size_t bytes);

/* If the word is "$X" and nothing else: the value of X, "" when it is not set (noted); else NULL. */
const char *expand_lone(const struct expander *ex, const char *word, struct expand_notes *notes);

/* Value of one specifier letter, or NULL if there is no such. */
const char *expand_specifier(const struct expander *ex, char letter);

const char *pair_value(const struct pair_list *pairs,
		       const char *name); /* NULL if it is not there */
