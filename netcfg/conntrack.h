/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgetting UDP conversations about published ports.
 *
 * Where a packet goes is decided for the first one of a conversation. TCP begins anew when the other end
 * changes; a UDP client that never stops sending (a syslog sender, a game, a camera) would go on talking to
 * whatever was there before the port was published, for ever.
 */
#pragma once

#include "base/fail.h"
#include "netcfg/nlk.h"
#include "netcfg/state.h"

/* Forgets every UDP conversation that began with one of s's published host ports. Without UDP ports no
 * call is made; a kernel that does not list connections is no error. */
int conntrack_forget(struct nl_sock *filter, const struct unit_state *s, struct fail *f);
