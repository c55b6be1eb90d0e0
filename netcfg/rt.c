/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/rt.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/socket.h>

#define DROP(type, put)                          \
	static void drop_##type(struct type **p) \
	{                                        \
		if (*p)                          \
			put(*p);                 \
	}
DROP(rtnl_link, rtnl_link_put)
DROP(rtnl_addr, rtnl_addr_put)
DROP(rtnl_route, rtnl_route_put)
DROP(nl_addr, nl_addr_put)
#define _drop_(type) __attribute__((cleanup(drop_##type)))

int rt_index(const char *dev, struct fail *f)
{
	unsigned index = if_nametoindex(dev);

	return index ? (int)index : fail_set(f, ENODEV, "device \"%s\"", dev);
}

static int family(const struct ip *ip)
{
	return ip->family == 4 ? AF_INET : AF_INET6;
}

static void set_mac(struct rtnl_link *link, const struct mac *mac)
{
	_drop_(nl_addr) struct nl_addr *a = nl_addr_build(AF_LLC, mac->b, sizeof(mac->b));

	if (a)
		rtnl_link_set_addr(link, a); /* takes its own reference */
}

/* The message that creates link. */
static int link_add(struct nl_sock *sk, struct rtnl_link *link, const char *kind, const char *name,
		    struct fail *f)
{
	struct nl_msg *msg = NULL;

	if (link && rtnl_link_build_add_request(link, NLM_F_CREATE | NLM_F_EXCL, &msg) < 0)
		msg = NULL;
	return nlk_talk(sk, msg, f, "making %s \"%s\"", kind, name);
}

int rt_veth_add(struct nl_sock *sk, const struct rt_veth *veth, struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_veth_alloc();
	_drop_(rtnl_link) struct rtnl_link *peer = link ? rtnl_link_veth_get_peer(link) : NULL;

	if (!peer)
		return fail_set(f, ENOMEM, "veth");
	rtnl_link_set_name(link, veth->name);
	rtnl_link_set_name(peer, veth->peer_name);
	rtnl_link_set_ns_fd(peer, veth->peer_netns);
	set_mac(peer, &veth->peer_mac);
	if (veth->mtu) {
		rtnl_link_set_mtu(link, veth->mtu);
		rtnl_link_set_mtu(peer, veth->mtu);
	}
	return link_add(sk, link, "veth", veth->name, f);
}

int rt_bridge_add(struct nl_sock *sk, const char *name, const struct mac *mac, unsigned mtu,
		  struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_bridge_alloc();

	if (!link)
		return fail_set(f, ENOMEM, "bridge");
	rtnl_link_set_name(link, name);
	set_mac(link, mac);
	if (mtu)
		rtnl_link_set_mtu(link, mtu);
	return link_add(sk, link, "bridge", name, f);
}

int rt_vlan_add(struct nl_sock *sk, const char *name, const char *parent, unsigned tag,
		struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_vlan_alloc();
	int index = rt_index(parent, f);

	if (index < 0)
		return index;
	if (!link)
		return fail_set(f, ENOMEM, "vlan");
	rtnl_link_set_name(link, name);
	rtnl_link_set_link(link, index);
	(void)rtnl_link_vlan_set_id(link, (uint16_t)tag);
	return link_add(sk, link, "vlan", name, f);
}

/* libnl reads ipvlan links, and makes only what one cannot set: made here from its parts. */
static struct nl_msg *ipvlan_msg(const struct rt_child *c, int parent)
{
	int mode = !*c->mode ? rtnl_link_ipvlan_str2mode("l2") : rtnl_link_ipvlan_str2mode(c->mode);
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK,
						NLM_F_CREATE | NLM_F_EXCL | NLM_F_REQUEST);
	struct nlattr *info, *data;

	if (!msg)
		return NULL;
	if (mode < 0 || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, c->name) < 0 ||
	    nla_put_u32(msg, IFLA_LINK, (uint32_t)parent) < 0 ||
	    nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)c->netns) < 0 ||
	    (c->mtu && nla_put_u32(msg, IFLA_MTU, c->mtu) < 0))
		goto bad;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "ipvlan") < 0)
		goto bad;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || nla_put_u16(msg, IFLA_IPVLAN_MODE, (uint16_t)mode) < 0)
		goto bad;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
bad:
	nlmsg_free(msg);
	return NULL;
}

int rt_child_add(struct nl_sock *sk, const struct rt_child *c, struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_macvlan_alloc();
	int index = rt_index(c->parent, f), mode;

	if (index < 0)
		return index;
	if (!strcmp(c->driver, "ipvlan"))
		return nlk_talk(sk, ipvlan_msg(c, index), f, "making ipvlan \"%s\" on \"%s\"",
				c->name, c->parent);
	mode = rtnl_link_macvlan_str2mode(*c->mode ? c->mode : "bridge");
	if (mode < 0)
		return fail_set(f, EINVAL, "macvlan mode \"%.40s\"", c->mode);
	if (!link)
		return fail_set(f, ENOMEM, "macvlan");
	rtnl_link_set_name(link, c->name);
	rtnl_link_set_link(link, index);
	rtnl_link_set_ns_fd(link, c->netns);
	(void)rtnl_link_macvlan_set_mode(link, (uint32_t)mode);
	set_mac(link, &c->mac);
	if (c->mtu)
		rtnl_link_set_mtu(link, c->mtu);
	return link_add(sk, link, "macvlan", c->name, f);
}

int rt_link_del(struct nl_sock *sk, const char *dev, struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
	unsigned index = if_nametoindex(dev);
	struct nl_msg *msg = NULL;
	int r;

	if (!index)
		return 0;
	if (link)
		rtnl_link_set_ifindex(link, (int)index);
	if (link && rtnl_link_build_delete_request(link, &msg) < 0)
		msg = NULL;
	r = nlk_talk(sk, msg, f, "removing device \"%s\"", dev);
	return r == -ENODEV ? 0 : r;
}

int rt_link_change(struct nl_sock *sk, const char *dev, const struct rt_change *change,
		   struct fail *f)
{
	_drop_(rtnl_link) struct rtnl_link *now = rtnl_link_alloc();
	_drop_(rtnl_link) struct rtnl_link *link = rtnl_link_alloc();
	int index = rt_index(dev, f), master = 0;
	struct nl_msg *msg = NULL;

	if (index >= 0 && change->master)
		master = rt_index(change->master, f);
	if (index < 0 || master < 0)
		return index < 0 ? index : master;
	if (now && link) {
		rtnl_link_set_ifindex(now, index);
		if (change->up)
			rtnl_link_set_flags(link, IFF_UP);
		if (master)
			rtnl_link_set_master(link, master);
		if (change->alias)
			rtnl_link_set_ifalias(link, change->alias);
		if (change->mac)
			set_mac(link, change->mac);
		if (change->mtu)
			rtnl_link_set_mtu(link, change->mtu);
		if (rtnl_link_build_change_request(now, link, 0, &msg) < 0)
			msg = NULL;
	}
	return nlk_talk(sk, msg, f, "setting up device \"%s\"", dev);
}

static struct nl_addr *make_addr(const struct ip *ip, unsigned len)
{
	struct nl_addr *a = nl_addr_build(family(ip), ip->b, ip_bytes(ip));

	if (a)
		nl_addr_set_prefixlen(a, (int)len);
	return a;
}

static struct rtnl_addr *addr_object(int index, const struct ip_prefix *p)
{
	struct ip_prefix subnet = ip_prefix_base(p);
	struct ip last = ip_prefix_at(&subnet, ip_prefix_size(&subnet) - 1);
	_drop_(nl_addr) struct nl_addr *local = make_addr(&p->ip, p->len);
	_drop_(nl_addr) struct nl_addr *broadcast = make_addr(&last, 32);
	struct rtnl_addr *a = rtnl_addr_alloc();

	if (!a || !local || !broadcast || rtnl_addr_set_local(a, local) < 0) {
		drop_rtnl_addr(&a);
		return NULL;
	}
	rtnl_addr_set_ifindex(a, index);
	/* nmbd and others ask the interface for its broadcast address */
	if (p->ip.family == 4 && p->len < 31)
		(void)rtnl_addr_set_broadcast(a, broadcast);
	if (p->ip.family == 6)
		rtnl_addr_set_flags(a, IFA_F_NODAD);
	return a;
}

int rt_addr_add(struct nl_sock *sk, const char *dev, const struct ip_prefix *addr, struct fail *f)
{
	_drop_(rtnl_addr) struct rtnl_addr *a = NULL;
	int r, index = rt_index(dev, f);
	struct nl_msg *msg = NULL;
	char text[IP_TEXT_MAX];

	if (index < 0)
		return index;
	a = addr_object(index, addr);
	if (a && rtnl_addr_build_add_request(a, NLM_F_CREATE | NLM_F_EXCL, &msg) < 0)
		msg = NULL;
	r = nlk_talk(sk, msg, f, "address %s on \"%s\"", ip_prefix_text(addr, text), dev);
	return r == -EEXIST ? 0 : r;
}

int rt_addr_del(struct nl_sock *sk, const char *dev, const struct ip_prefix *addr, struct fail *f)
{
	_drop_(rtnl_addr) struct rtnl_addr *a = NULL;
	int r, index = rt_index(dev, f);
	struct nl_msg *msg = NULL;
	char text[IP_TEXT_MAX];

	if (index < 0)
		return index;
	a = addr_object(index, addr);
	if (a && rtnl_addr_build_delete_request(a, 0, &msg) < 0)
		msg = NULL;
	r = nlk_talk(sk, msg, f, "removing address %s from \"%s\"", ip_prefix_text(addr, text),
		     dev);
	return r == -EADDRNOTAVAIL ? 0 : r;
}

int rt_default_route(struct nl_sock *sk, const char *dev, const struct ip *gateway, struct fail *f)
{
	_drop_(rtnl_route) struct rtnl_route *route = rtnl_route_alloc();
	_drop_(nl_addr) struct nl_addr *dst = make_addr(&(struct ip){gateway->family, {0}}, 0);
	_drop_(nl_addr) struct nl_addr *via = make_addr(gateway, gateway->family == 4 ? 32 : 128);
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	int index = rt_index(dev, f);
	struct nl_msg *msg = NULL;
	char text[IP_TEXT_MAX];

	if (index < 0) {
		if (nh)
			rtnl_route_nh_free(nh);
		return index;
	}
	if (route && dst && via && nh) {
		rtnl_route_nh_set_ifindex(nh, index);
		rtnl_route_nh_set_gateway(nh, via);
		rtnl_route_add_nexthop(route, nh); /* route owns it now */
		nh = NULL;
		rtnl_route_set_family(route, (uint8_t)family(gateway));
		rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
		rtnl_route_set_protocol(route, RTPROT_STATIC);
		rtnl_route_set_table(route, RT_TABLE_MAIN);
		rtnl_route_set_dst(route, dst);
		if (rtnl_route_build_add_request(route, NLM_F_CREATE | NLM_F_REPLACE, &msg) < 0)
			msg = NULL;
	}
	if (nh)
		rtnl_route_nh_free(nh);
	return nlk_talk(sk, msg, f, "default route by %s", ip_text(gateway, text));
}
