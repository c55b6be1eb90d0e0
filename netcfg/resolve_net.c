/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/store.h"
#include "netcfg/names.h"
#include "netcfg/resolve_parts.h"

static bool overlaps(const struct ip_prefix *p, const struct resolving *nets, size_t n,
		     const struct ip_prefix *avoid, size_t n_avoid)
{
	for (size_t i = 0; i < n; i++) {
		const struct resolving_family *v = p->ip.family == 4 ? &nets[i].v4 : &nets[i].v6;

		for (size_t k = 0; k < v->n; k++)
			if (ip_prefix_overlap(p, &v->subnets[k]))
				return true;
	}
	for (size_t i = 0; i < n_avoid; i++)
		if (ip_prefix_overlap(p, &avoid[i]))
			return true;
	return false;
}

static bool tag_valid(const char *s)
{
	char *end;
	unsigned long tag = strtoul(s, &end, 10);

	return !*end && tag >= 1 && tag <= 4094;
}

/* VLANs of a bridge that is not ours are not ours to set up either. */
static bool uplink_bridge(const struct net_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_uplinks; i++)
		if (!strcmp(resolve_str(spec->uplinks[i].bridge), name))
			return true;
	return false;
}

/* A network whose members are on the LAN: what their addresses are is the LAN's affair. */
static int check_lan_network(struct resolving *net, const struct net_spec *spec, struct fail *f)
{
	struct netspec_network *s = net->spec;

	if (!has(s->parent) || !name_device_valid(s->parent))
		return fail_set(f, EINVAL, "\"%.80s\" is no device: write Options=parent=DEVICE",
				resolve_str(s->parent));
	if (has(s->vlan) && (resolve_child(s) || !uplink_bridge(spec, s->parent)))
		return fail_set(f, EINVAL, "Options=vlan: %s is no Bridge= of host.conf",
				s->parent);
	if (!has(s->subnet) && !has(s->subnet6))
		return fail_set(f, EINVAL, "Subnet= of the LAN is missing");
	if (resolve_put(&s->bridge, resolve_child(s) ? "" : s->parent) < 0)
		return fail_set(f, ENOMEM, "network");
	return 0;
}

static int check_network(struct resolving *net, const struct net_spec *spec,
			 const struct resolving *nets, size_t n, struct fail *f)
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
	if (has(s->vlan) && !tag_valid(s->vlan))
		return fail_set(f, EINVAL, "\"%.40s\" is no VLAN", s->vlan);
	if (resolve_child(s) || has(s->parent))
		return check_lan_network(net, spec, f);
	if (has(s->driver) && strcmp(s->driver, "bridge") != 0)
		return fail_set(f, EOPNOTSUPP, "driver \"%.40s\"", s->driver);
	if (!has(s->bridge)) {
		name_device("ob", s->name, "", name);
		if (resolve_put(&s->bridge, name) < 0)
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

/* A subnet that the unit file names; nets: all up to its own network. */
static int fixed_subnet(const char *text, uint8_t family, struct resolving_family *v,
			const struct resolving *nets, size_t n, struct fail *f)
{
	struct ip_prefix p;

	if (!ip_prefix_parse(text, &p) || p.ip.family != family)
		return fail_set(f, EINVAL, "\"%.80s\" is not an IPv%u subnet", text, family);
	p = ip_prefix_base(&p);
	for (size_t i = 0; i < n; i++)
		if (overlaps(&p, &nets[i], 1, NULL, 0))
			return fail_set(f, EEXIST, "subnet %.80s overlaps %s network %s", text,
					i + 1 < n ? "that of" : "another one of",
					nets[i].spec->name);
	if (v->n == RESOLVE_SUBNETS_MAX)
		return fail_set(f, E2BIG, "more than %u subnets of IPv%u", RESOLVE_SUBNETS_MAX,
				family);
	v->subnets[v->n++] = p;
	return 0;
}

static int fixed_subnets(struct resolving *nets, size_t own, struct fail *f)
{
	struct resolving *net = &nets[own];
	const char *list = resolve_str(net->spec->subnet);
	char text[IP_TEXT_MAX];
	int r = 0;

	while (r == 0 && resolve_next(&list, text, sizeof(text)))
		r = fixed_subnet(text, 4, &net->v4, nets, own + 1, f);
	list = resolve_str(net->spec->subnet6);
	while (r == 0 && resolve_next(&list, text, sizeof(text)))
		r = fixed_subnet(text, 6, &net->v6, nets, own + 1, f);
	return r;
}

static bool needs_subnet4(const struct netspec_network *s)
{
	return !has(s->subnet) && (!has(s->subnet6) || resolve_yes(s->ipv6));
}

static bool needs_subnet6(const struct netspec_network *s)
{
	return !has(s->subnet6) && resolve_yes(s->ipv6);
}

static void chosen(struct resolving_family *v, struct ip_prefix p)
{
	v->subnets[0] = p;
	v->n = 1;
}

static struct resolving *resolving_of(struct resolving *nets, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!has(nets[i].spec->problem) && !strcmp(nets[i].spec->name, name))
			return &nets[i];
	return NULL;
}

/* The subnets that were chosen for them before, where they are still free. In the order of the leases: networks that
 * are there come before those that come back, so no member who runs gets another address. */
static void keep_subnets(struct resolving *nets, size_t n, const struct lease_file *leases,
			 const struct ip_prefix *avoid, size_t n_avoid)
{
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *l = &leases->items[i];
		struct resolving *net = l->unit ? NULL : resolving_of(nets, n, l->network);

		if (!net)
			continue;
		if (!net->v4.n && l->net4.ip.family && needs_subnet4(net->spec) &&
		    !overlaps(&l->net4, nets, n, avoid, n_avoid))
			chosen(&net->v4, ip_prefix_base(&l->net4));
		if (!net->v6.n && l->net6.ip.family && needs_subnet6(net->spec) &&
		    !overlaps(&l->net6, nets, n, avoid, n_avoid))
			chosen(&net->v6, ip_prefix_base(&l->net6));
	}
}

/* What a new subnet keeps clear of. */
struct occupied {
	const struct resolving *nets;
	size_t n_nets;
	struct ip_prefix *avoid; /* the host's own, then those that absent networks come back to */
	size_t n_host, n_avoid;
};

#define SUBNETS4 (7 * 256u)

/* 10.89.0.0/24, 10.89.1.0/24, ... 10.95.255.0/24. */
static struct ip_prefix candidate4(const char *name, unsigned i)
{
	(void)name;
	return (struct ip_prefix){{4, {10, (uint8_t)(89 + i / 256), (uint8_t)i}}, 24};
}

/* A unique local prefix (RFC 4193), its 40 bits from the network's name: nothing else is routed here. */
static struct ip_prefix candidate6(const char *name, unsigned i)
{
	struct ip_prefix p = {{6, {0xfd}}, 64};
	uint64_t h = ip_hash(0, name) + i;

	for (int k = 1; k < 6; k++)
		p.ip.b[k] = (uint8_t)(h >> 8 * (k - 1));
	return p;
}

/* The first that is free; an absent network's only if there is no other. */
static int choose_subnet(struct resolving *net, struct resolving_family *v,
			 const struct occupied *oc,
			 struct ip_prefix (*candidate)(const char *name, unsigned i),
			 struct fail *f)
{
	const size_t n_avoid[] = {oc->n_avoid, oc->n_host};

	for (size_t k = 0; k < ARRAY_LEN(n_avoid); k++)
		for (unsigned i = 0; i < SUBNETS4; i++) {
			struct ip_prefix p = candidate(net->spec->name, i);

			if (!overlaps(&p, oc->nets, oc->n_nets, oc->avoid, n_avoid[k])) {
				chosen(v, p);
				return 0;
			}
		}
	return fail_set(f, EADDRNOTAVAIL, "no free subnet is left in %s",
			v == &net->v4 ? "10.89.0.0 - 10.95.255.255" : "fd00::/8");
}

/* Networks that are not there now, but have been: they find their subnets free when they come back. */
static int find_occupied(const struct net_spec *spec, const struct resolving *nets,
			 const struct lease_file *leases, const struct ip_prefix *avoid,
			 size_t n_avoid, struct occupied *ret)
{
	*ret = (struct occupied){.nets = nets, .n_nets = spec->n_networks, .n_host = n_avoid};
	ret->avoid = calloc(n_avoid + 2 * leases->n + 1, sizeof(*ret->avoid));
	if (!ret->avoid)
		return -ENOMEM;
	for (; ret->n_avoid < n_avoid; ret->n_avoid++)
		ret->avoid[ret->n_avoid] = avoid[ret->n_avoid];
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *l = &leases->items[i];

		if (l->unit || resolve_network(spec, l->network))
			continue;
		if (l->net4.ip.family)
			ret->avoid[ret->n_avoid++] = l->net4;
		if (l->net6.ip.family)
			ret->avoid[ret->n_avoid++] = l->net6;
	}
	return 0;
}

/* The pools of one family; the lists are written anew with every blank filled in. */
static int init_pools(struct resolving_family *v, char **subnets, char **gateways,
		      const char *ranges, struct fail *f)
{
	const char *gateway = resolve_str(*gateways), *range = resolve_str(ranges);
	_buf_ struct buf all = {0}, gws = {0};
	char text[2 * IP_TEXT_MAX];
	int r = 0;

	for (size_t i = 0; i < v->n && r == 0; i++) {
		const char *comma = i ? "," : "";
		struct ip gw = {0};

		if (resolve_next(&gateway, text, sizeof(text)) && *text &&
		    (!ip_parse(text, &gw) || gw.family != v->subnets[i].ip.family))
			return fail_set(f, EINVAL, "gateway \"%.80s\"", text);
		(void)resolve_next(&range, text, sizeof(text));
		r = lease_pool_init(&v->pools[i], &v->subnets[i], &gw, text, f);
		buf_fmt(&all, "%s%s", comma, ip_prefix_text(&v->subnets[i], text));
		buf_fmt(&gws, "%s%s", comma, ip_text(&v->pools[i].gateway, text));
	}
	if (r < 0 || !v->n)
		return r;
	if (all.bad || gws.bad || resolve_put(subnets, all.data) < 0 ||
	    resolve_put(gateways, gws.data) < 0)
		return fail_set(f, ENOMEM, "network");
	return 0;
}

static int resolve_net(struct resolving *net, const struct occupied *oc, struct fail *f)
{
	struct netspec_network *s = net->spec;
	int r = 0;

	if (!net->v4.n && needs_subnet4(s))
		r = choose_subnet(net, &net->v4, oc, candidate4, f);
	if (r == 0 && !net->v6.n && needs_subnet6(s))
		r = choose_subnet(net, &net->v6, oc, candidate6, f);
	if (r == 0)
		r = init_pools(&net->v4, &s->subnet, &s->gateway, s->range, f);
	if (r == 0)
		r = init_pools(&net->v6, &s->subnet6, &s->gateway6, s->range6, f);
	return r;
}

static void network_problem(struct netspec_network *s, const struct fail *why)
{
	(void)resolve_put(&s->problem, why->text);
}

int resolve_networks(struct net_spec *spec, struct resolving *nets, const struct lease_file *leases,
		     const struct ip_prefix *avoid, size_t n_avoid)
{
	struct occupied oc;
	struct fail why;
	int r;

	/* subnets that somebody wrote down come first, then those that networks had, then new ones */
	for (size_t i = 0; i < spec->n_networks; i++) {
		struct netspec_network *s = nets[i].spec = &spec->networks[i];

		r = check_network(&nets[i], spec, nets, i, &why);
		if (r == 0)
			r = fixed_subnets(nets, i, &why);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			network_problem(s, &why);
	}
	keep_subnets(nets, spec->n_networks, leases, avoid, n_avoid);
	r = find_occupied(spec, nets, leases, avoid, n_avoid, &oc);
	for (size_t i = 0; i < spec->n_networks && r == 0; i++) {
		if (has(nets[i].spec->problem))
			continue;
		r = resolve_net(&nets[i], &oc, &why);
		if (r < 0 && r != -ENOMEM) {
			network_problem(nets[i].spec, &why);
			r = 0;
		}
	}
	free(oc.avoid);
	return r;
}
