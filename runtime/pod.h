/* SPDX-License-Identifier: Apache-2.0 */
/* A pod's namespaces, see steps_pod.c. */
#pragma once

#include <stdbool.h>
#include <string.h>

/* Whether a unit of this name is a pod. NULL is none. */
static inline bool pod_is(const char *unit)
{
	const char *dot = unit ? strrchr(unit, '.') : NULL;

	return dot && !strcmp(dot, ".pod");
}

/* Takes away what its members have made; nothing there is nothing to do. */
void pod_clean(const char *pod);
