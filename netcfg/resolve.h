/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the units say to what is made: every blank of a network spec is filled in (subnets,
 * gateways, bridge names, addresses, MACs), and the leases brought up to date. Pure.
 *
 * One mistake never takes a second network or container with it: a network or member that cannot be
 * made gets a `problem` text and no address, the others go on.
 */
#pragma once

#include "base/fail.h"
#include "netcfg/ip.h"
#include "netcfg/lease.h"
#include "units/netspec.h"

#define RESOLVE_SUBNETS_MAX 8u /* of one network and family; a member has an address of each */

/* Resolves spec in place. leases is replaced by the new state of the file. avoid: prefixes that an
 * automatic subnet must not overlap (those of the uplinks). 0, or -ENOMEM. */
int resolve_spec(struct net_spec *spec, struct lease_file *leases, const struct ip_prefix *avoid,
		 size_t n_avoid, struct fail *f);

/* How many networks and members have a problem, each appended to b as one line. */
size_t resolve_problems(const struct net_spec *spec, struct buf *b);

/* By name; NULL if there is none. */
const struct netspec_network *resolve_network(const struct net_spec *spec, const char *name);
const struct netspec_member *resolve_member(const struct net_spec *spec, const char *unit,
					    const char *network);

/* "" for NULL. */
const char *resolve_str(const char *s);

/* The next item of a comma list into ret, cut to size; false, and ret "", at the end. */
bool resolve_next(const char **list, char *ret, size_t size);

/* The first address of a comma list; false if there is none. */
bool resolve_first(const char *list, struct ip *ret);
bool resolve_yes(const char *s);
bool resolve_no(const char *s); /* "no", "false", "off", "0" */

/* Kinds of networks. Own bridge: made by us, with translation. Else the members are on the LAN: by an
 * uplink's bridge, or (no bridge at all) as macvlan or ipvlan children of a device. */
bool resolve_own_bridge(const struct netspec_network *net); /* and without a problem */
bool resolve_child(const struct netspec_network *net);      /* macvlan, ipvlan */

/* The hosts file of a network, or of several: localhost; of each the gateways' names, then its members. */
void resolve_hosts(const struct net_spec *spec, const struct netspec_network *const *networks,
		   size_t n, struct buf *b);

/* The hosts file of a unit that is in several networks (all of theirs) or in one with DisableDNS= (its own
 * names). False, and nothing appended, for all others. */
bool resolve_unit_hosts(const struct net_spec *spec, const char *unit, struct buf *b);
