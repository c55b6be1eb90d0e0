/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/nft.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* In a key or value made of several parts each part is padded to a multiple of 4 bytes. */
#define LEN_DEV   16
#define LEN_MAC   8
#define LEN_PROTO 4
#define LEN_PORT  4

const struct nft_set nft_sets[NFT_SET__N] = {
	[NFT_BRIDGES] = {"bridges", NFPROTO_INET, LEN_DEV, 0},
	[NFT_EGRESS] = {"egress", NFPROTO_INET, LEN_DEV, 0},
	[NFT_TOGETHER] = {"together", NFPROTO_INET, 2 * LEN_DEV, 0},
	[NFT_NAMED] = {"named", NFPROTO_INET, LEN_DEV, 0},
	[NFT_OPEN] = {"open", NFPROTO_INET, LEN_PROTO + LEN_PORT, 0},
	[NFT_OPEN_ALL] = {"open_all", NFPROTO_INET, 1, 0},
	[NFT_SOURCE4] = {"source4", NFPROTO_BRIDGE, LEN_DEV + LEN_MAC + 4, 0},
	[NFT_SOURCE6] = {"source6", NFPROTO_BRIDGE, LEN_DEV + LEN_MAC + 16, 0},
	[NFT_TARGET6] = {"target6", NFPROTO_BRIDGE, LEN_DEV + LEN_MAC + 16, 0},
	[NFT_PUBLISH4] = {"publish4", NFPROTO_INET, LEN_PROTO + LEN_PORT, 4 + LEN_PORT},
	[NFT_PUBLISH4_AT] = {"publish4_at", NFPROTO_INET, 4 + LEN_PROTO + LEN_PORT, 4 + LEN_PORT},
	[NFT_PUBLISH6] = {"publish6", NFPROTO_INET, LEN_PROTO + LEN_PORT, 16 + LEN_PORT},
	[NFT_PUBLISH6_AT] = {"publish6_at", NFPROTO_INET, 16 + LEN_PROTO + LEN_PORT, 16 + LEN_PORT},
	[NFT_NAMES4] = {"names4", NFPROTO_INET, 4, 4 + LEN_PORT},
	[NFT_NAMES6] = {"names6", NFPROTO_INET, 16, 16 + LEN_PORT},
};

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}};

uint8_t nft_protocol(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (!strcmp(protocols[i].name, name))
			return protocols[i].number;
	return 0;
}

const char *nft_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "?";
}

void nft_elems_done(struct nft_elems *list)
{
	free(list->items);
	*list = (struct nft_elems){0};
}

struct nft_elem *nft_elems_push(struct nft_elems *list, const struct nft_elem *e)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 16;
		struct nft_elem *grown = realloc(list->items, cap * sizeof(*grown));

		if (!grown) {
			list->bad = true;
			return NULL;
		}
		list->items = grown;
		list->cap = cap;
	}
	list->items[list->n] = *e;
	return &list->items[list->n++];
}

static struct nft_elem *append(struct nft_elems *list, enum nft_set_id set, const char *comment)
{
	struct nft_elem e = {.set = set, .tag = -1};

	snprintf(e.comment, sizeof(e.comment), "%s", comment);
	return nft_elems_push(list, &e);
}

static uint8_t *put_dev(uint8_t *at, const char *dev)
{
	memcpy(at, dev, strnlen(dev, LEN_DEV - 1));
	return at + LEN_DEV;
}

static uint8_t *put_ip(uint8_t *at, const struct ip *ip)
{
	memcpy(at, ip->b, ip_bytes(ip));
	return at + ip_bytes(ip);
}

static uint8_t *put_port(uint8_t *at, uint16_t port)
{
	at[0] = (uint8_t)(port >> 8);
	at[1] = (uint8_t)port;
	return at + LEN_PORT;
}

struct nft_elem *nft_add_bridge(struct nft_elems *list, enum nft_set_id set, const char *bridge)
{
	struct nft_elem *e = append(list, set, "");

	if (e)
		put_dev(e->key, bridge);
	return e;
}

struct nft_elem *nft_add_together(struct nft_elems *list, const char *from, const char *to)
{
	struct nft_elem *e = append(list, NFT_TOGETHER, "");

	if (e)
		put_dev(put_dev(e->key, from), to);
	return e;
}

struct nft_elem *nft_add_open(struct nft_elems *list, uint8_t protocol, uint16_t port,
			      const char *unit)
{
	struct nft_elem *e = append(list, port ? NFT_OPEN : NFT_OPEN_ALL, unit);

	if (e)
		e->key[0] = protocol;
	if (e && port)
		put_port(e->key + LEN_PROTO, port);
	return e;
}

static struct nft_elem *add_own(struct nft_elems *list, enum nft_set_id set, const char *dev,
				const struct mac *mac, const struct ip *ip, const char *unit)
{
	struct nft_elem *e = append(list, set, unit);
	uint8_t *at;

	if (!e)
		return NULL;
	at = put_dev(e->key, dev);
	memcpy(at, mac->b, sizeof(mac->b));
	put_ip(at + LEN_MAC, ip);
	return e;
}

struct nft_elem *nft_add_source(struct nft_elems *list, const char *dev, const struct mac *mac,
				const struct ip *ip, const char *unit)
{
	return add_own(list, ip->family == 4 ? NFT_SOURCE4 : NFT_SOURCE6, dev, mac, ip, unit);
}

struct nft_elem *nft_add_target(struct nft_elems *list, const char *dev, const struct mac *mac,
				const struct ip *ip, const char *unit)
{
	return add_own(list, NFT_TARGET6, dev, mac, ip, unit);
}

struct nft_elem *nft_add_publish(struct nft_elems *list, const struct nft_publish *p,
				 const char *unit)
{
	static const enum nft_set_id maps[2][2] = {{NFT_PUBLISH4, NFT_PUBLISH4_AT},
						   {NFT_PUBLISH6, NFT_PUBLISH6_AT}};
	struct nft_elem *e = append(list, maps[p->to.family == 6][p->host.family != 0], unit);
	uint8_t *at;

	if (!e)
		return NULL;
	at = put_ip(e->key, &p->host);
	at[0] = p->protocol;
	put_port(at + LEN_PROTO, p->host_port);
	put_port(put_ip(e->data, &p->to), p->to_port);
	return e;
}

struct nft_elem *nft_add_names(struct nft_elems *list, const struct ip *from, const struct ip *to,
			       uint16_t port, const char *unit)
{
	struct nft_elem *e = append(list, from->family == 4 ? NFT_NAMES4 : NFT_NAMES6, unit);

	if (!e)
		return NULL;
	put_ip(e->key, from);
	put_port(put_ip(e->data, to), port);
	return e;
}

int nft_elem_order(const void *a, const void *b)
{
	const struct nft_elem *x = a, *y = b;
	int r;

	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	r = memcmp(x->key, y->key, nft_sets[x->set].key_len);
	return r ? r : memcmp(x->data, y->data, nft_sets[x->set].data_len);
}

bool nft_elem_equal(const struct nft_elem *a, const struct nft_elem *b)
{
	return nft_elem_order(a, b) == 0;
}

/* What the bytes of each set's key and data are, for people. */
enum part { P_END, P_DEV, P_MAC, P_IP4, P_IP6, P_PROTO, P_PORT, P_TO };

static const uint8_t parts[NFT_SET__N][8] = {
	[NFT_BRIDGES] = {P_DEV},
	[NFT_EGRESS] = {P_DEV},
	[NFT_TOGETHER] = {P_DEV, P_DEV},
	[NFT_SOURCE4] = {P_DEV, P_MAC, P_IP4},
	[NFT_SOURCE6] = {P_DEV, P_MAC, P_IP6},
	[NFT_TARGET6] = {P_DEV, P_MAC, P_IP6},
	[NFT_PUBLISH4] = {P_PROTO, P_PORT, P_TO, P_IP4, P_PORT},
	[NFT_PUBLISH4_AT] = {P_IP4, P_PROTO, P_PORT, P_TO, P_IP4, P_PORT},
	[NFT_PUBLISH6] = {P_PROTO, P_PORT, P_TO, P_IP6, P_PORT},
	[NFT_PUBLISH6_AT] = {P_IP6, P_PROTO, P_PORT, P_TO, P_IP6, P_PORT},
	[NFT_NAMES4] = {P_IP4, P_TO, P_IP4, P_PORT},
	[NFT_NAMES6] = {P_IP6, P_TO, P_IP6, P_PORT},
};

/* Writes one part for people; returns how many bytes of the key it has. */
static size_t part_text(enum part part, const uint8_t *at, char ret[IP_TEXT_MAX])
{
	struct ip ip = {part == P_IP4 ? 4 : 6, {0}};
	struct mac mac;

	switch (part) {
	case P_END:
	case P_TO: return 0;
	case P_DEV: snprintf(ret, IP_TEXT_MAX, "%.15s", (const char *)at); return LEN_DEV;
	case P_MAC:
		memcpy(mac.b, at, sizeof(mac.b));
		mac_text(&mac, ret);
		return LEN_MAC;
	case P_IP4:
	case P_IP6:
		memcpy(ip.b, at, ip_bytes(&ip));
		ip_text(&ip, ret);
		return ip_bytes(&ip);
	case P_PROTO: snprintf(ret, IP_TEXT_MAX, "%s", nft_protocol_name(*at)); return LEN_PROTO;
	case P_PORT: snprintf(ret, IP_TEXT_MAX, "%u", at[0] << 8 | at[1]); return LEN_PORT;
	}
	return 0;
}

const char *nft_elem_text(const struct nft_elem *e, char ret[NFT_TEXT_MAX])
{
	const uint8_t *at = e->key, *part = parts[e->set];
	size_t used = (size_t)snprintf(ret, NFT_TEXT_MAX, "%s", nft_sets[e->set].name);
	const char *between = " ";
	char text[IP_TEXT_MAX];

	for (; *part && used < NFT_TEXT_MAX; part++) {
		if (*part == P_TO) {
			at = e->data;
			between = " : ";
			continue;
		}
		at += part_text(*part, at, text);
		used += (size_t)snprintf(ret + used, NFT_TEXT_MAX - used, "%s%s", between, text);
		between = " . ";
	}
	return ret;
}
