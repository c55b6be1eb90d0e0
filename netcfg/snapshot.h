/* SPDX-License-Identifier: Apache-2.0 */
/* What the network is now: the kernel's links, addresses, settings and packet filter, and our files. */
#pragma once

#include "base/fail.h"
#include "netcfg/nlk.h"
#include "netcfg/plan.h"

/* Links and addresses, into have. */
int snapshot_links(struct nl_sock *route, struct net_state *have, struct fail *f);

/* What uplinks are matched by and consist of, after the links: drivers, ports of bridges, default routes. */
int snapshot_uplinks(struct nl_sock *route, struct net_state *have, struct fail *f);

/* The files that `want` names. */
int snapshot_files(const struct net_state *want, struct net_state *have, struct fail *f);

/* The rest: of settings and files those that `want` names, besides hosts files that are too many. */
int snapshot_rest(struct nl_sock *filter, const struct net_state *want, struct net_state *have,
		  struct fail *f);
