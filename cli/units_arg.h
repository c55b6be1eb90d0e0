/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of `orlop check` and `orlop show`: folders, unit files, and, for show, names of units.
 *
 * A folder is loaded with all that is in it. A file is loaded together with the rest of its folder, since
 * it may name what lies there, but only it is reported. With no word at all, or with names only, the
 * folders that PID 1 reads are loaded.
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"
#include "units/diag.h"

struct chosen_units {
	struct unit_set *set;
	const char **
		only; /* names of the units that were asked for; NULL = all but the built-in ones */
	size_t n_only;
};

/* Loads. names_too: a word that is no path is the name of a unit. 0, or -ENOENT, -ENOMEM and so on. */
int units_arg_load(char **words, int n, bool names_too, struct chosen_units *ret, struct fail *f);
void units_arg_done(struct chosen_units *c);

/* Whether that unit was asked for. */
bool units_arg_has(const struct chosen_units *c, const struct unit *u);
