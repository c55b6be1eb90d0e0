/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/store.h"
#include "netcfg/conntrack.h"
#include "netcfg/nft_batch.h"
#include "netcfg/port_plan.h"
#include "netcfg/rt.h"
#include "netcfg/state.h"

/* Ports that we choose: how many are tried when all those before are somebody else's. */
#define RANDOM_TRIES 256

struct attach {
	const char *unit;
	int netns;
	struct nl_sock *route, *filter; /* in the host's network namespace */
	struct port_plan plan;
};

/* --- taking away --------------------------------------------------------------------------------- */

static int remove_links(struct nl_sock *route, const struct unit_state *s, struct fail *f)
{
	int first = 0;

	for (size_t i = 0; i < s->n_devices; i++) {
		int r = rt_link_del(route, s->devices[i].device, first ? NULL : f);

		first = first ? first : r;
	}
	return first;
}

/* The elements go in one transaction; if the record and the kernel disagree, by their comments. */
static int remove_elements(struct nl_sock *filter, const struct unit_state *s, struct fail *f)
{
	struct nft_elems del = {0};
	int failed, r;

	unit_state_elements(s, &del);
	r = nft_commit(filter, &del, NULL, &failed, NULL);
	nft_elems_done(&del);
	return r < 0 ? nft_purge(filter, s->unit, f) : 0;
}

static int detach(struct nl_sock *route, struct nl_sock *filter, const char *unit, struct fail *f)
{
	struct unit_state s;
	int r, first;

	r = state_load_unit(unit, &s, f);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		/* an unreadable record: what carries the unit's name goes, its links with the next attach */
		r = nft_purge(filter, unit, f);
		return r < 0 ? r : state_remove_unit(unit, f);
	}
	first = remove_elements(filter, &s, f);
	if (!first) /* whoever takes the port next gets its clients */
		(void)conntrack_forget(filter, &s, NULL);
	r = remove_links(route, &s, first ? NULL : f);
	first = first ? first : r;
	unit_state_done(&s);
	if (!first)
		first = state_remove_unit(unit, f);
	return first;
}

/* --- the steps ----------------------------------------------------------------------------------- */

static int step_leftovers(struct attach *a, struct fail *f)
{
	int r = detach(a->route, a->filter, a->unit, f);

	/* a link whose record is gone */
	return r < 0 ? r : remove_links(a->route, &a->plan.state, f);
}

static int step_record(struct attach *a, struct fail *f)
{
	return state_save_unit(&a->plan.state, f);
}

static int make_link(struct attach *a, const struct port_link *l, struct fail *f)
{
	if (!*l->device)
		return rt_child_add(a->route,
				    &(struct rt_child){
					    .driver = l->driver,
					    .mode = l->mode,
					    .parent = l->parent,
					    .name = l->inside,
					    .netns = a->netns,
					    .mac = l->mac,
					    .mtu = l->mtu,
				    },
				    f);
	return rt_veth_add(a->route,
			   &(struct rt_veth){
				   .name = l->device,
				   .peer_name = l->inside,
				   .peer_netns = a->netns,
				   .peer_mac = l->mac,
				   .mtu = l->mtu,
			   },
			   f);
}

static int step_links(struct attach *a, struct fail *f)
{
	int r = 0;

	for (size_t i = 0; i < a->plan.n_links && r == 0; i++)
		r = make_link(a, &a->plan.links[i], f);
	return r;
}

/* /proc/sys/net shows the network namespace of whoever looks. */
static int set_sysctl(const char *path, const char *value, struct fail *f)
{
	char full[128];

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	return io_write_file(AT_FDCWD, full, value, f);
}

static int no_ipv6(const char *dev, struct fail *f)
{
	char path[64];

	snprintf(path, sizeof(path), "ipv6/conf/%s/disable_ipv6", dev);
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		return 0; /* a kernel without it */
	return set_sysctl(path, "1", f);
}

static int configure_link(struct nl_sock *sk, const struct port_link *l, struct fail *f)
{
	int r = port_link_address(l, 6) ? 0 : no_ipv6(l->inside, f);

	for (size_t i = 0; i < l->n_addrs && r == 0; i++)
		r = rt_addr_add(sk, l->inside, &l->addrs[i], f);
	if (r == 0)
		r = rt_link_change(sk, l->inside, &(struct rt_change){.up = true}, f);
	if (r == 0 && l->gateway4.family)
		r = rt_default_route(sk, l->inside, &l->gateway4, f);
	if (r == 0 && l->gateway6.family)
		r = rt_default_route(sk, l->inside, &l->gateway6, f);
	return r;
}

/* Runs inside the container's network namespace. */
static int configure_inside(const struct port_plan *plan, struct fail *f)
{
	_nlk_ struct nl_sock *sk = nlk_open(NETLINK_ROUTE, f);
	int r;

	if (!sk)
		return -EPROTO;
	/* the container's root binds any port and pings without capabilities: its own namespace, its own
	 * addresses, so there is nothing to protect */
	r = set_sysctl("ipv4/ip_unprivileged_port_start", "0", f);
	if (r == 0)
		r = set_sysctl("ipv4/ping_group_range", "0 2147483647", f);
	if (r == 0)
		r = rt_link_change(sk, "lo", &(struct rt_change){.up = true}, f);
	for (size_t i = 0; i < plan->n_links && r == 0; i++)
		r = configure_link(sk, &plan->links[i], f);
	return r;
}

static int step_namespace(struct attach *a, struct fail *f)
{
	_fd_
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0)
		return fail_set(f, errno, "open(\"/proc/self/ns/net\")");
	if (setns(a->netns, CLONE_NEWNET) < 0)
		return fail_set(f, errno, "entering the network namespace");
	r = configure_inside(&a->plan, f);
	if (setns(own, CLONE_NEWNET) < 0)
		return fail_set(f, ENOTRECOVERABLE, "going back to the host's network namespace");
	return r;
}

/* Out of the bridge's own VLAN, which every new port is in. Nothing was sent in it: the link's other end is down. */
static int only_vlan(struct nl_sock *route, const struct port_link *l, struct fail *f)
{
	int r = rt_port_vlan(route, l->device, l->vlan, RT_PORT_OWN, f);

	return r < 0 || l->vlan == 1 ? r : rt_port_vlan(route, l->device, 1, RT_PORT_NOT_IN, f);
}

static int step_bridge(struct attach *a, struct fail *f)
{
	int r = 0;

	for (size_t i = 0; i < a->plan.n_links && r == 0; i++) {
		const struct port_link *l = &a->plan.links[i];

		if (!*l->device)
			continue;
		/* a port of a bridge needs no address of its own */
		r = no_ipv6(l->device, f);
		if (r == 0)
			r = rt_link_change(a->route, l->device,
					   &(struct rt_change){.up = true,
							       .master = l->bridge,
							       .alias = a->unit},
					   f);
		if (r == 0 && l->vlan)
			r = only_vlan(a->route, l, f);
	}
	return r;
}

/* Somebody has the key of e: if it is the unit itself (a leftover that no record told of) it is taken away
 * and 0 returned. */
static int settle_conflict(struct attach *a, const struct nft_elem *e, struct fail *f)
{
	struct nft_elem has = *e;
	char text[NFT_TEXT_MAX];

	if (nft_get(a->filter, &has, NULL) < 0)
		return 0; /* gone in the meantime: try again */
	if (!strcmp(has.comment, a->unit))
		return nft_purge(a->filter, a->unit, f);
	if (e->tag >= 0 && port_plan_next_random(&a->plan.state.ports[e->tag], NULL) == 0)
		return state_save_unit(&a->plan.state, f);
	return fail_set(f, EADDRINUSE, "%s is published by %s already", nft_elem_text(e, text),
			*has.comment ? has.comment : "somebody else");
}

static int step_publish(struct attach *a, struct fail *f)
{
	int r = -EEXIST;

	for (int i = 0; i < RANDOM_TRIES && r == -EEXIST; i++) {
		struct nft_elems add = {0};
		int failed, settled = 0;

		unit_state_elements(&a->plan.state, &add);
		r = nft_commit(a->filter, NULL, &add, &failed, f);
		if (r == -EEXIST && failed >= 0)
			settled = settle_conflict(a, &add.items[failed], f);
		nft_elems_done(&add);
		if (settled < 0)
			return settled;
	}
	return r;
}

static int step_forget(struct attach *a, struct fail *f)
{
	return conntrack_forget(a->filter, &a->plan.state, f);
}

static const struct {
	const char *name;
	int (*apply)(struct attach *a, struct fail *f);
} steps[] = {
	{"leftovers", step_leftovers}, {"record", step_record},       {"links", step_links},
	{"bridge", step_bridge},       {"namespace", step_namespace}, {"publish", step_publish},
	{"forget", step_forget},
};

static int run_steps(struct attach *a, struct fail *f)
{
	struct fail own;
	int r;

	f = f ? f : &own;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		r = steps[i].apply(a, f);
		if (r < 0) {
			/* undoing is the same as detaching: the record says what there may be */
			if (i > 0)
				(void)detach(a->route, a->filter, a->unit, NULL);
			fail_wrap(f, "network: %s", steps[i].name);
			return r;
		}
	}
	return 0;
}

/* It becomes a file's name. */
static int check_unit(const char *unit, struct fail *f)
{
	return store_name_valid(unit) ? 0
				      : fail_set(f, EINVAL, "not a unit's name: \"%.80s\"", unit);
}

static bool needs_spec(const struct spec_network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(networks[i].name, "none") != 0)
			return true;
	return false;
}

int port_attach(const char *unit, const struct spec_network *networks, size_t n_networks,
		const struct spec_port *ports, size_t n_ports, int netns, struct fail *f)
{
	_nlk_ struct nl_sock *route = NULL;
	_nlk_ struct nl_sock *filter = NULL;
	_fd_
	int lock = state_lock(LOCK_SH, f);
	struct attach a = {.unit = unit, .netns = netns};
	struct net_spec spec = {0};
	int r = check_unit(unit, f);

	if (lock < 0 || r < 0)
		return lock < 0 ? lock : r;
	r = needs_spec(networks, n_networks) ? state_load_spec(&spec, f) : 0;
	if (r == 0)
		r = port_plan_make(&a.plan, &spec, unit, networks, n_networks, ports, n_ports, f);
	if (r < 0) {
		netspec_done(&spec);
		fail_wrap(f, "network: plan");
		return r;
	}
	a.route = route = nlk_open(NETLINK_ROUTE, f);
	a.filter = filter = route ? nlk_open(NETLINK_NETFILTER, f) : NULL;
	r = filter ? run_steps(&a, f) : -EPROTO;
	port_plan_done(&a.plan);
	netspec_done(&spec); /* the plan borrowed from it */
	return r;
}

int port_detach(const char *unit, struct fail *f)
{
	_nlk_ struct nl_sock *route = NULL;
	_nlk_ struct nl_sock *filter = NULL;
	_fd_
	int lock = state_lock(LOCK_SH, f);
	int r = check_unit(unit, f);

	if (lock < 0 || r < 0)
		return lock < 0 ? lock : r;
	route = nlk_open(NETLINK_ROUTE, f);
	filter = route ? nlk_open(NETLINK_NETFILTER, f) : NULL;
	return filter ? detach(route, filter, unit, f) : -EPROTO;
}
