/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of resolve_spec() have in common: resolve_net.c finds each network's subnets, resolve_member.c
 * each member's addresses. Pure.
 */
#pragma once

#include "netcfg/resolve.h"

/* One family of a network while it is being resolved. */
struct resolving_family {
	struct ip_prefix subnets[RESOLVE_SUBNETS_MAX];
	struct lease_pool pools[RESOLVE_SUBNETS_MAX];
	size_t n;
};

struct resolving {
	struct netspec_network *spec;
	struct resolving_family v4, v6;
};

/* Replaces what *cell owns by a copy of text. 0 or -ENOMEM. */
int resolve_put(char **cell, const char *text);

/* Fills nets, one for each network of spec. 0 or -ENOMEM. */
int resolve_networks(struct net_spec *spec, struct resolving *nets, const struct lease_file *leases,
		     const struct ip_prefix *avoid, size_t n_avoid);

/* Gives every member its addresses and MAC, or a problem. 0 or -ENOMEM. */
int resolve_members(struct net_spec *spec, const struct resolving *nets,
		    const struct lease_file *leases);

static inline bool has(const char *s)
{
	return s && *s;
}
