/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one unit is to get: from its spec and the resolved networks to a list of devices, addresses and
 * ports. Pure; port.c does it.
 */
#pragma once

#include "base/fail.h"
#include "netcfg/ip.h"
#include "netcfg/names.h"
#include "netcfg/resolve.h"
#include "netcfg/state.h"
#include "units/netspec.h"
#include "units/spec.h"

#define PORT_LINKS_MAX   16u
#define PORT_PORTS_MAX   8192u  /* of one unit, ranges counted out */
#define PORT_RANDOM_LOW  61000u /* above Linux' ephemeral ports, which the host's own clients use */
#define PORT_RANDOM_HIGH 65535u

struct port_link {
	char device[NAME_DEVICE_MAX]; /* the host's end */
	char inside[NAME_DEVICE_MAX]; /* "eth0" ... */
	const char *bridge; /* borrowed from the spec; "" = a child of parent, with no host end */
	const char *driver, *mode, *parent; /* of a child */
	bool lan; /* on the LAN itself: its ports are there without being published */
	struct mac mac;
	struct ip_prefix addrs[2 * RESOLVE_SUBNETS_MAX]; /* IPv4 first */
	size_t n_addrs;
	struct ip gateway4, gateway6; /* family 0 = no default route by this link */
	unsigned mtu;
	unsigned vlan; /* of the LAN's bridge, that it is in; 0 = what has no tag there */
};

struct port_plan {
	struct port_link links[PORT_LINKS_MAX];
	size_t n_links;
	struct unit_state state; /* what is recorded: the same, in words */
};

/* Fills plan; port_plan_done() frees it. Errors: see port_attach(). */
int port_plan_make(struct port_plan *plan, const struct net_spec *spec, const char *unit,
		   const struct spec_network *networks, size_t n_networks,
		   const struct spec_port *ports, size_t n_ports, struct fail *f);
void port_plan_done(struct port_plan *plan);

/* The link's first address of the family; NULL if it has none. */
const struct ip *port_link_address(const struct port_link *l, uint8_t family);

/* The next host port for a port whose number is ours to choose. -EINVAL if it is not. */
int port_plan_next_random(struct state_port *port, struct fail *f);
