/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What transient units (transient.h) have in folders: calls that take no time. Trees are renamed to where a child of
 * PID 1 removes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fail.h"

#define TRANSIENT_NAME_MAX 64

/* The unit's file, and before it the note on the disk that there is such a unit. */
int transient_write_file(const char *unit, const char *text, struct fail *f);
void transient_remove_file(const char *unit);

/* Named volumes of a unit that no other unit in force uses. Before its file goes. */
void transient_remove_volumes(const char *unit);

/* The empty folder of its disposable roots, whether it was disabled, and the note. */
void transient_remove_rest(const char *unit);

/* "web.container" -> "web": what its log and its cgroup are called. */
void transient_service(const char *unit, char *ret, size_t size);
