/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of the network: what it should be (want), what it is (have), and the ordered list of
 * operations that lead from one to the other. Nothing to do is an empty list, and an empty list makes
 * no call. Pure; snapshot.c reads `have`, apply.c carries the list out.
 *
 * Whose a thing is: what we made carries the alias "orlop network NAME" or "orlop uplink NAME"; other links are looked at (a
 * name that is taken by something else is an error when it is made) and never removed. In the packet
 * filter only our own two tables are touched.
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"
#include "netcfg/ip.h"
#include "netcfg/names.h"
#include "netcfg/nft.h"
#include "units/netspec.h"

#define PLAN_ALIAS        "orlop network " /* bridges of container networks */
#define PLAN_ALIAS_UPLINK "orlop uplink "  /* bridges and VLAN devices of uplinks */

struct net_sysctl {
	char path[96];             /* below /proc/sys */
	char value[32];            /* as read: no newline, blanks squeezed to one */
	char dev[NAME_DEVICE_MAX]; /* want: the bridge that it is a setting of, or "" */
	bool optional;             /* want: only if the file is there; have: n/a */
	bool missing;              /* have: the file is not there */
};

struct net_link {
	char name[NAME_DEVICE_MAX];
	char alias[256];
	struct mac mac;
	unsigned mtu;
	bool up;
	bool carrier; /* have */
	bool bridge;
	bool vlans; /* a bridge that keeps VLANs apart */
	unsigned
		pvid; /* such a bridge: the VLAN of what comes in untagged; want: 0 = the kernel's, 1 */
	unsigned vlan;                /* a VLAN device with this tag; 0 = none */
	char parent[NAME_DEVICE_MAX]; /* vlan: above this device */
	char master[NAME_DEVICE_MAX]; /* a port of this bridge, or "" */
	char driver[32];              /* have: where somebody asks for it */
	bool dhcp;                    /* want: has addresses that we know nothing of */
	int index;                    /* have */
	int master_index;             /* have */
};

struct net_address {
	char dev[NAME_DEVICE_MAX];
	struct ip_prefix addr;
};

/* A port of an uplink's bridge carries this VLAN, tagged. */
struct net_port_vlan {
	char dev[NAME_DEVICE_MAX];
	unsigned tag;
};

/* A default route. */
struct net_route {
	char dev[NAME_DEVICE_MAX];
	struct ip gateway;
};

struct net_file {
	char *path;    /* owned */
	char *content; /* owned; NULL in have: not there; NULL in want: to be removed */
	size_t len;
	bool durable; /* replaced and synced; else written in place: see apply.c */
};

/* The same shape for both sides. */
struct net_state {
	struct net_sysctl *sysctls;
	size_t n_sysctls;
	struct net_link *links;
	size_t n_links;
	struct net_address *addresses;
	size_t n_addresses;
	struct net_port_vlan *port_vlans;
	size_t n_port_vlans;
	struct net_route *routes;
	size_t n_routes;
	struct net_file *files;
	size_t n_files;
	struct nft_elems elems;
	bool nft_loaded;
	bool bad; /* memory ran out */
};
void net_state_done(struct net_state *s);

/* Appends a zeroed entry; NULL and s->bad when memory ran out. */
struct net_sysctl *net_add_sysctl(struct net_state *s);
struct net_link *net_add_link(struct net_state *s);
struct net_address *net_add_address(struct net_state *s);
struct net_port_vlan *net_add_port_vlan(struct net_state *s, const char *dev, unsigned tag);
struct net_route *net_add_route(struct net_state *s);
struct net_file *net_add_file(struct net_state *s, const char *path, const char *content,
			      size_t len);

enum op_kind {
	OP_FILE,
	OP_SYSCTL,
	OP_LINK_DEL,
	OP_BRIDGE_ADD,
	OP_VLAN_ADD,
	OP_BRIDGE_VLANS,
	OP_MTU,
	OP_MAC,
	OP_ADDR_DEL,
	OP_ADDR_ADD,
	OP_MASTER,
	OP_PORT_VLAN_DEL,
	OP_PORT_VLAN_ADD,
	OP_LINK_UP,
	OP_ROUTE_ADD,
	OP_NFT_LOAD,
	OP_ELEM_DEL,
	OP_ELEM_ADD,
	OP_FILE_DEL,
	OP__N,
};

/* One operation. What it points to belongs to want or have. */
struct op {
	enum op_kind kind;
	const struct net_link *link;
	const struct net_sysctl *sysctl;
	const struct net_address *address;
	const struct net_port_vlan *port_vlan;
	const struct net_file *file;
	const struct nft_elem *elem;
	const struct net_route *route;
	const char *dev;
};

struct op_list {
	struct op *items;
	size_t n, cap;
	bool bad;
};
void op_list_done(struct op_list *list);

/* What should be: from the resolved spec, and from the links there are for the uplinks, whose problems are
 * written into spec. The hosts files and the spec's own file are part of it; elements
 * of attached units are added by the caller (unit_state_elements). */
void plan_want(struct net_spec *spec, const struct net_state *have, struct net_state *want);

/* The uplinks' part of it. */
void plan_uplinks(struct net_spec *spec, const struct net_state *have, struct net_state *want);

/* What the uplinks that name their servers add to resolv.conf; nothing for none. */
void plan_static_resolv(const struct net_spec *spec, struct buf *b);

/* dhcpcd's configuration: `base`, and which devices it is to ask on. Nothing for none at all. */
void plan_dhcpcd_conf(const struct net_spec *spec, const struct net_state *have, const char *base,
		      struct buf *b);

/* Cards, and what looks like one: not what we made, not lo, not a container's end. */
bool plan_is_card(const struct net_link *l);

/* Whether `name` matches a pattern in which '*' stands for anything. */
bool plan_match(const char *pattern, const char *name);

/* The operations that turn have into want, in the order in which they must happen. */
void plan_diff(const struct net_state *want, const struct net_state *have, struct op_list *ops);

/* One line for people: "address add 10.88.0.1/16 orlop0". */
void plan_print(const struct op_list *ops, struct buf *b);
