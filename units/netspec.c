/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/netspec.h"

#include <stdlib.h>
#include <string.h>

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

/* Frees the i-th of n elements of `size` bytes, strings throughout, and closes the gap. */
static void drop(void *items, size_t *n, size_t size, size_t i)
{
	char **strings = (char **)((char *)items + i * size);

	for (size_t k = 0; k < size / sizeof(char *); k++)
		free(strings[k]);
	memmove(strings, (char *)strings + size, (--*n - i) * size);
}

void netspec_drop_network(struct net_spec *spec, size_t i)
{
	for (size_t k = spec->n_members; k-- > 0;) {
		const char *in = spec->members[k].network;

		if (in && strcmp(in, spec->networks[i].name) == 0)
			drop(spec->members, &spec->n_members, sizeof(*spec->members), k);
	}
	drop(spec->networks, &spec->n_networks, sizeof(*spec->networks), i);
}

void netspec_done(struct net_spec *spec)
{
	record_done(rows, spec);
}
