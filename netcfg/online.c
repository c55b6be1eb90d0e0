/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/online.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netcfg/nlk.h"
#include "netcfg/snapshot.h"

/* Devices by which a default route of a family leaves. */
#define ROUTES_MAX 64

struct routes {
	uint8_t family[ROUTES_MAX];
	int dev[ROUTES_MAX];
	size_t n;
};

static void note(struct routes *rs, uint8_t family, int dev)
{
	if (rs->n < ROUTES_MAX) {
		rs->family[rs->n] = family == AF_INET ? 4 : 6;
		rs->dev[rs->n++] = dev;
	}
}

static int each_route(struct nlmsghdr *nh, void *arg)
{
	const struct rtmsg *head = nlmsg_data(nh);
	struct nlattr *tb[RTA_MAX + 1];

	if (nh->nlmsg_type != RTM_NEWROUTE || head->rtm_dst_len != 0 ||
	    head->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse(nh, sizeof(*head), tb, RTA_MAX, NULL) < 0)
		return -EBADMSG;
	if (tb[RTA_OIF])
		note(arg, head->rtm_family, (int)nla_get_u32(tb[RTA_OIF]));
	if (tb[RTA_MULTIPATH]) {
		const struct rtnexthop *nh1 = nla_data(tb[RTA_MULTIPATH]);

		if (nla_len(tb[RTA_MULTIPATH]) >= (int)sizeof(*nh1))
			note(arg, head->rtm_family, nh1->rtnh_ifindex);
	}
	return 0;
}

static const struct net_link *link_of(const struct net_state *s, int index)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

static bool good_beyond(const struct ip *ip)
{
	if (ip->family == 4)
		return !(ip->b[0] == 169 && ip->b[1] == 254) && ip->b[0] != 127;
	return !(ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80);
}

/* 1, 0 or -errno. */
static int is_online(struct nl_sock *sk, struct fail *f)
{
	struct rtmsg head = {.rtm_family = AF_UNSPEC};
	struct net_state s = {0};
	struct routes rs = {.n = 0};
	int r = nlk_dump(sk, nlk_dump_request(RTM_GETROUTE, &head, sizeof(head), 0), each_route,
			 &rs, f, "listing routes");

	if (r == 0)
		r = snapshot_links(sk, &s, f);
	for (size_t i = 0; i < rs.n && r == 0; i++) {
		const struct net_link *l = link_of(&s, rs.dev[i]);

		for (size_t k = 0; l && l->up && k < s.n_addresses && r == 0; k++)
			r = !strcmp(s.addresses[k].dev, l->name) &&
			    s.addresses[k].addr.ip.family == rs.family[i] &&
			    strncmp(l->alias, PLAN_ALIAS, strlen(PLAN_ALIAS)) != 0 &&
			    good_beyond(&s.addresses[k].addr.ip);
	}
	net_state_done(&s);
	return r;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Throws away what waits in the socket: that something changed is all it says, also when it overflowed. */
static void drain(int fd)
{
	char data[4096];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) >= 0 || errno == ENOBUFS ||
	       errno == EINTR)
		;
}

int online_wait(int timeout_ms, struct fail *f)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	_nlk_ struct nl_sock *ask = nlk_open(NETLINK_ROUTE, f);
	_nlk_ struct nl_sock *events = ask ? nlk_open(NETLINK_ROUTE, f) : NULL;
	long long end = now_ms() + timeout_ms;
	struct pollfd wait = {.events = POLLIN};
	int r;

	if (!events)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (nl_socket_add_membership(events, groups[i]) < 0)
			return fail_set(f, EPROTO, "listening to network events");
	wait.fd = nl_socket_get_fd(events);
	/* listening came first, so nothing can happen between looking and waiting */
	while ((r = is_online(ask, f)) == 0) {
		long long left = end - now_ms();

		if (timeout_ms >= 0 && left <= 0)
			return fail_set(f, ETIMEDOUT,
					"no uplink has an address and a default route");
		if (poll(&wait, 1, timeout_ms < 0 ? -1 : (int)left) < 0 && errno != EINTR)
			return fail_set(f, errno, "poll");
		drain(wait.fd);
	}
	return r < 0 ? r : 0;
}
