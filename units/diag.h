/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what is wrong with a unit file, where, and what to write instead.
 *
 * All mistakes of all files are collected; nothing stops at the first one. An error means that the
 * unit is not started, a warning that it is. A diagnostic is printed as
 *
 *     web.container:7:1: error[U012]: unknown key "Volumes" in [Container]
 *         7 | Volumes=data:/data
 *           | ^~~~~~~
 *           = did you mean "Volume"?
 */
#pragma once

#include "base/buf.h"
#include "units/unit.h"

enum diag_severity {
	DIAG_ERROR,
	DIAG_WARNING,
};

struct diag {
	enum diag_severity severity;
	const char *code; /* "U012": one for each kind of mistake; see units/codes.h */
	struct source_at at;
	uint32_t width; /* of the marked text in bytes; at least 1 */
	const char *message;
	const char *hint;  /* NULL = none */
	const char *line;  /* the source line, cut at 200 bytes; NULL = none */
	struct unit *unit; /* NULL = no unit's */
};

/* A growing list of them, in an arena. */
struct diags {
	struct arena *arena; /* borrowed */
	struct diag **items;
	size_t n;
	size_t n_errors;
	size_t end; /* no more than this many are kept; 0 = no limit */
	size_t n_left_out, n_errors_left_out;
};

/* Adds one. hint may be NULL. NULL when memory ran out (the arena knows) or the limit is reached. */
struct diag *diag_add(struct diags *diags, enum diag_severity severity, const char *code,
		      struct source_at at, size_t width, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/* From here on at most `room` more are kept, so that a file of nothing but mistakes costs no more than
 * its reading. The second one ends that and says at `at` how many were left out. */
void diags_limit(struct diags *diags, size_t room);
void diags_unlimit(struct diags *diags, struct source_at at);

/* Gives d its source line out of the bytes of its file. */
void diag_set_line(struct diags *diags, struct diag *d, const char *data, size_t len);

/* Appends the text above, ending in a newline. Bytes that a terminal could act on are shown as '?'. */
void diag_print(const struct diag *d, struct buf *b);
