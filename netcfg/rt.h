/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, addresses and routes: one function for each thing that orlop does to them. Devices are named
 * as in the calling thread's network namespace, which must be that of the socket.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "netcfg/ip.h"
#include "netcfg/nlk.h"

/* Interface index, or -ENODEV. */
int rt_index(const char *dev, struct fail *f);

struct rt_veth {
	const char *name;      /* this end */
	const char *peer_name; /* the other one, born in: */
	int peer_netns;        /* fd */
	struct mac peer_mac;
	unsigned mtu; /* of both; 0 = the kernel's */
};
int rt_veth_add(struct nl_sock *sk, const struct rt_veth *veth, struct fail *f);

int rt_bridge_add(struct nl_sock *sk, const char *name, const struct mac *mac, unsigned mtu,
		  struct fail *f);

int rt_vlan_add(struct nl_sock *sk, const char *name, const char *parent, unsigned tag,
		struct fail *f);

/* Whether the bridge keeps VLANs apart, and in which its ports and itself are until somebody says otherwise. */
int rt_bridge_vlans(struct nl_sock *sk, const char *bridge, bool on, unsigned untagged,
		    struct fail *f);

enum rt_port_vlan {
	RT_PORT_TAGGED, /* it carries the VLAN, with its tag */
	RT_PORT_OWN,    /* what comes in untagged is in the VLAN; what goes out has no tag */
	RT_PORT_NOT_IN,
};
int rt_port_vlan(struct nl_sock *sk, const char *dev, unsigned tag, enum rt_port_vlan how,
		 struct fail *f);

/* A macvlan or ipvlan child of parent, born in netns under this name. mode: "" = bridge, l2. */
struct rt_child {
	const char *driver, *mode, *parent, *name;
	int netns;
	struct mac mac; /* macvlan; ipvlan has its parent's */
	unsigned mtu;
};
int rt_child_add(struct nl_sock *sk, const struct rt_child *child, struct fail *f);

/* Not there: 0. */
int rt_link_del(struct nl_sock *sk, const char *dev, struct fail *f);

/* What to change of a link; NULL, 0 and false leave a thing as it is. */
struct rt_change {
	bool up;
	const char *master;
	const char *alias;
	const struct mac *mac;
	unsigned mtu;
};
int rt_link_change(struct nl_sock *sk, const char *dev, const struct rt_change *change,
		   struct fail *f);

/* No duplicate address detection: addresses are given out once. Already there, or gone: 0. */
int rt_addr_add(struct nl_sock *sk, const char *dev, const struct ip_prefix *addr, struct fail *f);
int rt_addr_del(struct nl_sock *sk, const char *dev, const struct ip_prefix *addr, struct fail *f);

/* Default route of the gateway's family; replaces another one. */
int rt_default_route(struct nl_sock *sk, const char *dev, const struct ip *gateway, struct fail *f);
