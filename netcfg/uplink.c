/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Cards, and what looks like one: not what we made, not lo, not a container's end. */
static bool card(const struct net_link *l)
{
	return strcmp(l->name, "lo") != 0 && strncmp(l->name, "ol", 2) != 0 && !l->bridge &&
	       strncmp(l->alias, "orlop ", 6) != 0;
}

static bool matches(const struct netspec_uplink *u, const struct net_link *l)
{
	struct mac mac;

	if (!card(l) || (*resolve_str(u->device) && !plan_match(u->device, l->name)))
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

/* The next item of a comma list, into ret; false at the end. */
static bool next_item(const char **list, char *ret, size_t size)
{
	size_t n = strcspn(*list, ",");

	if (!**list)
		return false;
	snprintf(ret, size, "%.*s", (int)n, *list);
	*list += n + ((*list)[n] == ',');
	return true;
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

	while (next_item(&list, text, sizeof(text))) {
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
	while (next_item(&list, text, sizeof(text))) {
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
	want_addresses(u, top->name, want);
}

void plan_uplinks(struct net_spec *spec, const struct net_state *have, struct net_state *want)
{
	for (size_t i = 0; i < spec->n_uplinks; i++) {
		struct netspec_uplink *u = &spec->uplinks[i];
		bool found = false;

		for (size_t k = 0; k < have->n_links; k++) {
			if (!matches(u, &have->links[k]))
				continue;
			/* one card, one uplink: addresses, VLANs and bridges cannot be shared out */
			if (!found || (!*resolve_str(u->addresses) && !*resolve_str(u->bridge)))
				want_uplink(u, &have->links[k], want);
			found = true;
		}
		if (!found)
			problem(u, "no network card matches");
	}
	/* without any, DHCP finds the cards; it wants them up */
	for (size_t k = 0; k < have->n_links && !spec->n_uplinks; k++)
		if (card(&have->links[k]) && (plan_match("eth*", have->links[k].name) ||
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
		while (next_item(&list, word, sizeof(word)))
			buf_fmt(b, " %s", word);
		if (*resolve_str(spec->uplinks[i].search))
			buf_chr(b, '\n');
		list = resolve_str(spec->uplinks[i].dns);
		while (next_item(&list, word, sizeof(word)))
			if (ip_parse(word, &ip))
				buf_fmt(b, "nameserver %s\n", word);
	}
}
