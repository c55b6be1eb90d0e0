/* SPDX-License-Identifier: Apache-2.0 */
/* Loading units from strings, for tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "units/codes.h"
#include "units/diag.h"
#include "units/load.h"

/* Pairs of path and text, ended by NULL. A text of NULL is a link to /dev/null. */
struct unit_set *load_files(const char *path, ...) __attribute__((sentinel));

/* One file in /etc/containers/systemd. */
struct unit_set *load_one(const char *name, const char *text);

/* A .container of these lines behind "[Container]\nImage=localhost/x\n" (so they begin at line 3). */
struct unit_set *load_container(const char *lines);

/* The first diagnostic with this code, or NULL. */
const struct diag *find_diag(const struct unit_set *set, const char *code);

/* Fails unless there is a diagnostic of that severity and code at line:column. */
void assert_error(const struct unit_set *set, const char *code, unsigned line, unsigned column);
void assert_warning(const struct unit_set *set, const char *code, unsigned line, unsigned column);
void assert_clean(const struct unit_set *set); /* no diagnostic at all */
void assert_no_error(const struct unit_set *set);

/* The unit "web.container", which must be there. */
struct unit *get(const struct unit_set *set, const char *name);

/* Whether the unit has an edge of that kind to that unit. */
bool has_dep(const struct unit *u, enum dep_kind kind, const char *name);

/* The whole unit as JSON, to be freed. */
char *json_of(const struct unit *u);

extern const struct unit_host test_host;
