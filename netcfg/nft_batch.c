/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/nft_batch.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define UDATA_COMMENT 0 /* type of nft's own user data: a comment */

/* The chains of base.nft, with one rule at least in each: `nft flush table` leaves them empty. */
static const struct {
	uint8_t family;
	const char *name;
} chains[] = {
	{NFPROTO_INET, "early"},       {NFPROTO_INET, "never"},   {NFPROTO_INET, "publish_in"},
	{NFPROTO_INET, "publish_own"}, {NFPROTO_INET, "publish"}, {NFPROTO_INET, "nat_out"},
	{NFPROTO_INET, "forward"},     {NFPROTO_INET, "input"},   {NFPROTO_BRIDGE, "source"},
};

static struct nl_msg *new_msg(int type, int flags, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg head = {family, NFNETLINK_V0, htons(res_id)};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags | NLM_F_REQUEST);

	if (msg && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static struct nl_msg *new_set_msg(int type, int flags, enum nft_set_id set, int table_attr,
				  int set_attr)
{
	struct nl_msg *msg = new_msg(NFNL_SUBSYS_NFTABLES << 8 | type, flags, nft_sets[set].family,
				     0);

	if (msg && (nla_put_string(msg, table_attr, NFT_TABLE) < 0 ||
		    nla_put_string(msg, set_attr, nft_sets[set].name) < 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static int put_value(struct nl_msg *msg, int attr, const void *data, int len)
{
	struct nlattr *nest = nla_nest_start(msg, attr | NLA_F_NESTED);

	if (!nest || nla_put(msg, NFTA_DATA_VALUE, len, data) < 0)
		return -ENOMEM;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_comment(struct nl_msg *msg, const char *text)
{
	uint8_t udata[2 + NFT_COMMENT_MAX];
	size_t len = strlen(text) + 1;

	if (len == 1)
		return 0;
	udata[0] = UDATA_COMMENT;
	udata[1] = (uint8_t)len;
	memcpy(udata + 2, text, len);
	return nla_put(msg, NFTA_SET_ELEM_USERDATA, (int)len + 2, udata);
}

/* A message about one element; `whole` for adding: data and comment too. */
static struct nl_msg *elem_msg(int type, int flags, const struct nft_elem *e, bool whole)
{
	const struct nft_set *set = &nft_sets[e->set];
	struct nl_msg *msg = new_set_msg(type, flags, e->set, NFTA_SET_ELEM_LIST_TABLE,
					 NFTA_SET_ELEM_LIST_SET);
	struct nlattr *list, *item;

	if (!msg)
		return NULL;
	list = nla_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	item = list ? nla_nest_start(msg, NFTA_LIST_ELEM | NLA_F_NESTED) : NULL;
	if (!item || put_value(msg, NFTA_SET_ELEM_KEY, e->key, set->key_len) < 0 ||
	    (whole && set->data_len &&
	     put_value(msg, NFTA_SET_ELEM_DATA, e->data, set->data_len) < 0) ||
	    (whole && put_comment(msg, e->comment) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, item);
	nla_nest_end(msg, list);
	return msg;
}

/* Appends msg to the batch under the next number. */
static void batch_add(struct buf *b, struct nl_msg *msg, uint32_t seq)
{
	if (!msg) {
		b->bad = true;
		return;
	}
	nlmsg_hdr(msg)->nlmsg_seq = seq;
	buf_add(b, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	while (b->len % NLMSG_ALIGNTO)
		buf_chr(b, '\0');
	nlmsg_free(msg);
}

int nft_commit(struct nl_sock *sk, const struct nft_elems *del, const struct nft_elems *add,
	       int *ret_failed, struct fail *f)
{
	_buf_ struct buf b = {0};
	size_t n_del = del ? del->n : 0, n = n_del + (add ? add->n : 0);
	uint32_t first = nl_socket_use_seq(sk) + 1, seq = first, at = 0;
	int r;

	*ret_failed = -1;
	if ((del && del->bad) || (add && add->bad))
		return fail_set(f, ENOMEM, "packet filter");
	if (!n)
		return 0;
	batch_add(&b, new_msg(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), first - 1);
	for (size_t i = 0; i < n; i++) {
		int ack = i + 1 == n ? NLM_F_ACK : 0;

		batch_add(&b,
			  i < n_del ? elem_msg(NFT_MSG_DELSETELEM, ack, &del->items[i], false)
				    : elem_msg(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL | ack,
					       &add->items[i - n_del], true),
			  seq++);
		(void)nl_socket_use_seq(sk);
	}
	batch_add(&b, new_msg(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), seq);
	(void)nl_socket_use_seq(sk);
	r = nlk_transact(sk, &b, first, first + (uint32_t)n - 1, &at, f);
	if (r < 0 && at >= first)
		*ret_failed = (int)(at - first);
	return r < 0 ? fail_wrap(f, "packet filter") : 0;
}

/* --- reading ------------------------------------------------------------------------------------- */

struct reading {
	enum nft_set_id set;
	struct nft_elems *list; /* appended to, or */
	struct nft_elem *one;   /* filled */
};

/* Copies exactly len bytes from a nested value. */
static bool get_value(struct nlattr *nest, void *ret, int len)
{
	struct nlattr *value = nest ? nla_find(nla_data(nest), nla_len(nest), NFTA_DATA_VALUE)
				    : NULL;

	if (!value || nla_len(value) != len)
		return false;
	memcpy(ret, nla_data(value), (size_t)len);
	return true;
}

static void get_comment(const struct nlattr *udata, char ret[NFT_COMMENT_MAX])
{
	const uint8_t *at = udata ? nla_data(udata) : NULL;
	int left = udata ? nla_len(udata) : 0;

	for (; left >= 2 && at[1] + 2 <= left; left -= 2 + at[1], at += 2 + at[1])
		if (at[0] == UDATA_COMMENT) {
			size_t n = strnlen((const char *)at + 2, at[1]);

			n = n < NFT_COMMENT_MAX ? n : NFT_COMMENT_MAX - 1;
			memcpy(ret, at + 2, n);
			ret[n] = '\0';
			return;
		}
}

static int read_elem(struct nlattr *item, struct reading *rd)
{
	const struct nft_set *set = &nft_sets[rd->set];
	struct nlattr *tb[NFTA_SET_ELEM_MAX + 1];
	struct nft_elem e = {.set = rd->set, .tag = -1};

	if (nla_parse_nested(tb, NFTA_SET_ELEM_MAX, item, NULL) < 0 ||
	    !get_value(tb[NFTA_SET_ELEM_KEY], e.key, set->key_len) ||
	    (set->data_len && !get_value(tb[NFTA_SET_ELEM_DATA], e.data, set->data_len)))
		return 0; /* not of our making: a set of this name that looks different */
	get_comment(tb[NFTA_SET_ELEM_USERDATA], e.comment);
	if (rd->one) {
		e.tag = rd->one->tag;
		*rd->one = e;
		return 0;
	}
	return nft_elems_push(rd->list, &e) ? 0 : -ENOMEM;
}

static int read_elems(struct nlmsghdr *nh, void *arg)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *item;
	int left, r = 0;

	if (nlmsg_parse(nh, sizeof(struct nfgenmsg), tb, NFTA_SET_ELEM_LIST_MAX, NULL) < 0)
		return -EBADMSG;
	if (tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		nla_for_each_nested(item, tb[NFTA_SET_ELEM_LIST_ELEMENTS], left) if (r == 0)
			r = read_elem(item, arg);
	return r;
}

int nft_list(struct nl_sock *sk, enum nft_set_id set, struct nft_elems *list, struct fail *f)
{
	struct reading rd = {.set = set, .list = list};

	return nlk_dump(sk,
			new_set_msg(NFT_MSG_GETSETELEM, NLM_F_DUMP, set, NFTA_SET_ELEM_LIST_TABLE,
				    NFTA_SET_ELEM_LIST_SET),
			read_elems, &rd, f, "reading packet filter set %s", nft_sets[set].name);
}

int nft_get(struct nl_sock *sk, struct nft_elem *e, struct fail *f)
{
	struct reading rd = {.set = e->set, .one = e};

	return nlk_dump(sk, elem_msg(NFT_MSG_GETSETELEM, 0, e, false), read_elems, &rd, f,
			"asking the packet filter");
}

static int see(struct nlmsghdr *nh, void *arg)
{
	(void)nh;
	*(bool *)arg = true;
	return 0;
}

/* Whether the set, or a rule of the chain, is there. 1, 0 or -errno. */
static int there(struct nl_sock *sk, struct nl_msg *msg, struct fail *f)
{
	bool seen = false;
	int r = nlk_dump(sk, msg, see, &seen, f, "asking the packet filter");

	return r == -ENOENT ? 0 : r < 0 ? r : seen;
}

int nft_loaded(struct nl_sock *sk, struct fail *f)
{
	int r = 1;

	for (size_t i = 0; i < NFT_SET__N && r == 1; i++)
		r = there(sk, new_set_msg(NFT_MSG_GETSET, 0, i, NFTA_SET_TABLE, NFTA_SET_NAME), f);
	for (size_t i = 0; i < ARRAY_LEN(chains) && r == 1; i++) {
		struct nl_msg *msg = new_msg(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE,
					     NLM_F_DUMP, chains[i].family, 0);

		if (msg && (nla_put_string(msg, NFTA_RULE_TABLE, NFT_TABLE) < 0 ||
			    nla_put_string(msg, NFTA_RULE_CHAIN, chains[i].name) < 0)) {
			nlmsg_free(msg);
			msg = NULL;
		}
		r = there(sk, msg, f);
	}
	return r;
}

/* Sets that have units' names in their comments, but that `orlop-net up` alone fills. */
static bool of_up(enum nft_set_id set)
{
	return set == NFT_OPEN || set == NFT_OPEN_ALL || set == NFT_NAMES4 || set == NFT_NAMES6;
}

int nft_purge(struct nl_sock *sk, const char *unit, struct fail *f)
{
	struct nft_elems all = {0}, del = {0};
	int failed, r = 0;

	for (size_t i = 0; i < NFT_SET__N && r == 0; i++)
		r = of_up(i) ? 0 : nft_list(sk, i, &all, f);
	for (size_t i = 0; i < all.n && r == 0; i++)
		if (!strcmp(all.items[i].comment, unit) && !nft_elems_push(&del, &all.items[i]))
			r = fail_set(f, ENOMEM, "packet filter");
	if (r == 0)
		r = nft_commit(sk, &del, NULL, &failed, f);
	nft_elems_done(&all);
	nft_elems_done(&del);
	return r == -ENOENT ? 0 : r; /* no table: nothing to take away */
}
