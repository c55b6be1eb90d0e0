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
 *       hint: did you mean "Volume"?
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
	const char *code; /* "U012": one for each kind of mistake; listed in units/codes.h */
	struct source_at at;
	uint32_t width; /* of the marked text in bytes; at least 1 */
	const char *message;
	const char *hint;  /* NULL = none */
	const char *line;  /* the source line, cut at 200 bytes; NULL = none */
	struct unit *unit; /* NULL = no unit's */
};

/* Appends the text above, ending in a newline. */
void diag_print(const struct diag *d, struct buf *b);
