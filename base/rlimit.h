/* SPDX-License-Identifier: Apache-2.0 */
/* Names of resource limits, as unit files and Docker have them: "nofile", "NOFILE". Pure. */
#pragma once

#include <sys/resource.h>

/* RLIMIT_NOFILE for "nofile" in any case; -1: there is none of that name. */
int rlimit_resource(const char *name);

/* A number, or "-1", "unlimited", "infinity". */
rlim_t rlimit_value(const char *text);
