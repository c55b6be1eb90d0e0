/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "netcfg/resolve_parts.h"

/* The members of one network and their wants in one family. */
struct group {
	struct netspec_member **members;
	struct lease_want *wants;
	struct lease_held *held;
	size_t n, n_held;
};

static void member_problem(struct netspec_member *m, const char *text)
{
	if (!has(m->problem))
		(void)resolve_put(&m->problem,
				  text); /* out of memory: the caller's next put says so */
}

static int assign_family(struct group *g, const struct resolving *net, uint8_t family,
			 const struct lease_file *leases)
{
	const struct lease_pool *pool = family == 4 ? &net->pool4 : &net->pool6;
	char text[IP_TEXT_MAX];

	g->n_held = 0;
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *l = &leases->items[i];
		const struct ip *ip = family == 4 ? &l->ip4 : &l->ip6;

		if (l->unit && ip->family && !strcmp(l->network, net->spec->name))
			g->held[g->n_held++] = (struct lease_held){l->unit, *ip};
	}
	for (size_t i = 0; i < g->n; i++) {
		struct netspec_member *m = g->members[i];
		const char *fixed = resolve_str(family == 4 ? m->address : m->address6);

		g->wants[i] = (struct lease_want){.unit = m->unit};
		if (*fixed &&
		    (!ip_parse(fixed, &g->wants[i].fixed) || g->wants[i].fixed.family != family)) {
			snprintf(text, sizeof(text), "\"%.30s\" is not an address", fixed);
			member_problem(m, text);
			g->wants[i].fixed = (struct ip){0};
		}
	}
	if (lease_assign(pool, g->wants, g->n, g->held, g->n_held) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		struct netspec_member *m = g->members[i];

		if (g->wants[i].problem[0])
			member_problem(m, g->wants[i].problem);
		if (resolve_put(family == 4 ? &m->address : &m->address6,
				ip_text(&g->wants[i].got, text)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int member_mac(struct netspec_member *m)
{
	char text[18];
	struct mac mac;
	struct ip ip;

	if (has(m->mac)) {
		if (!mac_parse(m->mac, &mac))
			member_problem(m, "its MAC address is wrong");
		return 0;
	}
	if (!ip_parse(has(m->address) ? m->address : resolve_str(m->address6), &ip))
		return 0;
	mac = mac_for_ip(&ip);
	return resolve_put(&m->mac, mac_text(&mac, text));
}

static int assign_network(struct group *g, const struct resolving *net, const struct net_spec *spec,
			  const struct lease_file *leases)
{
	int r = 0;

	g->n = 0;
	for (size_t i = 0; i < spec->n_members; i++)
		if (!strcmp(spec->members[i].network, net->spec->name) &&
		    !has(spec->members[i].problem))
			g->members[g->n++] = &spec->members[i];
	if (net->subnet4.ip.family)
		r = assign_family(g, net, 4, leases);
	if (r == 0 && net->subnet6.ip.family)
		r = assign_family(g, net, 6, leases);
	for (size_t i = 0; i < g->n && r == 0; i++)
		r = member_mac(g->members[i]);
	return r;
}

static void check_members(struct net_spec *spec)
{
	for (size_t i = 0; i < spec->n_members; i++) {
		struct netspec_member *m = &spec->members[i];
		const struct netspec_network *net = resolve_network(spec, resolve_str(m->network));

		if (!store_name_valid(resolve_str(m->unit)))
			member_problem(m, "its name cannot stand in a lease");
		else if (!net)
			member_problem(m, "there is no such network");
		else if (has(net->problem))
			member_problem(m, "its network has a problem");
		for (size_t k = 0; k < i && m->unit && m->network; k++)
			if (!strcmp(resolve_str(spec->members[k].unit), m->unit) &&
			    !strcmp(resolve_str(spec->members[k].network), m->network))
				member_problem(m, "it is in this network twice");
	}
}

int resolve_members(struct net_spec *spec, const struct resolving *nets,
		    const struct lease_file *leases)
{
	struct group g = {
		.members = calloc(spec->n_members + 1, sizeof(*g.members)),
		.wants = calloc(spec->n_members + 1, sizeof(*g.wants)),
		.held = calloc(leases->n + 1, sizeof(*g.held)),
	};
	int r = g.members && g.wants && g.held ? 0 : -ENOMEM;

	if (r == 0)
		check_members(spec);
	for (size_t i = 0; i < spec->n_networks && r == 0; i++)
		if (!has(nets[i].spec->problem))
			r = assign_network(&g, &nets[i], spec, leases);
	free(g.members);
	free(g.wants);
	free(g.held);
	return r;
}
