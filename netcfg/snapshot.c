/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "netcfg/lease.h"
#include "netcfg/nft_batch.h"

#define FILE_MAX (16u << 20)

static void copy_string(char *ret, size_t size, const struct nlattr *a)
{
	if (a)
		snprintf(ret, size, "%.*s", nla_len(a), (const char *)nla_data(a));
}

static unsigned vlan_tag(const struct nlattr *data)
{
	struct nlattr *tag = data ? nla_find(nla_data(data), nla_len(data), IFLA_VLAN_ID) : NULL;

	return tag ? nla_get_u16(tag) : 0;
}

static void read_bridge(struct nlattr *data, struct net_link *l)
{
	struct nlattr *tb[IFLA_BR_MAX + 1];

	if (!data || nla_parse_nested(tb, IFLA_BR_MAX, data, NULL) < 0)
		return;
	l->vlans = tb[IFLA_BR_VLAN_FILTERING] && nla_get_u8(tb[IFLA_BR_VLAN_FILTERING]);
	if (tb[IFLA_BR_VLAN_DEFAULT_PVID])
		l->pvid = nla_get_u16(tb[IFLA_BR_VLAN_DEFAULT_PVID]);
}

static int each_link(struct nlmsghdr *nh, void *arg)
{
	const struct ifinfomsg *head = nlmsg_data(nh);
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1] = {0};
	struct net_state *have = arg;
	struct net_link *l;

	if (nh->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (nlmsg_parse(nh, sizeof(*head), tb, IFLA_MAX, NULL) < 0 || !tb[IFLA_IFNAME])
		return -EBADMSG;
	if (tb[IFLA_LINKINFO] && nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) < 0)
		return -EBADMSG;
	l = net_add_link(have);
	if (!l)
		return -ENOMEM;
	copy_string(l->name, sizeof(l->name), tb[IFLA_IFNAME]);
	copy_string(l->alias, sizeof(l->alias), tb[IFLA_IFALIAS]);
	l->index = head->ifi_index;
	l->up = head->ifi_flags & IFF_UP;
	l->carrier = head->ifi_flags & IFF_RUNNING;
	l->mtu = tb[IFLA_MTU] ? nla_get_u32(tb[IFLA_MTU]) : 0;
	l->bridge = info[IFLA_INFO_KIND] && !strcmp(nla_get_string(info[IFLA_INFO_KIND]), "bridge");
	if (l->bridge)
		read_bridge(info[IFLA_INFO_DATA], l);
	l->master_index = tb[IFLA_MASTER] ? (int)nla_get_u32(tb[IFLA_MASTER]) : 0;
	if (info[IFLA_INFO_KIND] && !strcmp(nla_get_string(info[IFLA_INFO_KIND]), "vlan"))
		l->vlan = vlan_tag(info[IFLA_INFO_DATA]);
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof(l->mac.b))
		memcpy(l->mac.b, nla_data(tb[IFLA_ADDRESS]), sizeof(l->mac.b));
	return 0;
}

static int each_address(struct nlmsghdr *nh, void *arg)
{
	const struct ifaddrmsg *head = nlmsg_data(nh);
	struct nlattr *tb[IFA_MAX + 1], *local;
	struct net_state *have = arg;
	struct net_address *a;

	if (nh->nlmsg_type != RTM_NEWADDR)
		return 0;
	if (nlmsg_parse(nh, sizeof(*head), tb, IFA_MAX, NULL) < 0)
		return -EBADMSG;
	local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!local || (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return 0;
	a = net_add_address(have);
	if (!a)
		return -ENOMEM;
	a->addr.ip.family = head->ifa_family == AF_INET ? 4 : 6;
	a->addr.len = head->ifa_prefixlen;
	if (nla_len(local) != (int)ip_bytes(&a->addr.ip))
		return -EBADMSG;
	memcpy(a->addr.ip.b, nla_data(local), ip_bytes(&a->addr.ip));
	for (size_t i = 0; i < have->n_links; i++)
		if (have->links[i].index == (int)head->ifa_index)
			memcpy(a->dev, have->links[i].name, sizeof(a->dev));
	return 0;
}

static const char *link_name(const struct net_state *have, int index)
{
	for (size_t i = 0; i < have->n_links; i++)
		if (have->links[i].index == index)
			return have->links[i].name;
	return "";
}

static int each_route(struct nlmsghdr *nh, void *arg)
{
	const struct rtmsg *head = nlmsg_data(nh);
	struct nlattr *tb[RTA_MAX + 1];
	struct net_state *have = arg;
	struct net_route *r;

	if (nh->nlmsg_type != RTM_NEWROUTE || head->rtm_dst_len || head->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse(nh, sizeof(*head), tb, RTA_MAX, NULL) < 0)
		return -EBADMSG;
	r = net_add_route(have);
	if (!r)
		return -ENOMEM;
	r->gateway.family = head->rtm_family == AF_INET ? 4 : 6;
	if (tb[RTA_GATEWAY] && nla_len(tb[RTA_GATEWAY]) == (int)ip_bytes(&r->gateway))
		memcpy(r->gateway.b, nla_data(tb[RTA_GATEWAY]), ip_bytes(&r->gateway));
	if (tb[RTA_OIF])
		snprintf(r->dev, sizeof(r->dev), "%s",
			 link_name(have, (int)nla_get_u32(tb[RTA_OIF])));
	return 0;
}

/* Who drives each card, as host.conf's Driver= means it. */
static void read_drivers(struct net_state *have)
{
	_fd_
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < have->n_links && fd >= 0; i++) {
		struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
		struct ifreq req = {.ifr_data = (char *)&info};

		memcpy(req.ifr_name, have->links[i].name, sizeof(have->links[i].name));
		if (ioctl(fd, SIOCETHTOOL, &req) == 0)
			snprintf(have->links[i].driver, sizeof(have->links[i].driver), "%.31s",
				 info.driver);
	}
}

/* The VLANs that a port carries tagged. */
static int each_port_vlan(struct nlmsghdr *nh, void *arg)
{
	const struct ifinfomsg *head = nlmsg_data(nh);
	struct nlattr *tb[IFLA_MAX + 1], *item;
	struct net_state *have = arg;
	int left;

	if (nlmsg_parse(nh, sizeof(*head), tb, IFLA_MAX, NULL) < 0)
		return -EBADMSG;
	if (!tb[IFLA_AF_SPEC])
		return 0;
	nla_for_each_nested(item, tb[IFLA_AF_SPEC], left)
	{
		const struct bridge_vlan_info *v = nla_data(item);

		if (nla_type(item) != IFLA_BRIDGE_VLAN_INFO || nla_len(item) < (int)sizeof(*v) ||
		    v->flags & (BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED))
			continue;
		if (!net_add_port_vlan(have, link_name(have, head->ifi_index), v->vid))
			return -ENOMEM;
	}
	return 0;
}

static int read_port_vlans(struct nl_sock *route, struct net_state *have, struct fail *f)
{
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE};
	bool any = false;

	for (size_t i = 0; i < have->n_links; i++)
		any |= have->links[i].vlans;
	if (!any)
		return 0;
	return nlk_dump(route,
			nlk_dump_request(RTM_GETLINK, &head, sizeof(head), RTEXT_FILTER_BRVLAN),
			each_port_vlan, have, f, "listing VLANs of ports");
}

int snapshot_uplinks(struct nl_sock *route, struct net_state *have, struct fail *f)
{
	struct rtmsg head = {.rtm_family = AF_UNSPEC};
	int r;

	for (size_t i = 0; i < have->n_links; i++)
		if (have->links[i].master_index)
			snprintf(have->links[i].master, sizeof(have->links[i].master), "%s",
				 link_name(have, have->links[i].master_index));
	read_drivers(have);
	r = read_port_vlans(route, have, f);
	if (r < 0)
		return r;
	return nlk_dump(route, nlk_dump_request(RTM_GETROUTE, &head, sizeof(head), 0), each_route,
			have, f, "listing routes");
}

int snapshot_links(struct nl_sock *route, struct net_state *have, struct fail *f)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	struct ifaddrmsg addr = {.ifa_family = AF_UNSPEC};
	int r;

	/* counters of 500 links are megabytes that nobody reads */
	r = nlk_dump(route,
		     nlk_dump_request(RTM_GETLINK, &link, sizeof(link), RTEXT_FILTER_SKIP_STATS),
		     each_link, have, f, "listing links");
	if (r < 0)
		return r;
	return nlk_dump(route, nlk_dump_request(RTM_GETADDR, &addr, sizeof(addr), 0), each_address,
			have, f, "listing addresses");
}

/* "0\t2147483647\n" -> "0 2147483647" */
static void squeeze(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++)
		if (*from != ' ' && *from != '\t' && *from != '\n')
			to[n++] = *from;
		else if (n && to[n - 1] != ' ')
			to[n++] = ' ';
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static int read_sysctl(const struct net_sysctl *w, struct net_state *have, struct fail *f)
{
	struct net_sysctl *s = net_add_sysctl(have);
	_free_
	char *text = NULL;
	char path[128];
	size_t len;
	int r;

	if (!s)
		return fail_set(f, ENOMEM, "snapshot");
	memcpy(s->path, w->path, sizeof(s->path));
	snprintf(path, sizeof(path), "/proc/sys/%s", w->path);
	r = io_read_file(AT_FDCWD, path, 4096, &text, &len, f);
	s->missing = r == -ENOENT;
	if (r == 0)
		squeeze(text, s->value, sizeof(s->value));
	return r == -ENOENT ? 0 : r;
}

static int read_file(const char *path, struct net_state *have, struct fail *f)
{
	_free_
	char *text = NULL;
	size_t len = 0;
	int r = io_read_file(AT_FDCWD, path, FILE_MAX, &text, &len, f);

	if (r < 0 && r != -ENOENT)
		return r;
	return net_add_file(have, path, text, len) ? 0 : fail_set(f, ENOMEM, "snapshot");
}

/* Files of networks that are no more. */
static int list_folder(const char *folder, const struct net_state *want, struct net_state *have,
		       struct fail *f)
{
	_dir_ DIR *dir = opendir(folder);
	char path[sizeof(PATH_RESOLVS) + 512];
	struct dirent *e;
	bool known;

	while (dir && (e = readdir(dir))) {
		if (e->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		known = false;
		for (size_t i = 0; i < want->n_files && !known; i++)
			known = want->files[i].path && !strcmp(want->files[i].path, path);
		if (!known && !net_add_file(have, path, "", 0))
			return fail_set(f, ENOMEM, "snapshot");
	}
	return 0;
}

static int read_filter(struct nl_sock *filter, bool needed, struct net_state *have, struct fail *f)
{
	int r = nft_loaded(filter, f);

	/* without bridges the packet filter may not even be in the kernel */
	if (r < 0 && !needed)
		return 0;
	have->nft_loaded = r == 1;
	for (size_t i = 0; i < NFT_SET__N && r == 1; i++) {
		int l = nft_list(filter, i, &have->elems, f);

		r = l < 0 ? l : r;
	}
	return r < 0 ? r : 0;
}

int snapshot_files(const struct net_state *want, struct net_state *have, struct fail *f)
{
	int r = 0;

	for (size_t i = 0; i < want->n_files && r == 0; i++)
		r = read_file(want->files[i].path, have, f);
	return r == 0 && have->bad ? fail_set(f, ENOMEM, "snapshot") : r;
}

int snapshot_rest(struct nl_sock *filter, const struct net_state *want, struct net_state *have,
		  struct fail *f)
{
	int r = 0;

	for (size_t i = 0; i < want->n_sysctls && r == 0; i++)
		r = read_sysctl(&want->sysctls[i], have, f);
	if (r == 0)
		r = snapshot_files(want, have, f);
	if (r == 0)
		r = list_folder(PATH_HOSTS, want, have, f);
	if (r == 0)
		r = list_folder(PATH_RESOLVS, want, have, f);
	if (r == 0)
		r = read_filter(filter, want->nft_loaded, have, f);
	return r == 0 && have->bad ? fail_set(f, ENOMEM, "snapshot") : r;
}
