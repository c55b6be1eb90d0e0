/* SPDX-License-Identifier: Apache-2.0 */
/* VLANs of bridges. libnl reads them and does not set them: the messages are made here from their parts. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/socket.h>

#include "netcfg/rt.h"

static struct nl_msg *link_msg(int type, uint8_t family, int index)
{
	struct ifinfomsg head = {.ifi_family = family, .ifi_index = index};
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST);

	if (msg && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

int rt_bridge_vlans(struct nl_sock *sk, const char *bridge, bool on, unsigned untagged,
		    struct fail *f)
{
	int index = rt_index(bridge, f);
	struct nl_msg *msg = index < 0 ? NULL : link_msg(RTM_NEWLINK, AF_UNSPEC, index);
	struct nlattr *info = msg ? nla_nest_start(msg, IFLA_LINKINFO) : NULL, *data = NULL;

	if (index < 0)
		return index;
	if (info && nla_put_string(msg, IFLA_INFO_KIND, "bridge") == 0)
		data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (data && nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, on) == 0 &&
	    nla_put_u16(msg, IFLA_BR_VLAN_DEFAULT_PVID, (uint16_t)untagged) == 0) {
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	} else {
		nlmsg_free(msg);
		msg = NULL;
	}
	return nlk_talk(sk, msg, f, "VLANs of bridge \"%s\"", bridge);
}

int rt_port_vlan(struct nl_sock *sk, const char *dev, unsigned tag, enum rt_port_vlan how,
		 struct fail *f)
{
	struct bridge_vlan_info vlan = {.vid = (uint16_t)tag};
	int r, index = rt_index(dev, f);
	struct nl_msg *msg = index < 0 ? NULL
				       : link_msg(how == RT_PORT_NOT_IN ? RTM_DELLINK : RTM_SETLINK,
						  AF_BRIDGE, index);
	struct nlattr *spec = msg ? nla_nest_start(msg, IFLA_AF_SPEC) : NULL;

	if (index < 0)
		return index;
	if (how == RT_PORT_OWN)
		vlan.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
	if (spec && nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan) == 0) {
		nla_nest_end(msg, spec);
	} else {
		nlmsg_free(msg);
		msg = NULL;
	}
	r = nlk_talk(sk, msg, f, "VLAN %u of port \"%s\"", tag, dev);
	return r == -ENOENT && how == RT_PORT_NOT_IN ? 0 : r;
}
