/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <string.h>

#include "netcfg/dns.h"
#include "netcfg/ip.h"
#include "netcfg/resolve.h"

/* The networks of a unit that have names to give, in the spec's order. */
static void networks_of(const struct net_spec *spec, const char *unit, struct dns_set *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < spec->n_networks; i++) {
		const struct netspec_network *net = &spec->networks[i];
		const struct netspec_member *m = dns_serves(net)
							 ? resolve_member(spec, unit, net->name)
							 : NULL;

		if (m && !*resolve_str(m->problem) && ret->n < DNS_SET_SIZE)
			ret->networks[ret->n++] = net;
	}
}

static bool same(const struct dns_set *a, const struct dns_set *b)
{
	return a->n == b->n && !memcmp(a->networks, b->networks, a->n * sizeof(a->networks[0]));
}

static const struct dns_set *find(const struct dns_sets *sets, const struct dns_set *like)
{
	for (size_t i = 0; i < sets->n; i++)
		if (same(&sets->items[i], like))
			return &sets->items[i];
	return NULL;
}

static bool taken(const struct dns_sets *sets, unsigned port)
{
	for (size_t i = 0; i < sets->n; i++)
		if (sets->items[i].port == port)
			return true;
	return false;
}

static void add(struct dns_sets *sets, struct dns_set set)
{
	uint64_t hash = 0;

	if (sets->n == DNS_SETS_MAX)
		return;
	for (size_t i = 0; i < set.n; i++)
		hash = ip_hash(hash, set.networks[i]->name);
	snprintf(set.file, sizeof(set.file), "+%016llx", (unsigned long long)hash);
	set.port = DNS_PORT_FIRST + (unsigned)(hash % DNS_PORTS);
	while (taken(sets, set.port))
		set.port = DNS_PORT_FIRST + (set.port + 1 - DNS_PORT_FIRST) % DNS_PORTS;
	sets->items[sets->n++] = set;
}

/* Whether it is the second one of its unit: every set is then looked for once. */
static bool second_of_unit(const struct net_spec *spec, size_t i)
{
	size_t before = 0;

	for (size_t k = 0; k < i && before < 2; k++)
		before += !strcmp(resolve_str(spec->members[k].unit),
				  resolve_str(spec->members[i].unit));
	return before == 1;
}

void dns_sets_find(const struct net_spec *spec, struct dns_sets *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < spec->n_members; i++) {
		struct dns_set set = {0};

		if (!second_of_unit(spec, i))
			continue;
		networks_of(spec, resolve_str(spec->members[i].unit), &set);
		if (set.n > 1 && !find(ret, &set))
			add(ret, set);
	}
}

const struct dns_set *dns_set_of(const struct dns_sets *sets, const struct net_spec *spec,
				 const char *unit)
{
	struct dns_set set = {0};

	networks_of(spec, unit, &set);
	return set.n > 1 ? find(sets, &set) : NULL;
}
