/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements of nftables sets, in and out, by netlink messages made by hand: 0.1 ms where starting `nft`
 * costs 114 (measured in the guest). A batch is one transaction: all of it happens, or nothing.
 */
#pragma once

#include <stdbool.h>

#include "netcfg/nft.h"
#include "netcfg/nlk.h"

/* Adds and removes elements in one transaction. Adding one whose key is there already is -EEXIST,
 * removing one that is not there -ENOENT. On failure *ret_failed is the element that was refused (an
 * index into del, then add), or -1. Nothing to do: no call is made. */
int nft_commit(struct nl_sock *sk, const struct nft_elems *del, const struct nft_elems *add,
	       int *ret_failed, struct fail *f);

/* Appends what set holds now. */
int nft_list(struct nl_sock *sk, enum nft_set_id set, struct nft_elems *list, struct fail *f);

/* Who has the key of e: fills e's data and comment. -ENOENT if nobody has it. */
int nft_get(struct nl_sock *sk, struct nft_elem *e, struct fail *f);

/* Whether all of base.nft is there: its tables, sets, and a rule in each chain. 1, 0 or -errno. */
int nft_loaded(struct nl_sock *sk, struct fail *f);

/* Takes away whatever an attach put in for unit, by its comment: what is left when nobody knows any more what
 * the unit had. What `orlop-net up` put in for it stays. */
int nft_purge(struct nl_sock *sk, const char *unit, struct fail *f);
