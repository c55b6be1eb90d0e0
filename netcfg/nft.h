/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps and sets of base.nft and what may stand in them. Pure: an element is the bytes that the kernel
 * compares; nft_batch.h puts them in and takes them out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netcfg/ip.h"

enum nft_set_id {
	NFT_BRIDGES,
	NFT_EGRESS,
	NFT_TOGETHER,
	NFT_NAMED,
	NFT_OPEN,
	NFT_OPEN_ALL,
	NFT_SOURCE4,
	NFT_SOURCE6,
	NFT_TARGET6,
	NFT_PUBLISH4,
	NFT_PUBLISH4_AT,
	NFT_PUBLISH6,
	NFT_PUBLISH6_AT,
	NFT_NAMES4,
	NFT_NAMES6,
	NFT_SET__N,
};

#define NFT_TABLE       "orlop"
#define NFT_KEY_MAX     40
#define NFT_DATA_MAX    20
#define NFT_COMMENT_MAX 248 /* user data of an element: 256 bytes with its two headers */

struct nft_set {
	const char *name;
	uint8_t family; /* NFPROTO_INET or NFPROTO_BRIDGE */
	uint8_t key_len, data_len;
};
extern const struct nft_set nft_sets[NFT_SET__N];

/* One element. The comment is the unit that it belongs to, and is shown by `nft list`. */
struct nft_elem {
	enum nft_set_id set;
	uint8_t key[NFT_KEY_MAX];
	uint8_t data[NFT_DATA_MAX];
	char comment[NFT_COMMENT_MAX];
	int tag; /* the caller's */
};

struct nft_elems {
	struct nft_elem *items; /* owned */
	size_t n, cap;
	bool bad; /* memory ran out */
};
void nft_elems_done(struct nft_elems *list);
struct nft_elem *nft_elems_push(struct nft_elems *list, const struct nft_elem *e);

/* Appends. The returned element may be changed until the next one; NULL when memory ran out. */
struct nft_elem *nft_add_bridge(struct nft_elems *list, enum nft_set_id set, const char *bridge);
struct nft_elem *nft_add_together(struct nft_elems *list, const char *from, const char *to);
/* The host's own port is open to the outside; port 0: all of the protocol. */
struct nft_elem *nft_add_open(struct nft_elems *list, uint8_t protocol, uint16_t port,
			      const char *unit);
/* A container may send from ip; the set follows from ip's family. */
struct nft_elem *nft_add_source(struct nft_elems *list, const char *dev, const struct mac *mac,
				const struct ip *ip, const char *unit);

/* A container may say that it has the IPv6 address ip. */
struct nft_elem *nft_add_target(struct nft_elems *list, const char *dev, const struct mac *mac,
				const struct ip *ip, const char *unit);

struct nft_publish {
	uint8_t protocol; /* IPPROTO_TCP ... */
	struct ip host;   /* family 0 = every address of the host */
	uint16_t host_port;
	struct ip to; /* its family decides the map */
	uint16_t to_port;
};
struct nft_elem *nft_add_publish(struct nft_elems *list, const struct nft_publish *p,
				 const char *unit);

/* Questions for names from `from` go to the server at `to`. */
struct nft_elem *nft_add_names(struct nft_elems *list, const struct ip *from, const struct ip *to,
			       uint16_t port, const char *unit);

/* Same set, key and data; the comment does not count. */
bool nft_elem_equal(const struct nft_elem *a, const struct nft_elem *b);
/* For qsort: by set, key, data. */
int nft_elem_order(const void *a, const void *b);

/* "publish4 tcp . 8080 : 10.88.0.5 . 80"; ret is returned. */
#define NFT_TEXT_MAX 160
const char *nft_elem_text(const struct nft_elem *e, char ret[NFT_TEXT_MAX]);

/* "tcp", "udp", "sctp": the number, or 0. */
uint8_t nft_protocol(const char *name);
const char *nft_protocol_name(uint8_t protocol);
