/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* From all units to the spec of the host's networks. */
#include <errno.h>
#include <stdio.h>

#include "units/expand.h"
#include "units/spec_out.h"

/* One family's subnets, or what belongs to them: Subnet=, Gateway= and IPRange= pair by position. */
static char *of_family(struct out *o, const struct unit_network *n, const struct text_list *list,
		       bool v6)
{
	_buf_ struct buf b = {0};
	size_t seen = 0;

	for (size_t i = 0; i < n->subnet.n; i++) {
		if (!strchr(n->subnet.items[i].value, ':') != !v6)
			continue;
		if (seen++)
			buf_chr(&b, ',');
		if (i < list->n)
			buf_str(&b, list->items[i].value);
	}
	return take(o, &b);
}

static char *comma_list(struct out *o, const struct text_list *list)
{
	_buf_ struct buf b = {0};

	for (size_t i = 0; i < list->n; i++)
		add_comma(&b, list->items[i].value);
	return take(o, &b);
}

static void add_network(struct out *o, struct net_spec *spec, const struct unit *u)
{
	struct netspec_network *slot = APPEND(o, spec->networks, spec->n_networks);
	const struct unit_network *n = u->network;

	if (!slot)
		return;
	*slot = (struct netspec_network){
		.name = copy(o, n->name.value),
		.bridge = copy(o, n->bridge),
		.subnet = of_family(o, n, &n->subnet, false),
		.gateway = of_family(o, n, &n->gateway, false),
		.range = of_family(o, n, &n->ip_range, false),
		.internal = copy(o, tri_or(n->internal, false) ? "yes" : ""),
		.ipv6 = copy(o, tri_or(n->ipv6, false) ? "yes" : ""),
		.subnet6 = of_family(o, n, &n->subnet, true),
		.gateway6 = of_family(o, n, &n->gateway, true),
		.range6 = of_family(o, n, &n->ip_range, true),
		.disable_dns = copy(o, tri_or(n->disable_dns, false) ? "yes" : ""),
		.dns = comma_list(o, &n->dns),
		.driver = copy_or_empty(o, n->driver.value),
		.mtu = copy_or_empty(o, pair_value(&n->options, "mtu")),
		.isolate = copy_or_empty(o, pair_value(&n->options, "isolate")),
		.vlan = copy_or_empty(o, pair_value(&n->options, "vlan")),
		.parent = copy_or_empty(o, pair_value(&n->options, "parent")),
		.mode = copy_or_empty(o, pair_value(&n->options, "mode")),
		.unit = copy(o, u->name),
		.on_demand = copy(o, tri_or(n->network_delete_on_stop, false) ? "yes" : ""),
	};
}

static void add_default(struct out *o, struct net_spec *spec)
{
	struct netspec_network *slot = APPEND(o, spec->networks, spec->n_networks);

	if (slot)
		*slot = (struct netspec_network){.name = copy(o, NETSPEC_DEFAULT_NAME),
						 .bridge = copy(o, NETSPEC_DEFAULT_BRIDGE),
						 .subnet = copy(o, NETSPEC_DEFAULT_SUBNET),
						 .gateway = copy(o, "")};
}

static char *names_of(struct out *o, const char *name, const char *host_name,
		      const struct unit_join *j, const struct text_list *more)
{
	_buf_ struct buf b = {0};

	buf_str(&b, name);
	if (host_name && strcmp(host_name, name) != 0)
		add_comma(&b, host_name);
	for (size_t i = 0; i < j->aliases.n; i++)
		add_comma(&b, j->aliases.items[i].value);
	for (size_t i = 0; i < more->n; i++)
		add_comma(&b, more->items[i].value);
	return take(o, &b);
}

static void add_members(struct out *o, struct net_spec *spec, const struct unit *u,
			const char *name, const char *host_name, const struct unit_join *joins,
			size_t n, const struct text_list *aliases)
{
	for (size_t i = 0; i < n; i++) {
		struct netspec_member *slot;

		if (!join_is_bridge(&joins[i]))
			continue;
		slot = APPEND(o, spec->members, spec->n_members);
		if (slot)
			*slot = (struct netspec_member){
				.unit = copy(o, u->name),
				.network = copy(o, joins[i].name.value),
				.names = names_of(o, name, host_name, &joins[i], aliases),
				.address = copy(o, joins[i].ip ? joins[i].ip : ""),
				.address6 = copy(o, joins[i].ip6 ? joins[i].ip6 : ""),
				.mac = copy(o, joins[i].mac ? joins[i].mac : "")};
	}
}

/* A Network=host unit opens what it publishes; one that publishes nothing, everything: who knows what it
 * listens on? host.conf can say so instead. */
static void add_opens(struct out *o, struct net_spec *spec, const struct unit *u,
		      const struct unit_join *joins, size_t n, const struct unit_port *ports,
		      size_t n_ports)
{
	if (n != 1 || joins[0].container || strcmp(joins[0].name.value, "host") != 0)
		return;
	for (size_t i = 0; i < (n_ports ? n_ports : 1); i++) {
		struct netspec_open *slot = APPEND(o, spec->opens, spec->n_opens);
		char text[8] = "";

		if (n_ports)
			snprintf(text, sizeof(text), "%u", ports[i].container);
		if (slot)
			*slot = (struct netspec_open){
				.unit = copy(o, u->name),
				.protocol = copy(o, n_ports ? ports[i].protocol : ""),
				.first = copy(o, text),
				.last = copy(o, text)};
	}
}

int netspec_from_units(const struct unit_set *set, struct net_spec *ret, struct fail *f)
{
	struct net_spec spec = {0};
	struct out o = {0};

	add_default(&o, &spec);
	for (size_t i = 0; i < set->n; i++) {
		const struct unit *u = set->units[i];

		if (u->state != UNIT_OK)
			continue;
		if (u->network)
			add_network(&o, &spec, u);
		if (u->container)
			add_members(&o, &spec, u, u->container->name.value,
				    u->container->host_name.value, u->container->networks,
				    u->container->n_networks, &u->container->network_alias);
		if (u->container)
			add_opens(&o, &spec, u, u->container->networks, u->container->n_networks,
				  u->container->ports, u->container->n_ports);
		if (u->pod)
			add_opens(&o, &spec, u, u->pod->networks, u->pod->n_networks, u->pod->ports,
				  u->pod->n_ports);
		if (u->pod)
			add_members(&o, &spec, u, u->pod->name.value, u->pod->host_name.value,
				    u->pod->networks, u->pod->n_networks, &u->pod->network_alias);
	}
	if (o.bad) {
		netspec_done(&spec);
		return fail_set(f, ENOMEM, "network spec");
	}
	*ret = spec;
	return 0;
}
