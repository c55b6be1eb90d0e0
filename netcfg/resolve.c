/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netcfg/resolve_parts.h"

const char *resolve_str(const char *s)
{
	return s ? s : "";
}

bool resolve_next(const char **list, char *ret, size_t size)
{
	size_t n = strcspn(*list, ",");
	bool there = **list;

	snprintf(ret, size, "%.*s", (int)n, *list);
	*list += n + ((*list)[n] == ',');
	return there;
}

bool resolve_first(const char *list, struct ip *ret)
{
	char text[IP_TEXT_MAX];

	list = resolve_str(list);
	return resolve_next(&list, text, sizeof(text)) && ip_parse(text, ret);
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

int resolve_put(char **cell, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*cell);
	*cell = copy;
	return 0;
}

/* One for each of its addresses, those of both families side by side. */
static int add_leases(struct lease_file *file, const struct netspec_member *m)
{
	const char *list4 = resolve_str(m->address), *list6 = resolve_str(m->address6);
	char text4[IP_TEXT_MAX], text6[IP_TEXT_MAX];
	int r = 0;

	while (r == 0) {
		struct lease l = {.network = m->network, .unit = m->unit};
		bool more = resolve_next(&list4, text4, sizeof(text4));

		if (!resolve_next(&list6, text6, sizeof(text6)) && !more)
			break;
		(void)ip_parse(text4, &l.ip4);
		(void)ip_parse(text6, &l.ip6);
		if (l.ip4.family || l.ip6.family)
			r = lease_add(file, &l);
	}
	return r;
}

/* The file as it is to be written: networks, present members in order of name, then the absent ones. */
static int new_leases(const struct net_spec *spec, const struct resolving *nets,
		      struct lease_file *leases)
{
	struct lease_file fresh = {.bad = leases->bad};
	int r = 0;

	for (size_t i = 0; i < spec->n_networks && r == 0; i++)
		if (!has(nets[i].spec->problem))
			r = lease_add(&fresh, &(struct lease){.network = nets[i].spec->name,
							      .net4 = nets[i].v4.subnets[0],
							      .net6 = nets[i].v6.subnets[0]});
	for (size_t i = 0; i < spec->n_members && r == 0; i++)
		if (!has(spec->members[i].problem))
			r = add_leases(&fresh, &spec->members[i]);
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

int resolve_spec(struct net_spec *spec, struct lease_file *leases, const struct ip_prefix *avoid,
		 size_t n_avoid, struct fail *f)
{
	struct resolving *nets = calloc(spec->n_networks + 1, sizeof(*nets));
	int r = nets ? resolve_networks(spec, nets, leases, avoid, n_avoid) : -ENOMEM;

	if (r == 0)
		r = resolve_members(spec, nets, leases);
	if (r == 0)
		r = new_leases(spec, nets, leases);
	free(nets);
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
