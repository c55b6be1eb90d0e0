/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as host.conf: refused with a place, or uplinks that can be planned. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "netcfg/host_conf.h"
#include "netcfg/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct net_state have = {0}, want = {0};
	struct net_spec spec = {0};
	struct buf b = {0};
	int r = host_conf_read(arena, "host.conf", (const char *)data, size, &diags, &spec);

	if ((r < 0) != (diags.n_errors > 0))
		abort();
	if (r < 0 && (spec.n_uplinks || spec.n_opens))
		abort();
	for (int i = 0; i < 2; i++) {
		struct net_link *l = net_add_link(&have);

		if (l)
			memcpy(l->name, i ? "eth1" : "eth0", 5);
	}
	plan_uplinks(&spec, &have, &want);
	plan_dhcpcd_conf(&spec, &have, "", &b);
	plan_static_resolv(&spec, &b);
	for (size_t i = 0; i < diags.n; i++)
		diag_print(diags.items[i], &b);
	buf_done(&b);
	net_state_done(&have);
	net_state_done(&want);
	netspec_done(&spec);
	arena_free(arena);
	return 0;
}
