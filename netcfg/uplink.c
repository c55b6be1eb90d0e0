/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "netcfg/plan.h"
#include "netcfg/resolve.h"

bool plan_match(const char *pattern, const char *name)
{
	for (; *pattern; pattern++, name++) {
		if (*pattern == '*') {
			for (; *name; name++)
				if (plan_match(pattern + 1, name))
					return true;
			return plan_match(pattern + 1, name);
		}
		if (*pattern != *name)
			return false;
	}
	return !*name;
}

bool plan_is_card(const struct net_link *l)
{
	return strcmp(l->name, "lo") != 0 && strncmp(l->name, "ol", 2) != 0 && !l->bridge &&
	       strncmp(l->alias, "orlop ", 6) != 0;
}

static bool matches(const struct netspec_uplink *u, const struct net_link *l)
{
	struct mac mac;

	if (!plan_is_card(l) || (*resolve_str(u->device) && !plan_match(u->device, l->name)))
		return false;
	if (*resolve_str(u->mac) &&
	    (!mac_parse(u->mac, &mac) || memcmp(&mac, &l->mac, sizeof(mac)) != 0))
		return false;
	return !*resolve_str(u->driver) || !strcmp(u->driver, l->driver);
}

static void problem(struct netspec_uplink *u, const char *text)
{
	if (*resolve_str(u->problem))
		return;
	free(u->problem);
	u->problem = strdup(text);
}

static struct net_link *want_link(struct net_state *want, const char *name)
{
	struct net_link *l = net_add_link(want);

	if (l) {
		snprintf(l->name, sizeof(l->name), "%.15s", name);
		l->up = true;
	}
	return l;
}

static void want_alias(struct net_link *l, const struct netspec_uplink *u)
{
	snprintf(l->alias, sizeof(l->alias), PLAN_ALIAS_UPLINK "%.200s", resolve_str(u->name));
}

static void want_addresses(struct netspec_uplink *u, const char *dev, struct net_state *want)
{
	const char *list = resolve_str(u->addresses);
	char text[IP_TEXT_MAX + 8];
	struct ip_prefix p;

	while (resolve_next(&list, text, sizeof(text))) {
		struct net_address *a;

		if (!ip_prefix_parse(text, &p)) {
			problem(u, "Address= is not ADDRESS/LENGTH");
			continue;
		}
		a = net_add_address(want);
		if (a) {
			snprintf(a->dev, sizeof(a->dev), "%s", dev);
			a->addr = p;
		}
	}
	list = resolve_str(u->gateways);
	while (resolve_next(&list, text, sizeof(text))) {
		struct net_route *r;
		struct ip ip;

		if (!ip_parse(text, &ip)) {
			problem(u, "Gateway= is not an address");
			continue;
		}
		r = net_add_route(want);
		if (r) {
			snprintf(r->dev, sizeof(r->dev), "%s", dev);
			r->gateway = ip;
		}
	}
}

static bool uses_dhcp(const struct netspec_uplink *u)
{
	return *resolve_str(u->dhcp) ? strcmp(u->dhcp, "no") != 0 : !*resolve_str(u->addresses);
}

/* card <- vlan <- bridge: whichever are asked for; addresses on the last. */
static void want_uplink(struct netspec_uplink *u, const struct net_link *have,
			struct net_state *want)
{
	unsigned long vlan = strtoul(resolve_str(u->vlan), NULL, 10);
	struct net_link *top = want_link(want, have->name);
	char name[NAME_DEVICE_MAX + 8];
	struct mac mac = have->mac;

	if (!top)
		return;
	top->mtu = (unsigned)strtoul(resolve_str(u->mtu), NULL, 10);
	if (*resolve_str(u->vlan)) {
		snprintf(name, sizeof(name), "%s.%lu", have->name, vlan);
		if (vlan < 1 || vlan > 4094 || !name_device_valid(name)) {
			problem(u, "VLAN= is not a tag, or the device's name too long for one");
			return;
		}
		top = want_link(want, name);
		if (!top)
			return;
		want_alias(top, u);
		top->vlan = (unsigned)vlan;
		snprintf(top->parent, sizeof(top->parent), "%s", have->name);
	}
	if (*resolve_str(u->bridge)) {
		if (!name_device_valid(u->bridge) || !strncmp(u->bridge, "ol", 2)) {
			problem(u, "Bridge= cannot be the name of a device");
			return;
		}
		snprintf(top->master, sizeof(top->master), "%s", u->bridge);
		top = want_link(want, u->bridge);
		if (!top)
			return;
		want_alias(top, u);
		top->bridge = true;
		top->mac =
			mac; /* the LAN goes on seeing the card it knows, and DHCP gives the same lease */
		top->mtu = *resolve_str(u->mtu) ? (unsigned)strtoul(u->mtu, NULL, 10) : 1500;
	}
	top->dhcp = uses_dhcp(u);
	want_addresses(u, top->name, want);
}

/* Whose each card is: taken[i * n_links + k] says that uplink i has card k. The first that matches; a card's
 * VLANs are apart from it. An uplink with addresses or a bridge has one card only: they cannot be shared
 * out. NULL when memory ran out. */
static bool *share_out(const struct net_spec *spec, const struct net_state *have)
{
	bool *taken = calloc(spec->n_uplinks * have->n_links + 1, sizeof(*taken));

	for (size_t i = 0; taken && i < spec->n_uplinks; i++) {
		const struct netspec_uplink *u = &spec->uplinks[i];
		bool single = *resolve_str(u->addresses) || *resolve_str(u->bridge), found = false;

		for (size_t k = 0; k < have->n_links && !(single && found); k++) {
			bool free = matches(u, &have->links[k]);

			for (size_t j = 0; j < i && free; j++)
				free = !taken[j * have->n_links + k] ||
				       strcmp(resolve_str(spec->uplinks[j].vlan),
					      resolve_str(u->vlan)) != 0;
			found |= taken[i * have->n_links + k] = free;
		}
	}
	return taken;
}

void plan_uplinks(struct net_spec *spec, const struct net_state *have, struct net_state *want)
{
	_free_
	bool *taken = share_out(spec, have);

	want->bad |= !taken;
	for (size_t i = 0; taken && i < spec->n_uplinks; i++) {
		bool found = false, matched = false;

		for (size_t k = 0; k < have->n_links; k++) {
			matched |= matches(&spec->uplinks[i], &have->links[k]);
			if (!taken[i * have->n_links + k])
				continue;
			want_uplink(&spec->uplinks[i], &have->links[k], want);
			found = true;
		}
		if (!found)
			problem(&spec->uplinks[i], matched ? "its network card is another uplink's"
							   : "no network card matches");
	}
	/* without any, DHCP finds the cards; it wants them up */
	for (size_t k = 0; k < have->n_links && !spec->n_uplinks; k++)
		if (plan_is_card(&have->links[k]) && (plan_match("eth*", have->links[k].name) ||
						      plan_match("en*", have->links[k].name)))
			want_link(want, have->links[k].name);
}

void plan_static_resolv(const struct net_spec *spec, struct buf *b)
{
	for (size_t i = 0; i < spec->n_uplinks; i++) {
		const char *list = resolve_str(spec->uplinks[i].search);
		char word[256];
		struct ip ip;

		if (*list)
			buf_str(b, "search");
		while (resolve_next(&list, word, sizeof(word)))
			buf_fmt(b, " %s", word);
		if (*resolve_str(spec->uplinks[i].search))
			buf_chr(b, '\n');
		list = resolve_str(spec->uplinks[i].dns);
		while (resolve_next(&list, word, sizeof(word)))
			if (ip_parse(word, &ip))
				buf_fmt(b, "nameserver %s\n", word);
	}
}

/* --- DHCP ----------------------------------------------------------------------------------------- */

/* The device that an uplink's addresses are on, if it is on this card. */
static void top_device(const struct netspec_uplink *u, const struct net_link *card,
		       char ret[NAME_DEVICE_MAX + 8])
{
	if (*resolve_str(u->bridge))
		snprintf(ret, NAME_DEVICE_MAX + 8, "%.15s", u->bridge);
	else if (*resolve_str(u->vlan))
		snprintf(ret, NAME_DEVICE_MAX + 8, "%s.%.4s", card->name, u->vlan);
	else
		snprintf(ret, NAME_DEVICE_MAX + 8, "%s", card->name);
}

static bool on_the_card(const struct netspec_uplink *u)
{
	return !*resolve_str(u->bridge) && !*resolve_str(u->vlan);
}

/* By names alone, so that cards that come later are asked on too. */
static bool by_name(const struct netspec_uplink *u)
{
	return on_the_card(u) && *resolve_str(u->device) && !*resolve_str(u->mac) &&
	       !*resolve_str(u->driver);
}

static void deny_card(const struct net_spec *spec, const bool *taken, size_t n_links, size_t k,
		      const char *name, struct buf *deny)
{
	bool somebodys = false, asks = false;

	for (size_t i = 0; i < spec->n_uplinks; i++) {
		somebodys |= taken[i * n_links + k];
		asks |= taken[i * n_links + k] && on_the_card(&spec->uplinks[i]) &&
			uses_dhcp(&spec->uplinks[i]);
	}
	if (somebodys && !asks)
		buf_fmt(deny, " %s", name);
}

void plan_dhcpcd_conf(const struct net_spec *spec, const struct net_state *have, const char *base,
		      struct buf *b)
{
	_buf_ struct buf allow = {0}, deny = {0}, blocks = {0};
	_free_
	bool *taken = share_out(spec, have);
	char top[NAME_DEVICE_MAX + 8];

	if (!spec->n_uplinks)
		buf_str(&allow, " eth* en*");
	for (size_t i = 0; taken && i < spec->n_uplinks; i++) {
		const struct netspec_uplink *u = &spec->uplinks[i];

		if (!uses_dhcp(u))
			continue;
		if (by_name(u))
			buf_fmt(&allow, " %s", u->device);
		for (size_t k = 0; k < have->n_links; k++) {
			if (!taken[i * have->n_links + k])
				continue;
			top_device(u, &have->links[k], top);
			if (!by_name(u))
				buf_fmt(&allow, " %s", top);
			if (!strncmp(resolve_str(u->dhcp), "ipv", 3))
				buf_fmt(&blocks, "interface %s\n%sonly\n", top, u->dhcp);
		}
	}
	for (size_t k = 0; taken && k < have->n_links; k++)
		deny_card(spec, taken, have->n_links, k, have->links[k].name, &deny);
	b->bad |= !taken || allow.bad || deny.bad || blocks.bad;
	if (b->bad || !allow.len)
		return;
	buf_fmt(b, "allowinterfaces%s\n", allow.data);
	if (deny.len)
		buf_fmt(b, "denyinterfaces%s\n", deny.data);
	buf_fmt(b, "%s%s", base, blocks.data ? blocks.data : "");
}
