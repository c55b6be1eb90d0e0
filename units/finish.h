/* SPDX-License-Identifier: Apache-2.0 */
/* What one unit's keys mean together: what finish.c and finish_net.c share. Private to these. */
#pragma once

#include <string.h>

#include "units/loader.h"

#define WRITTEN(section, key)    compile_entry(x, SECTION_##section, key)
#define ERROR(section, key, ...) compile_report(x, DIAG_ERROR, SECTION_##section, key, __VA_ARGS__)
#define WARNING(section, key, ...) \
	compile_report(x, DIAG_WARNING, SECTION_##section, key, __VA_ARGS__)

/* Whether a container's one network is "host" or "none". */
static inline bool in_network(const struct unit_container *c, const char *mode)
{
	return c->n_networks == 1 && !c->networks[0].container &&
	       strcmp(c->networks[0].name.value, mode) == 0;
}

/* Defaults and mistakes of Network= and what goes with it. */
void finish_networks(struct compile *x, struct unit_container *c);
