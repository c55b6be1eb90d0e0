/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What transient units (transient.h) have in files: their own in PATH_UNITS_RUN, which is memory, and so is PID 1's to
 * write; and the volumes that go with them.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "init/names.h"

#define TRANSIENT_NAME_MAX 64

int transient_write_file(const char *unit, const char *text, struct fail *f);
void transient_remove_file(const char *unit);

/* Adds the named volumes of a unit that no other unit in force uses. Before it is taken out of force. */
void transient_volumes(const char *unit, struct names *ret);

/* "web.container" -> "web": what its log and its cgroup are called. */
void transient_service(const char *unit, char *ret, size_t size);
