/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "netcfg/resolve_parts.h"

/* The members of one network and their wants in one subnet. */
struct group {
	struct netspec_member **members;
	struct lease_want *wants;
	struct lease_held *held;
	struct buf *lists; /* of each member: its addresses in one family so far */
	size_t n, n_held;
};

static void member_problem(struct netspec_member *m, const char *text)
{
	if (!has(m->problem))
		(void)resolve_put(&m->problem,
				  text); /* out of memory: the caller's next put says so */
}

static char **address_cell(struct netspec_member *m, uint8_t family)
{
	return family == 4 ? &m->address : &m->address6;
}

/* The addresses of the network's leases in one family. */
static void find_held(struct group *g, const struct resolving *net, uint8_t family,
		      const struct lease_file *leases)
{
	g->n_held = 0;
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *l = &leases->items[i];
		const struct ip *ip = family == 4 ? &l->ip4 : &l->ip6;

		if (l->unit && ip->family && !strcmp(l->network, net->spec->name))
			g->held[g->n_held++] = (struct lease_held){l->unit, *ip};
	}
}

static bool in_another(const struct ip *ip, const struct resolving_family *v, size_t subnet)
{
	for (size_t i = 0; i < v->n; i++)
		if (i != subnet && ip_in_prefix(ip, &v->subnets[i]))
			return true;
	return false;
}

/* The address that m asks for in this subnet. What lies in none of them is told for the first. */
static struct ip fixed_address(struct netspec_member *m, uint8_t family,
			       const struct resolving_family *v, size_t subnet)
{
	const char *list = resolve_str(*address_cell(m, family));
	char item[IP_TEXT_MAX], text[IP_TEXT_MAX + 32];
	struct ip ip;

	while (resolve_next(&list, item, sizeof(item))) {
		if (!ip_parse(item, &ip) || ip.family != family) {
			snprintf(text, sizeof(text), "\"%.30s\" is not an address", item);
			member_problem(m, text);
		} else if (ip_in_prefix(&ip, &v->subnets[subnet]) ||
			   (subnet == 0 && !in_another(&ip, v, subnet))) {
			return ip;
		}
	}
	return (struct ip){0};
}

static int assign_subnet(struct group *g, uint8_t family, const struct resolving_family *v,
			 size_t subnet)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < g->n; i++)
		g->wants[i] = (struct lease_want){
			.unit = g->members[i]->unit,
			.fixed = fixed_address(g->members[i], family, v, subnet)};
	if (lease_assign(&v->pools[subnet], g->wants, g->n, g->held, g->n_held) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		if (g->wants[i].problem[0])
			member_problem(g->members[i], g->wants[i].problem);
		buf_fmt(&g->lists[i], "%s%s", subnet ? "," : "", ip_text(&g->wants[i].got, text));
	}
	return 0;
}

static int assign_family(struct group *g, const struct resolving *net, uint8_t family,
			 const struct lease_file *leases)
{
	const struct resolving_family *v = family == 4 ? &net->v4 : &net->v6;
	int r = 0;

	find_held(g, net, family, leases);
	for (size_t k = 0; k < v->n && r == 0; k++)
		r = assign_subnet(g, family, v, k);
	for (size_t i = 0; i < g->n && v->n; i++) {
		if (r == 0 && !g->lists[i].bad)
			r = resolve_put(address_cell(g->members[i], family), g->lists[i].data);
		else
			r = -ENOMEM;
		buf_done(&g->lists[i]);
	}
	return r;
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
	if (!resolve_first(m->address, &ip) && !resolve_first(m->address6, &ip))
		return 0;
	mac = mac_for_ip(&ip);
	return resolve_put(&m->mac, mac_text(&mac, text));
}

static int assign_network(struct group *g, const struct resolving *net, const struct net_spec *spec,
			  const struct lease_file *leases)
{
	int r;

	g->n = 0;
	for (size_t i = 0; i < spec->n_members; i++)
		if (!strcmp(spec->members[i].network, net->spec->name) &&
		    !has(spec->members[i].problem))
			g->members[g->n++] = &spec->members[i];
	r = assign_family(g, net, 4, leases);
	if (r == 0)
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
		.lists = calloc(spec->n_members + 1, sizeof(*g.lists)),
	};
	int r = g.members && g.wants && g.held && g.lists ? 0 : -ENOMEM;

	if (r == 0)
		check_members(spec);
	for (size_t i = 0; i < spec->n_networks && r == 0; i++)
		if (!has(nets[i].spec->problem))
			r = assign_network(&g, &nets[i], spec, leases);
	free(g.members);
	free(g.wants);
	free(g.held);
	free(g.lists);
	return r;
}
