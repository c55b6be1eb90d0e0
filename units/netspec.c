/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/netspec.h"

static const struct record_row rows[] = {
	RECORD_ROW_TUPLES(struct net_spec, "network", networks, n_networks),
	RECORD_ROW_TUPLES(struct net_spec, "member", members, n_members),
	RECORD_ROW_TUPLES(struct net_spec, "uplink", uplinks, n_uplinks),
	RECORD_ROW_TUPLES(struct net_spec, "open", opens, n_opens),
	{0},
};

void netspec_encode(const struct net_spec *spec, struct buf *b)
{
	record_encode(rows, spec, b);
}

int netspec_decode(struct net_spec *spec, const char *data, size_t len, struct fail *f)
{
	return record_decode(rows, spec, data, len, f);
}

void netspec_done(struct net_spec *spec)
{
	record_done(rows, spec);
}
