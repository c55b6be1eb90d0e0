/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/port_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "netcfg/port.h"
#include "netcfg/resolve.h"

static bool has(const char *s)
{
	return s && *s;
}

/* --- links --------------------------------------------------------------------------------------- */

static int add_device(struct unit_state *s, const struct port_link *l,
		      const struct netspec_member *m, struct fail *f)
{
	char mac[18];
	const char *words[] = {l->device,
			       l->inside,
			       m->network,
			       l->bridge,
			       mac_text(&l->mac, mac),
			       resolve_str(m->address),
			       resolve_str(m->address6)};
	int r = record_append_words((void **)&s->devices, &s->n_devices, words, ARRAY_LEN(words));

	return r < 0 ? fail_set(f, -r, "network plan") : 0;
}

const struct ip *port_link_address(const struct port_link *l, uint8_t family)
{
	for (size_t i = 0; i < l->n_addrs; i++)
		if (l->addrs[i].ip.family == family)
			return &l->addrs[i].ip;
	return NULL;
}

/* Addresses and subnets of one family, paired by position. */
static bool read_addresses(const char *addresses, const char *subnets, struct port_link *l)
{
	char address[IP_TEXT_MAX], subnet[IP_TEXT_MAX];
	struct ip_prefix net;

	addresses = resolve_str(addresses);
	subnets = resolve_str(subnets);
	while (resolve_next(&addresses, address, sizeof(address)) &&
	       resolve_next(&subnets, subnet, sizeof(subnet))) {
		struct ip_prefix *a = &l->addrs[l->n_addrs];

		if (l->n_addrs == ARRAY_LEN(l->addrs) || !ip_prefix_parse(subnet, &net) ||
		    !ip_parse(address, &a->ip))
			return false;
		a->len = net.len;
		l->n_addrs++;
	}
	return true;
}

static int add_link(struct port_plan *plan, const struct net_spec *spec, const char *unit,
		    const char *network, struct fail *f)
{
	const struct netspec_network *net = resolve_network(spec, network);
	const struct netspec_member *m = resolve_member(spec, unit, network);
	struct port_link *l;

	if (!net || !m)
		return fail_set(f, ENOENT,
				"%s is not known in network \"%s\": orlop-net up has not seen it",
				unit, network);
	if (has(net->problem) || has(m->problem))
		return fail_set(f, EADDRNOTAVAIL, "network \"%s\": %s", network,
				has(net->problem) ? net->problem : m->problem);
	if (plan->n_links == PORT_LINKS_MAX)
		return fail_set(f, E2BIG, "more than %u networks", PORT_LINKS_MAX);
	l = &plan->links[plan->n_links];
	if (!resolve_child(net)) /* a child has no end on the host */
		port_device(unit, network, l->device);
	snprintf(l->inside, sizeof(l->inside), "eth%zu", plan->n_links);
	l->bridge = resolve_str(net->bridge);
	l->driver = resolve_str(net->driver);
	l->mode = resolve_str(net->mode);
	l->parent = resolve_str(net->parent);
	l->lan = !resolve_own_bridge(net);
	l->vlan = l->lan ? (unsigned)strtoul(resolve_str(net->vlan), NULL, 10) : 0;
	l->mtu = has(net->mtu) ? (unsigned)strtoul(net->mtu, NULL, 10) : 0;
	if (!read_addresses(m->address, net->subnet, l) ||
	    !read_addresses(m->address6, net->subnet6, l) ||
	    !mac_parse(resolve_str(m->mac), &l->mac) || !l->n_addrs)
		return fail_set(f, EBADMSG, "%s has no address in network \"%s\"", unit, network);
	if (!resolve_yes(net->internal)) {
		(void)resolve_first(net->gateway, &l->gateway4);
		(void)resolve_first(net->gateway6, &l->gateway6);
	}
	plan->n_links++;
	return add_device(&plan->state, l, m, f);
}

/* One default route in each family: by the first link that has one. */
static void keep_first_gateways(struct port_plan *plan)
{
	bool seen4 = false, seen6 = false;

	for (size_t i = 0; i < plan->n_links; i++) {
		struct port_link *l = &plan->links[i];

		if (seen4 || !port_link_address(l, 4))
			l->gateway4 = (struct ip){0};
		if (seen6 || !port_link_address(l, 6))
			l->gateway6 = (struct ip){0};
		seen4 |= l->gateway4.family != 0;
		seen6 |= l->gateway6.family != 0;
	}
}

/* --- ports --------------------------------------------------------------------------------------- */

struct range {
	unsigned first, count;
};

/* "80" or "80-90" */
static bool read_range(const char *s, struct range *ret)
{
	unsigned long lo, hi;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	hi = lo = strtoul(s, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		hi = strtoul(end + 1, &end, 10);
	if (*end || lo < 1 || hi > 65535 || hi < lo)
		return false;
	*ret = (struct range){(unsigned)lo, (unsigned)(hi - lo + 1)};
	return true;
}

/* The link that published ports lead to: the one by which answers go out. */
static const struct port_link *published_link(const struct port_plan *plan, uint8_t family)
{
	for (size_t i = 0; i < plan->n_links; i++)
		if (!plan->links[i].lan &&
		    (family == 4 ? plan->links[i].gateway4 : plan->links[i].gateway6).family)
			return &plan->links[i];
	return NULL;
}

static int add_port(struct port_plan *plan, const struct spec_port *p, unsigned host,
		    unsigned container, const char *to, const char *to6, struct fail *f)
{
	struct unit_state *s = &plan->state;
	char h[8], c[8];
	const char *words[] = {
		p->protocol, resolve_str(p->address), h, c, has(p->host) ? "" : "yes", to, to6};
	int r;

	if (s->n_ports >= PORT_PORTS_MAX)
		return fail_set(f, E2BIG, "more than %u published ports", PORT_PORTS_MAX);
	snprintf(h, sizeof(h), "%u", host);
	snprintf(c, sizeof(c), "%u", container);
	r = record_append_words((void **)&s->ports, &s->n_ports, words, ARRAY_LEN(words));
	return r < 0 ? fail_set(f, -r, "network plan") : 0;
}

static unsigned first_random(const char *unit, const char *protocol, unsigned container)
{
	char text[16];

	snprintf(text, sizeof(text), "%.4s%u", protocol, container);
	return PORT_RANDOM_LOW + (unsigned)(ip_hash(ip_hash(0, unit), text) %
					    (PORT_RANDOM_HIGH - PORT_RANDOM_LOW + 1));
}

static int add_ports(struct port_plan *plan, const struct spec_port *p, struct fail *f)
{
	const struct port_link *l4 = published_link(plan, 4), *l6 = published_link(plan, 6);
	char to[IP_TEXT_MAX] = "", to6[IP_TEXT_MAX] = "";
	const char *address = resolve_str(p->address);
	struct range host = {0, 0}, container;
	struct ip ip;
	int r = 0;

	if (!nft_protocol(resolve_str(p->protocol)))
		return fail_set(f, EPROTONOSUPPORT, "protocol \"%.20s\"", resolve_str(p->protocol));
	if (!read_range(resolve_str(p->container), &container))
		return fail_set(f, EINVAL, "container port \"%.20s\"", resolve_str(p->container));
	if (has(p->host) && !read_range(p->host, &host))
		return fail_set(f, EINVAL, "host port \"%.20s\"", p->host);
	if (has(p->host) && host.count != container.count)
		return fail_set(
			f, EINVAL,
			"host ports \"%.20s\" and container ports \"%.20s\" differ in number",
			p->host, p->container);
	if (*address && !ip_parse(address, &ip))
		return fail_set(f, EINVAL, "host address \"%.50s\"", address);
	if (l4 && (!*address || ip.family == 4))
		ip_text(port_link_address(l4, 4), to);
	if (l6 && (!*address || ip.family == 6))
		ip_text(port_link_address(l6, 6), to6);
	if (!*to && !*to6)
		return fail_set(
			f, EADDRNOTAVAIL,
			"port %.20s cannot be published: the unit has no %sway out of its networks",
			p->container,
			!*address        ? ""
			: ip.family == 4 ? "IPv4 "
					 : "IPv6 ");
	for (unsigned i = 0; i < container.count && r == 0; i++)
		r = add_port(plan, p,
			     has(p->host) ? host.first + i
					  : first_random(plan->state.unit, p->protocol,
							 container.first + i),
			     container.first + i, to, to6, f);
	return r;
}

int port_plan_next_random(struct state_port *port, struct fail *f)
{
	unsigned long now = strtoul(port->host, NULL, 10);
	char text[8], *copy;

	if (!resolve_yes(port->random))
		return fail_set(f, EINVAL, "the port is given");
	snprintf(text, sizeof(text), "%lu", now >= PORT_RANDOM_HIGH ? PORT_RANDOM_LOW : now + 1);
	copy = strdup(text);
	if (!copy)
		return fail_set(f, ENOMEM, "network plan");
	free(port->host);
	port->host = copy;
	return 0;
}

/* --- all ------------------------------------------------------------------------------------------ */

int port_plan_make(struct port_plan *plan, const struct net_spec *spec, const char *unit,
		   const struct spec_network *networks, size_t n_networks,
		   const struct spec_port *ports, size_t n_ports, struct fail *f)
{
	int r = 0;

	*plan = (struct port_plan){0};
	plan->state.unit = strdup(unit);
	if (!plan->state.unit)
		return fail_set(f, ENOMEM, "network plan");
	for (size_t i = 0; i < n_networks && r == 0; i++) {
		const char *name = resolve_str(networks[i].name);

		if (!strcmp(name, "host"))
			r = fail_set(f, EINVAL, "Network=host has nothing to attach");
		else if (strcmp(name, "none") != 0)
			r = add_link(plan, spec, unit, name, f);
	}
	keep_first_gateways(plan);
	for (size_t i = 0; i < n_ports && r == 0; i++)
		r = add_ports(plan, &ports[i], f);
	if (r < 0)
		port_plan_done(plan);
	return r;
}

void port_plan_done(struct port_plan *plan)
{
	unit_state_done(&plan->state);
}
