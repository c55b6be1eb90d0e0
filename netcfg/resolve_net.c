/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "netcfg/names.h"
#include "netcfg/resolve_parts.h"

static bool overlaps(const struct ip_prefix *p, const struct resolving *nets, size_t n,
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
static int check_lan_network(struct resolving *net, struct fail *f)
{
	struct netspec_network *s = net->spec;

	if (!has(s->parent) || !name_device_valid(s->parent))
		return fail_set(f, EINVAL, "\"%.80s\" is no device: write Options=parent=DEVICE",
				resolve_str(s->parent));
	if (!has(s->subnet) && !has(s->subnet6))
		return fail_set(f, EINVAL, "Subnet= of the LAN is missing");
	if (resolve_put(&s->bridge, resolve_child(s) ? "" : s->parent) < 0)
		return fail_set(f, ENOMEM, "network");
	return 0;
}

static int check_network(struct resolving *net, const struct resolving *nets, size_t n,
			 struct fail *f)
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

/* A subnet that the unit file names. */
static int fixed_subnet(const char *text, uint8_t family, struct ip_prefix *ret,
			const struct resolving *nets, size_t n, struct fail *f)
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
static void keep_subnets(struct resolving *net, const struct lease_file *leases,
			 const struct resolving *nets, size_t n, const struct ip_prefix *avoid,
			 size_t n_avoid)
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
static int choose_subnet4(struct resolving *net, const struct resolving *nets, size_t n,
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
static void choose_subnet6(struct resolving *net, const struct resolving *nets, size_t n,
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
	return resolve_put(gateway, ip_text(&pool->gateway, text)) < 0
		       ? fail_set(f, ENOMEM, "gateway")
		       : 0;
}

static int resolve_net(struct resolving *net, const struct resolving *nets, size_t n,
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
		r = resolve_put(&s->subnet, ip_prefix_text(&net->subnet4, text));
		if (r == 0)
			r = init_pool(&net->pool4, &net->subnet4, &s->gateway, s->range, f);
	}
	if (r == 0 && net->subnet6.ip.family) {
		r = resolve_put(&s->subnet6, ip_prefix_text(&net->subnet6, text));
		if (r == 0)
			r = init_pool(&net->pool6, &net->subnet6, &s->gateway6, s->range6, f);
	}
	return r;
}

static void network_problem(struct netspec_network *s, const struct fail *why)
{
	(void)resolve_put(&s->problem, why->text);
}

int resolve_networks(struct net_spec *spec, struct resolving *nets, const struct lease_file *leases,
		     const struct ip_prefix *avoid, size_t n_avoid)
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
