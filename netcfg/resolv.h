/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolv.conf of the host and of its containers. The host's is made of parts, one for each source of name
 * servers (PATH_RESOLVD: "static" is host.conf's, the others are dhcpcd's leases). Members of a network with
 * a name server on its gateway are sent there, and the server asks those of the host; a lease that changes
 * reaches both without a restart. A network's file is bind-mounted into its members, who would keep an old
 * file if it were replaced. Pure but for resolv_run.
 */
#pragma once

#include "netcfg/plan.h"

/* One file from several: one search line, every server once, in the order of `parts`. */
void resolv_merge(const char *parts, struct buf *b);

/* The files of the host, of networks, and of units that are in several. */
void resolv_plan(const struct net_spec *spec, const char *parts, struct net_state *want);

/* Reads what there is but for "static", whose text is given (NULL: it is read too), and plans. */
void resolv_want(const struct net_spec *spec, const char *fixed, struct net_state *want);

/* The same by itself, after a lease has changed. */
int resolv_run(struct fail *f);
