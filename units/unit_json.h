/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units as JSON: one object each, as `orlop show --json` and `orlop check --json` print them.
 *
 * A key of a unit file appears under its snake_case name (ShmSize: shm_size) in the object of its
 * section, those of [Service] in "policy"; what is not set is null. Times are microseconds, sizes bytes.
 * A value that had specifiers or variables is {"raw": ..., "value": ...}.
 */
#pragma once

#include "base/json_out.h"
#include "units/diag.h"

void unit_json(struct json_out *j, const struct unit *u);
/* The same without where it is written and what is wrong with it. */
void unit_json_meaning(struct json_out *j, const struct unit *u);

/* The kind's own part alone: what it is made from. */
void unit_json_part(struct json_out *j, const struct unit *u);

void diag_json(struct json_out *j, const char *key, const struct diag *d);
