/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network spec: all that `orlop-net up` must know, made by PID 1 from the loaded units
 * (netspec_from_units, units/unit.h) and handed over in a sealed memfd. The struct owns its strings.
 *
 * orlop-net fills in what was left open (addresses, gateways, MACs) and leaves the result in
 * PATH_NETSPEC, in the same form, for orlop-run and for whoever wants to know.
 *
 * Every member is a string; NULL and "" both mean "not said".
 */
#pragma once

#include <stdbool.h>

#include "units/record.h"

/* The network that a container without Network= is in. */
#define NETSPEC_DEFAULT_NAME   "orlop"
#define NETSPEC_DEFAULT_BRIDGE "orlop0"
#define NETSPEC_DEFAULT_SUBNET "10.88.0.0/16"

struct netspec_network {
	char *name;   /* NetworkName=, or NETSPEC_DEFAULT_NAME */
	char *bridge; /* device name, at most 15 characters; "" = made from the name */
	char *subnet; /* comma list, "10.89.0.0/24"; "" = choose a free one (10.89.N.0/24) and keep it in
			    * the leases */
	char *gateway; /* comma list, paired with subnet by position; a blank = the subnet's first address */
	char *internal; /* "yes" or "" : no route out */
	char *range; /* comma list, paired likewise: IPRange=, "10.89.0.128/25", "10.89.0.10-10.89.0.90" */
	char *ipv6;    /* "yes": IPv6 too, with a ULA subnet made from the name if subnet6 is "" */
	char *subnet6; /* the same three of IPv6: "fd00:1::/64" */
	char *gateway6;
	char *range6;
	char *mtu; /* decimal; "" = 1500 */
	char *isolate; /* "no": forwards to and from other networks that say so too; else none is reached */
	char *disable_dns; /* "yes": no names but localhost and the member's own in the hosts file */
	char *dns;         /* comma list of upstream resolvers */
	char *driver;      /* "" or "bridge"; "macvlan", "ipvlan": children of `parent` */
	char *parent; /* macvlan, ipvlan: the device; bridge: an uplink's Bridge=, so that the members
			    * stand on the LAN themselves: no translation, subnet and gateway are the LAN's */
	char *vlan;   /* decimal: the VLAN of its bridge that the members are in */
	char *mode;   /* macvlan: bridge private vepa passthru; ipvlan: l2 l3 l3s; "" = the first */
	char *unit;   /* "x.network", or "" : built in */
	char *on_demand; /* "yes" (NetworkDeleteOnStop=): not there while its unit is down */
	char *problem;   /* by orlop-net: why it was not made, or "" */
};

/* How the host is reached, from host.conf. Without any: every wired card, by DHCP. */
struct netspec_uplink {
	char *name;      /* of its section, for messages */
	char *device;    /* match: "eth0", "en*"; "" = any */
	char *mac;       /* match: "aa:bb:..." or "" */
	char *driver;    /* match: "virtio_net" or "" */
	char *addresses; /* comma list "192.0.2.5/24,fd00::5/64"; "" = by DHCP */
	char *gateways;  /* comma list, at most one of each family */
	char *dns;       /* comma list */
	char *search;    /* comma list of domains */
	char *mtu;       /* decimal or "" */
	char *vlan;      /* decimal: addresses are on a VLAN device above the card */
	char *bridge;    /* "lan0": addresses are on this bridge, of which the card is a port */
	char *dhcp;      /* "yes", "no", "ipv4", "ipv6"; "" = yes if there are no addresses */
	char *problem;   /* by orlop-net: why it was not made, or "" */
};

struct netspec_member {
	char *unit;    /* "web.container" */
	char *network; /* name of its network; a unit in two networks has two members */
	char *names;   /* comma list that resolves to it: container name, host name, aliases */
	char *address; /* fixed IPv4, or "" = by lease; resolved: a comma list, one of each subnet */
	char *mac;     /* or "" = made from the address */
	char *address6; /* the same of IPv6, where the network has it */
	char *problem;  /* by orlop-net: why it has no address, or "" */
};

/* A port of the host itself that the outside may reach. */
struct netspec_open {
	char *unit;     /* the Network=host unit that has it, or "" = by host.conf */
	char *protocol; /* "tcp", "udp", "sctp"; "" = all ports of all (a unit that names none) */
	char *first;    /* decimal */
	char *last;
};

struct net_spec {
	struct netspec_network *networks;
	size_t n_networks;
	struct netspec_member *members;
	size_t n_members;
	struct netspec_uplink *uplinks;
	size_t n_uplinks;
	struct netspec_open *opens;
	size_t n_opens;
};

void netspec_encode(const struct net_spec *spec, struct buf *b);
int netspec_decode(struct net_spec *spec, const char *data, size_t len, struct fail *f);
void netspec_done(struct net_spec *spec);

/* Takes the i-th network and its members out. */
void netspec_drop_network(struct net_spec *spec, size_t i);
