/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/resolve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "netcfg/names.h"

const char *resolve_str(const char *s)
{
	return s ? s : "";
}

bool resolve_yes(const char *s)
{
	return s && !strcmp(s, "yes");
}

bool resolve_no(const char *s)
{
	static const char *const words[] = {"no", "false", "off", "0"};

	for (size_t i = 0; s && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(s, words[i]))
			return true;
	return false;
}

bool resolve_child(const struct netspec_network *net)
{
	const char *driver = resolve_str(net->driver);

	return !strcmp(driver, "macvlan") || !strcmp(driver, "ipvlan");
}

bool resolve_own_bridge(const struct netspec_network *net)
{
	return !*resolve_str(net->problem) && !resolve_child(net) && !*resolve_str(net->parent);
}

const struct netspec_network *resolve_network(const struct net_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_networks; i++)
		if (!strcmp(spec->networks[i].name, name))
			return &spec->networks[i];
	return NULL;
}

const struct netspec_member *resolve_member(const struct net_spec *spec, const char *unit,
					    const char *network)
{
	for (size_t i = 0; i < spec->n_members; i++)
		if (!strcmp(spec->members[i].unit, unit) &&
		    !strcmp(spec->members[i].network, network))
			return &spec->members[i];
	return NULL;
}

static int put(char **cell, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*cell);
	*cell = copy;
	return 0;
}

static bool has(const char *s)
{
	return s && *s;
}

/* --- networks ------------------------------------------------------------------------------------- */

/* A network while it is being resolved. */
struct net {
	struct netspec_network *spec;
	struct ip_prefix subnet4, subnet6; /* family 0 = none */
	struct lease_pool pool4, pool6;
};

static bool overlaps(const struct ip_prefix *p, const struct net *nets, size_t n,
		     const struct ip_prefix *avoid, size_t n_avoid)
{
	for (size_t i = 0; i < n; i++)
		if (ip_prefix_overlap(p, p->ip.family == 4 ? &nets[i].subnet4 : &nets[i].subnet6))
			return true;
	for (size_t i = 0; i < n_avoid; i++)
		if (ip_prefix_overlap(p, &avoid[i]))
			return true;
	return false;
}

/* A network whose members are on the LAN: what their addresses are is the LAN's affair. */
static int check_lan_network(struct net *net, struct fail *f)
{
	struct netspec_network *s = net->spec;

	if (!has(s->parent) || !name_device_valid(s->parent))
		return fail_set(f, EINVAL, "\"%.80s\" is no device: write Options=parent=DEVICE",
				resolve_str(s->parent));
	if (!has(s->subnet) && !has(s->subnet6))
		return fail_set(f, EINVAL, "Subnet= of the LAN is missing");
	if (put(&s->bridge, resolve_child(s) ? "" : s->parent) < 0)
		return fail_set(f, ENOMEM, "network");
	return 0;
}

static int check_network(struct net *net, const struct net *nets, size_t n, struct fail *f)
{
	struct netspec_network *s = net->spec;
	char name[NAME_DEVICE_MAX];

	for (size_t i = 0; i < n; i++)
		if (!strcmp(resolve_str(nets[i].spec->name), resolve_str(s->name)))
			return fail_set(f, EEXIST, "there are two networks of this name");
	if (!store_name_valid(resolve_str(s->name)))
		return fail_set(f, EINVAL, "not a network's name: \"%.80s\"", resolve_str(s->name));
	if (strchr(s->name, '.') && (!strcmp(strrchr(s->name, '.'), ".container") ||
				     !strcmp(strrchr(s->name, '.'), ".pod")))
		return fail_set(f, EINVAL,
				"its name is that of a unit"); /* hosts files lie side by side */
	if (has(s->vlan))
		return fail_set(f, EOPNOTSUPP, "Options=vlan is not supported yet");
	if (resolve_child(s) || has(s->parent))
		return check_lan_network(net, f);
	if (has(s->driver) && strcmp(s->driver, "bridge") != 0)
		return fail_set(f, EOPNOTSUPP, "driver \"%.40s\"", s->driver);
	if (!has(s->bridge)) {
		name_device("ob", s->name, "", name);
		if (put(&s->bridge, name) < 0)
			return fail_set(f, ENOMEM, "network");
	}
	if (!name_device_valid(s->bridge) || !strncmp(s->bridge, "ol", 2))
		return fail_set(f, EINVAL, "\"%.80s\" cannot be the name of its bridge", s->bridge);
	for (size_t i = 0; i < n; i++) {
		if (has(nets[i].spec->bridge) && !strcmp(nets[i].spec->bridge, s->bridge))
			return fail_set(f, EEXIST, "bridge %s is that of network %s", s->bridge,
					nets[i].spec->name);
	}
	return 0;
}

/* A subnet that the unit file names. */
static int fixed_subnet(const char *text, uint8_t family, struct ip_prefix *ret,
			const struct net *nets, size_t n, struct fail *f)
{
	struct ip_prefix p;

	if (!ip_prefix_parse(text, &p) || p.ip.family != family)
		return fail_set(f, EINVAL, "\"%.80s\" is not an IPv%u subnet", text, family);
	p = ip_prefix_base(&p);
	for (size_t i = 0; i < n; i++)
		if (overlaps(&p, &nets[i], 1, NULL, 0))
			return fail_set(f, EEXIST, "subnet %.80s overlaps that of network %s", text,
					nets[i].spec->name);
	*ret = p;
	return 0;
}

static bool needs_subnet4(const struct netspec_network *s)
{
	return !has(s->subnet) && (!has(s->subnet6) || resolve_yes(s->ipv6));
}

static bool needs_subnet6(const struct netspec_network *s)
{
	return !has(s->subnet6) && resolve_yes(s->ipv6);
}

/* The subnets that were chosen for it before, if they are still free. */
static void keep_subnets(struct net *net, const struct lease_file *leases, const struct net *nets,
			 size_t n, const struct ip_prefix *avoid, size_t n_avoid)
{
	const struct lease *held = NULL;

	for (size_t i = 0; i < leases->n && !held; i++)
		if (!leases->items[i].unit && !strcmp(leases->items[i].network, net->spec->name))
			held = &leases->items[i];
	if (held && held->net4.ip.family && needs_subnet4(net->spec) &&
	    !overlaps(&held->net4, nets, n, avoid, n_avoid))
		net->subnet4 = ip_prefix_base(&held->net4);
	if (held && held->net6.ip.family && needs_subnet6(net->spec) &&
	    !overlaps(&held->net6, nets, n, avoid, n_avoid))
		net->subnet6 = ip_prefix_base(&held->net6);
}

/* 10.89.0.0/24, 10.89.1.0/24, ... 10.95.255.0/24: the first that is free. */
static int choose_subnet4(struct net *net, const struct net *nets, size_t n,
			  const struct ip_prefix *avoid, size_t n_avoid, struct fail *f)
{
	for (unsigned i = 0; i < 7 * 256; i++) {
		struct ip_prefix p = {{4, {10, (uint8_t)(89 + i / 256), (uint8_t)i}}, 24};

		if (!overlaps(&p, nets, n, avoid, n_avoid)) {
			net->subnet4 = p;
			return 0;
		}
	}
	return fail_set(f, EADDRNOTAVAIL, "no free subnet is left in 10.89.0.0 - 10.95.255.255");
}

/* A unique local prefix (RFC 4193), its 40 bits from the network's name: nothing else is routed here. */
static void choose_subnet6(struct net *net, const struct net *nets, size_t n,
			   const struct ip_prefix *avoid, size_t n_avoid)
{
	struct ip_prefix p = {{6, {0xfd}}, 64};

	for (uint64_t h = ip_hash(0, net->spec->name);; h++) {
		for (int i = 1; i < 6; i++)
			p.ip.b[i] = (uint8_t)(h >> 8 * (i - 1));
		if (!overlaps(&p, nets, n, avoid, n_avoid))
			break;
	}
	net->subnet6 = p;
}

static int init_pool(struct lease_pool *pool, const struct ip_prefix *subnet, char **gateway,
		     const char *range, struct fail *f)
{
	char text[IP_TEXT_MAX];
	struct ip gw = {0};
	int r;

	if (has(*gateway) && (!ip_parse(*gateway, &gw) || gw.family != subnet->ip.family))
		return fail_set(f, EINVAL, "gateway \"%.80s\"", *gateway);
	r = lease_pool_init(pool, subnet, &gw, resolve_str(range), f);
	if (r < 0)
		return r;
	return put(gateway, ip_text(&pool->gateway, text)) < 0 ? fail_set(f, ENOMEM, "gateway") : 0;
}

static int resolve_net(struct net *net, const struct net *nets, size_t n,
		       const struct ip_prefix *avoid, size_t n_avoid, struct fail *f)
{
	struct netspec_network *s = net->spec;
	char text[IP_TEXT_MAX];
	int r = 0;

	if (!net->subnet4.ip.family && needs_subnet4(s))
		r = choose_subnet4(net, nets, n, avoid, n_avoid, f);
	if (r == 0 && !net->subnet6.ip.family && needs_subnet6(s))
		choose_subnet6(net, nets, n, avoid, n_avoid);
	if (r == 0 && net->subnet4.ip.family) {
		r = put(&s->subnet, ip_prefix_text(&net->subnet4, text));
		if (r == 0)
			r = init_pool(&net->pool4, &net->subnet4, &s->gateway, s->range, f);
	}
	if (r == 0 && net->subnet6.ip.family) {
		r = put(&s->subnet6, ip_prefix_text(&net->subnet6, text));
		if (r == 0)
			r = init_pool(&net->pool6, &net->subnet6, &s->gateway6, s->range6, f);
	}
	return r;
}

/* --- members -------------------------------------------------------------------------------------- */

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
		(void)put(&m->problem, text); /* out of memory: the caller's next put says so */
}

static int assign_family(struct group *g, const struct net *net, uint8_t family,
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
		if (put(family == 4 ? &m->address : &m->address6, ip_text(&g->wants[i].got, text)) <
		    0)
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
	return put(&m->mac, mac_text(&mac, text));
}

static int assign_network(struct group *g, const struct net *net, const struct net_spec *spec,
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

/* --- leases --------------------------------------------------------------------------------------- */

/* The file as it is to be written: networks, present members in order of name, then the absent ones. */
static int new_leases(const struct net_spec *spec, const struct net *nets,
		      struct lease_file *leases)
{
	struct lease_file fresh = {.bad = leases->bad};
	int r = 0;

	for (size_t i = 0; i < spec->n_networks && r == 0; i++)
		if (!has(nets[i].spec->problem))
			r = lease_add(&fresh, &(struct lease){.network = nets[i].spec->name,
							      .net4 = nets[i].subnet4,
							      .net6 = nets[i].subnet6});
	for (size_t i = 0; i < spec->n_members && r == 0; i++) {
		const struct netspec_member *m = &spec->members[i];
		struct lease l = {.network = m->network, .unit = m->unit};

		if (has(m->address))
			(void)ip_parse(m->address, &l.ip4);
		if (has(m->address6))
			(void)ip_parse(m->address6, &l.ip6);
		if (!has(m->problem) && (l.ip4.family || l.ip6.family))
			r = lease_add(&fresh, &l);
	}
	for (size_t i = 0; i < leases->n && fresh.n < LEASE_MAX && r == 0; i++) {
		const struct lease *l = &leases->items[i];
		bool evicted = false;

		if (l->unit ? !!resolve_member(spec, l->unit, l->network)
			    : !!resolve_network(spec, l->network))
			continue;
		for (size_t k = 0; k < fresh.n && l->unit && !evicted; k++)
			evicted = fresh.items[k].unit &&
				  !strcmp(fresh.items[k].network, l->network) &&
				  ((l->ip4.family && ip_equal(&fresh.items[k].ip4, &l->ip4)) ||
				   (l->ip6.family && ip_equal(&fresh.items[k].ip6, &l->ip6)));
		if (!evicted)
			r = lease_add(&fresh, l);
	}
	if (r < 0) {
		lease_done(&fresh);
		return r;
	}
	lease_done(leases);
	*leases = fresh;
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------------ */

static void network_problem(struct netspec_network *s, const struct fail *why)
{
	(void)put(&s->problem, why->text);
}

static int resolve_networks(struct net_spec *spec, struct net *nets,
			    const struct lease_file *leases, const struct ip_prefix *avoid,
			    size_t n_avoid)
{
	struct fail why;
	int r;

	/* subnets that somebody wrote down come first, then those that networks had, then new ones */
	for (size_t i = 0; i < spec->n_networks; i++) {
		struct netspec_network *s = nets[i].spec = &spec->networks[i];

		r = check_network(&nets[i], nets, i, &why);
		if (r == 0 && has(s->subnet))
			r = fixed_subnet(s->subnet, 4, &nets[i].subnet4, nets, i, &why);
		if (r == 0 && has(s->subnet6))
			r = fixed_subnet(s->subnet6, 6, &nets[i].subnet6, nets, i, &why);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			network_problem(s, &why);
	}
	for (size_t i = 0; i < spec->n_networks; i++)
		if (!has(nets[i].spec->problem))
			keep_subnets(&nets[i], leases, nets, spec->n_networks, avoid, n_avoid);
	for (size_t i = 0; i < spec->n_networks; i++) {
		if (has(nets[i].spec->problem))
			continue;
		r = resolve_net(&nets[i], nets, spec->n_networks, avoid, n_avoid, &why);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			network_problem(nets[i].spec, &why);
	}
	return 0;
}

int resolve_spec(struct net_spec *spec, struct lease_file *leases, const struct ip_prefix *avoid,
		 size_t n_avoid, struct fail *f)
{
	struct net *nets = calloc(spec->n_networks + 1, sizeof(*nets));
	struct group g = {
		.members = calloc(spec->n_members + 1, sizeof(*g.members)),
		.wants = calloc(spec->n_members + 1, sizeof(*g.wants)),
		.held = calloc(leases->n + 1, sizeof(*g.held)),
	};
	int r = -ENOMEM;

	if (!nets || !g.members || !g.wants || !g.held)
		goto out;
	r = resolve_networks(spec, nets, leases, avoid, n_avoid);
	if (r == 0)
		check_members(spec);
	for (size_t i = 0; i < spec->n_networks && r == 0; i++)
		if (!has(nets[i].spec->problem))
			r = assign_network(&g, &nets[i], spec, leases);
	if (r == 0)
		r = new_leases(spec, nets, leases);
out:
	free(nets);
	free(g.members);
	free(g.wants);
	free(g.held);
	return r < 0 ? fail_set(f, -r, "resolving the networks") : 0;
}

size_t resolve_problems(const struct net_spec *spec, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_uplinks; i++)
		if (has(spec->uplinks[i].problem)) {
			buf_fmt(b, "uplink %s: %s\n", resolve_str(spec->uplinks[i].name),
				spec->uplinks[i].problem);
			n++;
		}
	for (size_t i = 0; i < spec->n_networks; i++)
		if (has(spec->networks[i].problem)) {
			buf_fmt(b, "network %s: %s\n", resolve_str(spec->networks[i].name),
				spec->networks[i].problem);
			n++;
		}
	for (size_t i = 0; i < spec->n_members; i++)
		if (has(spec->members[i].problem)) {
			buf_fmt(b, "%s: network %s: %s\n", resolve_str(spec->members[i].unit),
				resolve_str(spec->members[i].network), spec->members[i].problem);
			n++;
		}
	return n;
}
