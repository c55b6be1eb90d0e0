/* SPDX-License-Identifier: Apache-2.0 */
/* What one unit's keys mean together: what finish.c and finish_net.c share. Private to these. */
#pragma once

#include <string.h>

#include "units/loader.h"

#define WRITTEN(section, key)    compile_entry(x, SECTION_##section, key)
#define ERROR(section, key, ...) compile_report(x, DIAG_ERROR, SECTION_##section, key, __VA_ARGS__)
#define WARNING(section, key, ...) \
	compile_report(x, DIAG_WARNING, SECTION_##section, key, __VA_ARGS__)

/* Whether a unit's one network is "host" or "none". */
static inline bool in_network(const struct unit_join *joins, size_t n, const char *mode)
{
	return n == 1 && !joins[0].container && strcmp(joins[0].name.value, mode) == 0;
}

/* The path of the namespace of somebody else's that a unit's one network is, or NULL. */
static inline const char *net_path(const struct unit_join *joins, size_t n)
{
	return n == 1 && !joins[0].container ? spec_net_path(joins[0].name.value) : NULL;
}

/* The default of Network=, and what does not go with it: of a container, and of a pod. */
void finish_joins(struct compile *x, enum key_section section, struct unit_join **joins, size_t *n,
		  const struct unit_port *ports, size_t n_ports);
/* A container's, with its other keys about networks. */
void finish_networks(struct compile *x, struct unit_container *c);
