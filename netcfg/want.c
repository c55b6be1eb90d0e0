/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "netcfg/dns.h"
#include "netcfg/plan.h"
#include "netcfg/resolve.h"

static void *append(void **items, size_t *n, size_t size, bool *bad)
{
	if ((*n & (*n - 1)) == 0) { /* full at every power of two */
		void *grown = realloc(*items, (*n ? *n * 2 : 1) * size);

		if (!grown) {
			*bad = true;
			return NULL;
		}
		*items = grown;
	}
	return memset((char *)*items + (*n)++ * size, 0, size);
}

struct net_sysctl *net_add_sysctl(struct net_state *s)
{
	return append((void **)&s->sysctls, &s->n_sysctls, sizeof(*s->sysctls), &s->bad);
}

struct net_link *net_add_link(struct net_state *s)
{
	return append((void **)&s->links, &s->n_links, sizeof(*s->links), &s->bad);
}

struct net_address *net_add_address(struct net_state *s)
{
	return append((void **)&s->addresses, &s->n_addresses, sizeof(*s->addresses), &s->bad);
}

struct net_port_vlan *net_add_port_vlan(struct net_state *s, const char *dev, unsigned tag)
{
	struct net_port_vlan *v = append((void **)&s->port_vlans, &s->n_port_vlans,
					 sizeof(*s->port_vlans), &s->bad);

	if (v) {
		snprintf(v->dev, sizeof(v->dev), "%s", dev);
		v->tag = tag;
	}
	return v;
}

struct net_route *net_add_route(struct net_state *s)
{
	return append((void **)&s->routes, &s->n_routes, sizeof(*s->routes), &s->bad);
}

struct net_file *net_add_file(struct net_state *s, const char *path, const char *content,
			      size_t len)
{
	struct net_file *file = append((void **)&s->files, &s->n_files, sizeof(*s->files), &s->bad);

	if (!file)
		return NULL;
	file->path = strdup(path);
	if (content) {
		file->content = malloc(len + 1);
		if (file->content) {
			memcpy(file->content, content, len);
			file->content[len] = '\0';
			file->len = len;
		}
	}
	if (!file->path || (content && !file->content))
		s->bad = true;
	return file;
}

void net_state_done(struct net_state *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		free(s->files[i].path);
		free(s->files[i].content);
	}
	free(s->sysctls);
	free(s->links);
	free(s->addresses);
	free(s->port_vlans);
	free(s->routes);
	free(s->files);
	nft_elems_done(&s->elems);
	*s = (struct net_state){0};
}

static struct net_sysctl *sysctl(struct net_state *want, bool optional, const char *path,
				 const char *value)
{
	struct net_sysctl *s = net_add_sysctl(want);

	if (!s)
		return NULL;
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->value, sizeof(s->value), "%s", value);
	s->optional = optional;
	return s;
}

static void bridge_sysctl(struct net_state *want, const char *family, const char *bridge,
			  const char *key, const char *value)
{
	struct net_sysctl *s;
	char path[96];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, bridge, key);
	s = sysctl(want, !strcmp(family, "ipv6"), path, value);
	if (s)
		snprintf(s->dev, sizeof(s->dev), "%s", bridge);
}

/* What a router needs, and what Network=host containers need to bind and ping without capabilities. */
static void want_sysctls(const struct net_spec *spec, struct net_state *want)
{
	bool bridges = false, ipv6 = false;

	for (size_t i = 0; i < spec->n_networks; i++) {
		bridges |= resolve_own_bridge(&spec->networks[i]);
		ipv6 |= resolve_own_bridge(&spec->networks[i]) &&
			*resolve_str(spec->networks[i].subnet6);
	}
	sysctl(want, false, "net/ipv4/ip_unprivileged_port_start", "0");
	sysctl(want, false, "net/ipv4/ping_group_range", "0 2147483647");
	if (!bridges)
		return;
	sysctl(want, false, "net/ipv4/ip_forward", "1");
	if (ipv6)
		sysctl(want, true, "net/ipv6/conf/all/forwarding", "1");
	/* bridged frames are filtered as frames; sent through the IP hooks too they would be translated twice */
	sysctl(want, true, "net/bridge/bridge-nf-call-iptables", "0");
	sysctl(want, true, "net/bridge/bridge-nf-call-ip6tables", "0");
	sysctl(want, true, "net/bridge/bridge-nf-call-arptables", "0");
	/* hairpin connections go out where they came in, on purpose; either of "all" and the device's own
	 * would turn redirects on */
	sysctl(want, false, "net/ipv4/conf/all/send_redirects", "0");
}

/* The bridge is the gateway of each of its subnets. */
static void want_addresses(struct net_state *want, const char *dev, const char *gateways,
			   const char *subnets)
{
	char gateway[IP_TEXT_MAX], subnet[IP_TEXT_MAX];
	struct ip_prefix net;
	struct ip ip;

	gateways = resolve_str(gateways);
	subnets = resolve_str(subnets);
	while (resolve_next(&gateways, gateway, sizeof(gateway)) &&
	       resolve_next(&subnets, subnet, sizeof(subnet))) {
		struct net_address *a;

		if (!ip_parse(gateway, &ip) || !ip_prefix_parse(subnet, &net))
			continue;
		a = net_add_address(want);
		if (!a)
			return;
		snprintf(a->dev, sizeof(a->dev), "%s", dev);
		a->addr = (struct ip_prefix){ip, net.len};
	}
}

static void want_bridge(const struct netspec_network *net, struct net_state *want)
{
	struct net_link *l = net_add_link(want);

	if (!l)
		return;
	snprintf(l->name, sizeof(l->name), "%s", net->bridge);
	snprintf(l->alias, sizeof(l->alias), PLAN_ALIAS "%s", net->name);
	l->mac = name_bridge_mac(net->bridge);
	l->mtu = *resolve_str(net->mtu) ? (unsigned)strtoul(net->mtu, NULL, 10) : 1500;
	l->up = l->bridge = true;
	l->pvid = (unsigned)strtoul(resolve_str(net->vlan), NULL, 10);
	l->vlans = l->pvid != 0;
	bridge_sysctl(want, "ipv4", net->bridge, "route_localnet", "1");
	bridge_sysctl(want, "ipv4", net->bridge, "rp_filter", "1");
	bridge_sysctl(want, "ipv4", net->bridge, "send_redirects", "0");
	bridge_sysctl(want, "ipv6", net->bridge, "disable_ipv6",
		      *resolve_str(net->subnet6) ? "0" : "1"); /* it may have been without */
	if (*resolve_str(net->subnet6))
		bridge_sysctl(want, "ipv6", net->bridge, "accept_ra", "0");
	want_addresses(want, net->bridge, net->gateway, net->subnet);
	want_addresses(want, net->bridge, net->gateway6, net->subnet6);
	nft_add_bridge(&want->elems, NFT_BRIDGES, net->bridge);
	nft_add_together(&want->elems, net->bridge, net->bridge);
	if (!resolve_yes(net->internal))
		nft_add_bridge(&want->elems, NFT_EGRESS, net->bridge);
	if (dns_serves(net))
		nft_add_bridge(&want->elems, NFT_NAMED, net->bridge);
}

static bool carries(const struct net_state *s, const char *dev, unsigned tag)
{
	for (size_t i = 0; i < s->n_port_vlans; i++)
		if (s->port_vlans[i].tag == tag && !strcmp(s->port_vlans[i].dev, dev))
			return true;
	return false;
}

/* Members on an uplink's bridge who are in a VLAN: the bridge keeps it apart, its card carries it. What has no tag
 * on the wire goes on being the host's and that of members without a VLAN. */
static void want_lan_vlan(const struct netspec_network *net, struct net_state *want)
{
	unsigned tag = (unsigned)strtoul(resolve_str(net->vlan), NULL, 10);

	for (size_t i = 0; i < want->n_links; i++) {
		struct net_link *l = &want->links[i];

		if (l->bridge && !strcmp(l->name, net->parent))
			l->vlans = true;
		if (!strcmp(l->master, net->parent) && !carries(want, l->name, tag))
			net_add_port_vlan(want, l->name, tag);
	}
}

static bool open_network(const struct netspec_network *net)
{
	return resolve_own_bridge(net) && resolve_no(net->isolate) && !resolve_yes(net->internal);
}

static void want_together(const struct net_spec *spec, struct net_state *want)
{
	for (size_t i = 0; i < spec->n_networks; i++)
		for (size_t k = 0; k < spec->n_networks; k++)
			if (i != k && open_network(&spec->networks[i]) &&
			    open_network(&spec->networks[k]))
				nft_add_together(&want->elems, spec->networks[i].bridge,
						 spec->networks[k].bridge);
}

/* Two that open the same port are one element. */
static void want_opens(const struct net_spec *spec, struct net_state *want)
{
	static const char *const all[] = {"tcp", "udp", "sctp"};

	for (size_t i = 0; i < spec->n_opens; i++) {
		const struct netspec_open *o = &spec->opens[i];
		unsigned long first = strtoul(resolve_str(o->first), NULL, 10);
		unsigned long last = strtoul(resolve_str(o->last), NULL, 10);
		uint8_t protocol = nft_protocol(resolve_str(o->protocol));

		for (size_t k = 0; k < ARRAY_LEN(all) && !*resolve_str(o->protocol); k++)
			nft_add_open(&want->elems, nft_protocol(all[k]), 0, resolve_str(o->unit));
		for (; protocol && first && first <= last && last <= 65535; first++)
			nft_add_open(&want->elems, protocol, (uint16_t)first, resolve_str(o->unit));
	}
}

/* Where a member's questions for names go: from each address to its own subnet's gateway. */
static void want_names(const struct netspec_member *m, const struct netspec_network *net,
		       unsigned port, struct net_state *want)
{
	const char *addresses[] = {resolve_str(m->address), resolve_str(m->address6)};
	const char *gateways[] = {resolve_str(net->gateway), resolve_str(net->gateway6)};
	char from_text[IP_TEXT_MAX], to_text[IP_TEXT_MAX];
	struct ip from, to;

	for (size_t i = 0; i < 2; i++)
		while (resolve_next(&addresses[i], from_text, sizeof(from_text)) &&
		       resolve_next(&gateways[i], to_text, sizeof(to_text)))
			if (ip_parse(from_text, &from) && ip_parse(to_text, &to))
				nft_add_names(&want->elems, &from, &to, (uint16_t)port, m->unit);
}

/* The name servers of sets of networks: their hosts files, and who is led to them. */
static void want_dns_sets(const struct net_spec *spec, struct net_state *want)
{
	struct dns_sets *sets = calloc(1, sizeof(*sets));
	_buf_ struct buf b = {0};
	char path[sizeof(PATH_HOSTS) + 32];

	want->bad |= !sets;
	if (sets)
		dns_sets_find(spec, sets);
	for (size_t i = 0; sets && i < sets->n; i++) {
		buf_reset(&b);
		resolve_hosts(spec, sets->items[i].networks, sets->items[i].n, &b);
		snprintf(path, sizeof(path), PATH_HOSTS "/%s", sets->items[i].file);
		net_add_file(want, path, b.data ? b.data : "", b.len);
	}
	for (size_t i = 0; sets && sets->n && i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];
		const struct netspec_network *net = resolve_network(spec, resolve_str(m->network));
		const struct dns_set *set = dns_set_of(sets, spec, resolve_str(m->unit));

		if (set && net && dns_serves(net) && !*resolve_str(m->problem))
			want_names(m, net, set->port, want);
	}
	want->bad |= b.bad;
	free(sets);
}

static bool first_of_unit(const struct net_spec *spec, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(resolve_str(spec->members[k].unit), resolve_str(spec->members[i].unit)))
			return false;
	return true;
}

static void want_files(const struct net_spec *spec, struct net_state *want)
{
	_buf_ struct buf b = {0};
	char path[sizeof(PATH_HOSTS) + 256];

	for (size_t i = 0; i < spec->n_networks; i++) {
		if (*resolve_str(spec->networks[i].problem))
			continue;
		buf_reset(&b);
		resolve_hosts(spec, &(const struct netspec_network *){&spec->networks[i]}, 1, &b);
		snprintf(path, sizeof(path), PATH_HOSTS "/%s", spec->networks[i].name);
		net_add_file(want, path, b.data, b.len);
	}
	for (size_t i = 0; i < spec->n_members; i++) {
		const char *unit = resolve_str(spec->members[i].unit);

		buf_reset(&b);
		if (first_of_unit(spec, i) && resolve_unit_hosts(spec, unit, &b)) {
			snprintf(path, sizeof(path), PATH_HOSTS "/%s", unit);
			net_add_file(want, path, b.data, b.len);
		}
	}
	buf_reset(&b);
	netspec_encode(spec, &b);
	net_add_file(want, PATH_NETSPEC, b.data ? b.data : "", b.len);
	want->bad |= b.bad;
}

void plan_want(struct net_spec *spec, const struct net_state *have, struct net_state *want)
{
	struct net_link *lo = net_add_link(want);

	if (lo)
		*lo = (struct net_link){.name = "lo", .up = true};
	plan_uplinks(spec, have, want);
	want_sysctls(spec, want);
	for (size_t i = 0; i < spec->n_networks; i++) {
		const struct netspec_network *net = &spec->networks[i];

		/* anti-spoofing entries of members on the LAN need the tables too */
		want->nft_loaded |= !*resolve_str(net->problem) && *resolve_str(net->bridge);
		if (resolve_own_bridge(net))
			want_bridge(net, want);
		else if (!*resolve_str(net->problem) && *resolve_str(net->vlan))
			want_lan_vlan(net, want);
	}
	want_together(spec, want);
	want_opens(spec, want);
	want_dns_sets(spec, want);
	want_files(spec, want);
	want->bad |= want->elems.bad;
}
