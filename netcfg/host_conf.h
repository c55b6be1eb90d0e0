/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network's part of host.conf: how the host is reached.
 *
 *     [Uplink-lan]              one section for each uplink; [Uplink] alone is fine for one
 *     Device=en*                which card: by name ('*' = anything), MAC= or Driver=, or all of them
 *     Address=192.0.2.5/24      repeated or several in a line, IPv4 and IPv6; none = DHCP
 *     Gateway=192.0.2.1         at most one of each family
 *     DNS=192.0.2.53
 *     Search=example.org
 *     DHCP=yes|no|ipv4|ipv6     yes without Address=, no with it
 *     MTU=9000
 *     VLAN=7                    the addresses are on a VLAN device above the card
 *     Bridge=lan0               the addresses are on this bridge, of which the card is a port
 *
 *     [Inbound]                 with this section, what the host itself can be reached at from outside
 *     Open=22/tcp 5353/udp      PORT[-PORT]/PROTOCOL, or all
 *
 * Sections that this does not know are for others to read. Mistakes are told like those of unit files. Pure.
 */
#pragma once

#include "units/diag.h"
#include "units/netspec.h"

#define HOST_CONF_UPLINKS_MAX 64
#define HOST_CONF_RANGE_MAX   1024 /* ports of one word of Open=: each is an element of a set */

/* Appends uplinks to spec; with [Inbound], its opens take the place of those that spec has. -EINVAL with
 * what is wrong in diags (spec is as it was), -ENOMEM, or 0. `file` is kept by diags. */
int host_conf_read(struct arena *arena, const char *file, const char *data, size_t len,
		   struct diags *diags, struct net_spec *spec);
