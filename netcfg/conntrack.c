/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"

/* Compare the protocol's number; from the kernel's own nf_internals.h, no header of ours has it. */
#define FILTER_PROTO_NUM (1u << 3)

/* What is to be forgotten: the tuples that name a conversation, one after the other. */
struct found {
	uint8_t ports[8192]; /* a bit for each port number */
	struct buf tuples; /* struct { uint32_t len; uint8_t family; } and the attribute's bytes */
	size_t n;
};

struct tuple_head {
	uint32_t len;
	uint8_t family;
};

static struct nl_msg *new_msg(int type, int flags, uint8_t family)
{
	struct nfgenmsg head = {family, NFNETLINK_V0, 0};
	struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | type,
						flags | NLM_F_REQUEST);

	if (msg && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static int each(struct nlmsghdr *nh, void *arg)
{
	const struct nfgenmsg *head = nlmsg_data(nh);
	struct nlattr *tb[CTA_MAX + 1], *tuple[CTA_TUPLE_MAX + 1], *proto[CTA_PROTO_MAX + 1];
	struct found *found = arg;
	unsigned port;

	if (nlmsg_parse(nh, sizeof(*head), tb, CTA_MAX, NULL) < 0 || !tb[CTA_TUPLE_ORIG] ||
	    nla_parse_nested(tuple, CTA_TUPLE_MAX, tb[CTA_TUPLE_ORIG], NULL) < 0 ||
	    !tuple[CTA_TUPLE_PROTO] ||
	    nla_parse_nested(proto, CTA_PROTO_MAX, tuple[CTA_TUPLE_PROTO], NULL) < 0 ||
	    !proto[CTA_PROTO_NUM] || !proto[CTA_PROTO_DST_PORT])
		return 0;
	port = ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT]));
	if (nla_get_u8(proto[CTA_PROTO_NUM]) == IPPROTO_UDP &&
	    found->ports[port / 8] >> port % 8 & 1) {
		struct tuple_head th = {(uint32_t)nla_len(tb[CTA_TUPLE_ORIG]), head->nfgen_family};

		buf_add(&found->tuples, &th, sizeof(th));
		buf_add(&found->tuples, nla_data(tb[CTA_TUPLE_ORIG]), th.len);
		found->n++;
	}
	return 0;
}

/* UDP only, chosen by the kernel (5.8; older ones list everything, which is only slower). */
static struct nl_msg *list_msg(uint8_t family)
{
	struct nl_msg *msg = new_msg(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	struct nlattr *filter, *tuple, *proto;

	if (!msg)
		return NULL;
	filter = nla_nest_start(msg, CTA_FILTER | NLA_F_NESTED);
	if (!filter || nla_put_u32(msg, CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM) < 0 ||
	    nla_put_u32(msg, CTA_FILTER_REPLY_FLAGS, 0) < 0)
		goto bad;
	nla_nest_end(msg, filter);
	tuple = nla_nest_start(msg, CTA_TUPLE_ORIG | NLA_F_NESTED);
	proto = tuple ? nla_nest_start(msg, CTA_TUPLE_PROTO | NLA_F_NESTED) : NULL;
	if (!proto || nla_put_u8(msg, CTA_PROTO_NUM, IPPROTO_UDP) < 0)
		goto bad;
	nla_nest_end(msg, proto);
	nla_nest_end(msg, tuple);
	return msg;
bad:
	nlmsg_free(msg);
	return NULL;
}

static int forget(struct nl_sock *sk, const struct found *found, struct fail *f)
{
	const char *at = found->tuples.data;
	int r = 0;

	for (size_t i = 0; i < found->n && r == 0; i++) {
		struct tuple_head th;
		struct nl_msg *msg;

		memcpy(&th, at, sizeof(th));
		msg = new_msg(IPCTNL_MSG_CT_DELETE, 0, th.family);
		if (msg &&
		    nla_put(msg, CTA_TUPLE_ORIG | NLA_F_NESTED, (int)th.len, at + sizeof(th)) < 0) {
			nlmsg_free(msg);
			msg = NULL;
		}
		r = nlk_talk(sk, msg, f, "forgetting a UDP conversation");
		r = r == -ENOENT ? 0 : r; /* it ended by itself */
		at += sizeof(th) + th.len;
	}
	return r;
}

int conntrack_forget(struct nl_sock *filter, const struct unit_state *s, struct fail *f)
{
	struct found found = {0};
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < s->n_ports; i++) {
		unsigned long port = strtoul(s->ports[i].host, NULL, 10) & 65535;

		if (strcmp(s->ports[i].protocol, "udp") != 0)
			continue;
		any = true;
		found.ports[port / 8] |= (uint8_t)(1 << port % 8);
	}
	for (int v6 = 0; v6 < 2 && any && r == 0; v6++)
		r = nlk_dump(filter, list_msg(v6 ? AF_INET6 : AF_INET), each, &found, f,
			     "listing UDP conversations");
	if (found.tuples.bad)
		r = fail_set(f, ENOMEM, "UDP conversations");
	if (r == 0)
		r = forget(filter, &found, f);
	buf_done(&found.tuples);
	return r == -EOPNOTSUPP || r == -EINVAL ? 0 : r;
}
