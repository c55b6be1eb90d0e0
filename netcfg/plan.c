/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "netcfg/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void op_list_done(struct op_list *list)
{
	free(list->items);
	*list = (struct op_list){0};
}

static void add(struct op_list *ops, struct op op)
{
	if (ops->n == ops->cap) {
		size_t cap = ops->cap ? 2 * ops->cap : 64;
		struct op *grown = realloc(ops->items, cap * sizeof(*grown));

		if (!grown) {
			ops->bad = true;
			return;
		}
		ops->items = grown;
		ops->cap = cap;
	}
	ops->items[ops->n++] = op;
}

static const struct net_link *find_link(const struct net_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (!strcmp(s->links[i].name, name))
			return &s->links[i];
	return NULL;
}

static const struct net_file *find_file(const struct net_state *s, const char *path)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (s->files[i].path && !strcmp(s->files[i].path, path))
			return &s->files[i];
	return NULL;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool ours(const struct net_link *l)
{
	return (l->bridge || l->vlan) &&
	       (begins(l->alias, PLAN_ALIAS) || begins(l->alias, PLAN_ALIAS_UPLINK));
}

/* What we make, beside what is there (cards, lo). */
static bool made(const struct net_link *w)
{
	return w->bridge || w->vlan;
}

static void diff_files(const struct net_state *want, const struct net_state *have,
		       struct op_list *ops, bool durable)
{
	for (size_t i = 0; i < want->n_files; i++) {
		const struct net_file *w = &want->files[i];
		const struct net_file *h = w->path ? find_file(have, w->path) : NULL;

		if (w->durable != durable || !w->content)
			continue;
		if (!h || !h->content || h->len != w->len ||
		    memcmp(h->content, w->content, w->len) != 0)
			add(ops, (struct op){.kind = OP_FILE, .file = w});
	}
}

/* Whether the bridge or VLAN device of this name is yet to be made, or made anew. */
static bool fresh(const struct net_state *want, const struct net_state *have, const char *dev)
{
	const struct net_link *w = find_link(want, dev), *h = find_link(have, dev);

	return w && made(w) &&
	       (!h || !ours(h) || strcmp(h->alias, w->alias) != 0 || h->bridge != w->bridge ||
		h->vlan != w->vlan);
}

static bool wanted_sysctl(const struct net_sysctl *w, const struct net_state *want,
			  const struct net_state *have)
{
	if (*w->dev && fresh(want, have, w->dev))
		return true;
	for (size_t i = 0; i < have->n_sysctls; i++) {
		const struct net_sysctl *h = &have->sysctls[i];

		if (strcmp(h->path, w->path) != 0)
			continue;
		return h->missing ? !w->optional : strcmp(h->value, w->value) != 0;
	}
	return true;
}

/* Those of a device that is yet to be made come after it, all the others first. */
static void diff_sysctls(const struct net_state *want, const struct net_state *have,
			 struct op_list *ops)
{
	for (size_t i = 0; i < want->n_sysctls; i++)
		if (wanted_sysctl(&want->sysctls[i], want, have))
			add(ops, (struct op){.kind = OP_SYSCTL, .sysctl = &want->sysctls[i]});
}

/* A bridge that is yet to be made keeps none apart, as the kernel makes it. */
static bool wanted_vlans(const struct net_link *w, const struct net_link *h, bool is_fresh)
{
	if (!w->bridge)
		return false;
	if (is_fresh || !h)
		return w->vlans;
	return w->vlans != h->vlans || (w->vlans && h->pvid != (w->pvid ? w->pvid : 1));
}

static void diff_links(const struct net_state *want, const struct net_state *have,
		       struct op_list *ops)
{
	for (size_t i = 0; i < have->n_links; i++)
		if (ours(&have->links[i]) && !find_link(want, have->links[i].name))
			add(ops, (struct op){.kind = OP_LINK_DEL, .dev = have->links[i].name});
	for (size_t i = 0; i < want->n_links; i++) {
		const struct net_link *w = &want->links[i], *h = find_link(have, w->name);

		/* a link of this name that is not ours: making it fails, and says why */
		if (fresh(want, have, w->name)) {
			if (h && ours(h))
				add(ops, (struct op){.kind = OP_LINK_DEL, .dev = w->name});
			add(ops, (struct op){.kind = w->bridge ? OP_BRIDGE_ADD : OP_VLAN_ADD,
					     .link = w});
		}
		if (wanted_vlans(w, h, fresh(want, have, w->name)))
			add(ops, (struct op){.kind = OP_BRIDGE_VLANS, .link = w});
		if (w->mtu && (!h || h->mtu != w->mtu) &&
		    !(w->bridge && fresh(want, have, w->name)))
			add(ops, (struct op){.kind = OP_MTU, .link = w});
		if (w->bridge && !fresh(want, have, w->name) &&
		    memcmp(&h->mac, &w->mac, sizeof(h->mac)) != 0)
			add(ops, (struct op){.kind = OP_MAC, .link = w});
	}
}

static bool has_address(const struct net_state *s, const struct net_address *a)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (!strcmp(s->addresses[i].dev, a->dev) &&
		    s->addresses[i].addr.len == a->addr.len &&
		    ip_equal(&s->addresses[i].addr.ip, &a->addr.ip))
			return true;
	return false;
}

/* Whether the addresses of w are ours to say: of container networks always, of an uplink if it has any. */
static bool owns_addresses(const struct net_state *want, const struct net_link *w)
{
	if (begins(w->alias, PLAN_ALIAS))
		return true;
	if (w->dhcp)
		return false;
	for (size_t i = 0; i < want->n_addresses; i++)
		if (!strcmp(want->addresses[i].dev, w->name) && strcmp(w->name, "lo") != 0)
			return true;
	return false;
}

/* Ports of an uplink's bridge. A card keeps no address of its own then: it would answer for the bridge's. */
static void diff_masters(const struct net_state *want, const struct net_state *have,
			 struct op_list *ops)
{
	for (size_t i = 0; i < want->n_links; i++) {
		const struct net_link *w = &want->links[i], *h = find_link(have, w->name);

		if (*w->master && (!h || strcmp(h->master, w->master) != 0 ||
				   fresh(want, have, w->name) || fresh(want, have, w->master)))
			add(ops, (struct op){.kind = OP_MASTER, .link = w});
		for (size_t k = 0; *w->master && k < have->n_addresses; k++)
			if (!strcmp(have->addresses[k].dev, w->name) &&
			    !ip_is_link_local(&have->addresses[k].addr.ip))
				add(ops, (struct op){.kind = OP_ADDR_DEL,
						     .address = &have->addresses[k]});
	}
}

static bool has_port_vlan(const struct net_state *s, const struct net_port_vlan *v)
{
	for (size_t i = 0; i < s->n_port_vlans; i++)
		if (s->port_vlans[i].tag == v->tag && !strcmp(s->port_vlans[i].dev, v->dev))
			return true;
	return false;
}

/* Of the ports that are ours to say; one that changes its bridge loses what it carried. */
static void diff_port_vlans(const struct net_state *want, const struct net_state *have,
			    struct op_list *ops)
{
	for (size_t i = 0; i < have->n_port_vlans; i++) {
		const struct net_port_vlan *v = &have->port_vlans[i];
		const struct net_link *w = find_link(want, v->dev), *h = find_link(have, v->dev);

		if (w && h && *w->master && !strcmp(w->master, h->master) &&
		    !fresh(want, have, w->master) && !has_port_vlan(want, v))
			add(ops, (struct op){.kind = OP_PORT_VLAN_DEL, .port_vlan = v});
	}
	for (size_t i = 0; i < want->n_port_vlans; i++) {
		const struct net_port_vlan *v = &want->port_vlans[i];
		const struct net_link *w = find_link(want, v->dev), *h = find_link(have, v->dev);

		if (!w || !h || strcmp(w->master, h->master) != 0 || fresh(want, have, w->name) ||
		    fresh(want, have, w->master) || !has_port_vlan(have, v))
			add(ops, (struct op){.kind = OP_PORT_VLAN_ADD, .port_vlan = v});
	}
}

static bool has_route(const struct net_state *s, const struct net_route *r)
{
	for (size_t i = 0; i < s->n_routes; i++)
		if (!strcmp(s->routes[i].dev, r->dev) &&
		    ip_equal(&s->routes[i].gateway, &r->gateway))
			return true;
	return false;
}

static void diff_routes(const struct net_state *want, const struct net_state *have,
			struct op_list *ops)
{
	for (size_t i = 0; i < want->n_routes; i++)
		if (!has_route(have, &want->routes[i]))
			add(ops, (struct op){.kind = OP_ROUTE_ADD, .route = &want->routes[i]});
}

static void diff_addresses(const struct net_state *want, const struct net_state *have,
			   struct op_list *ops)
{
	for (size_t i = 0; i < have->n_addresses; i++) {
		const struct net_address *h = &have->addresses[i];
		const struct net_link *wl = find_link(want, h->dev);

		/* a device with static addresses has no others; one without is DHCP's */
		if (wl && !fresh(want, have, h->dev) && owns_addresses(want, wl) &&
		    !ip_is_link_local(&h->addr.ip) && !has_address(want, h))
			add(ops, (struct op){.kind = OP_ADDR_DEL, .address = h});
	}
	for (size_t i = 0; i < want->n_addresses; i++) {
		if (fresh(want, have, want->addresses[i].dev) ||
		    !has_address(have, &want->addresses[i]))
			add(ops, (struct op){.kind = OP_ADDR_ADD, .address = &want->addresses[i]});
	}
	for (size_t i = 0; i < want->n_links; i++) {
		const struct net_link *w = &want->links[i], *h = find_link(have, w->name);

		if (w->up && (!h || !h->up || fresh(want, have, w->name)))
			add(ops, (struct op){.kind = OP_LINK_UP, .dev = w->name});
	}
}

static int by_order(const void *a, const void *b)
{
	return nft_elem_order(*(const struct nft_elem *const *)a,
			      *(const struct nft_elem *const *)b);
}

static const struct nft_elem **sorted(const struct nft_elems *list)
{
	const struct nft_elem **p = calloc(list->n + 1, sizeof(*p));

	for (size_t i = 0; p && i < list->n; i++)
		p[i] = &list->items[i];
	if (p)
		qsort(p, list->n, sizeof(*p), by_order);
	return p;
}

/* Appends an op for each element of a that b does not have; both are sorted. */
static void missing_in(const struct nft_elem *const *a, size_t n_a, const struct nft_elem *const *b,
		       size_t n_b, enum op_kind kind, struct op_list *ops)
{
	size_t k = 0;

	for (size_t i = 0; i < n_a; i++) {
		if (i > 0 && nft_elem_equal(a[i], a[i - 1]))
			continue;
		while (k < n_b && nft_elem_order(b[k], a[i]) < 0)
			k++;
		if (k == n_b || !nft_elem_equal(b[k], a[i]))
			add(ops, (struct op){.kind = kind, .elem = a[i]});
	}
}

static void diff_filter(const struct net_state *want, const struct net_state *have,
			struct op_list *ops)
{
	const struct nft_elem **w = sorted(&want->elems), **h = sorted(&have->elems);
	size_t n_have = have->nft_loaded ? have->elems.n : 0; /* loading empties the tables */

	if (!w || !h) {
		ops->bad = true;
	} else {
		if (want->nft_loaded && !have->nft_loaded)
			add(ops, (struct op){.kind = OP_NFT_LOAD});
		missing_in(h, n_have, w, want->elems.n, OP_ELEM_DEL, ops);
		missing_in(w, want->elems.n, h, n_have, OP_ELEM_ADD, ops);
	}
	free(w);
	free(h);
}

void plan_diff(const struct net_state *want, const struct net_state *have, struct op_list *ops)
{
	diff_files(want, have, ops, true);
	diff_links(want, have, ops);
	diff_sysctls(want, have, ops);
	diff_masters(want, have, ops);
	diff_port_vlans(want, have, ops);
	diff_addresses(want, have, ops);
	diff_routes(want, have, ops);
	diff_filter(want, have, ops);
	diff_files(want, have, ops, false);
	for (size_t i = 0; i < have->n_files; i++)
		if (have->files[i].path && have->files[i].content &&
		    !find_file(want, have->files[i].path))
			add(ops, (struct op){.kind = OP_FILE_DEL, .file = &have->files[i]});
}

/* --- for people ----------------------------------------------------------------------------------- */

static void print_op(const struct op *op, struct buf *b)
{
	char text[NFT_TEXT_MAX > IP_TEXT_MAX ? NFT_TEXT_MAX : IP_TEXT_MAX];

	switch (op->kind) {
	case OP_FILE: buf_fmt(b, "file write %s (%zu bytes)", op->file->path, op->file->len); break;
	case OP_FILE_DEL: buf_fmt(b, "file remove %s", op->file->path); break;
	case OP_SYSCTL: buf_fmt(b, "sysctl %s = %s", op->sysctl->path, op->sysctl->value); break;
	case OP_LINK_DEL: buf_fmt(b, "link remove %s", op->dev); break;
	case OP_BRIDGE_ADD:
		buf_fmt(b, "bridge add %s (%s)", op->link->name,
			op->link->alias + strlen("orlop "));
		break;
	case OP_VLAN_ADD:
		buf_fmt(b, "vlan add %s (%s)", op->link->name, op->link->alias + strlen("orlop "));
		break;
	case OP_BRIDGE_VLANS:
		buf_fmt(b, "vlans %s %s", op->link->vlans ? "on" : "off", op->link->name);
		if (op->link->vlans && op->link->pvid)
			buf_fmt(b, " (%u)", op->link->pvid);
		break;
	case OP_PORT_VLAN_DEL:
	case OP_PORT_VLAN_ADD:
		buf_fmt(b, "vlan %u %s port %s", op->port_vlan->tag,
			op->kind == OP_PORT_VLAN_ADD ? "add to" : "remove from",
			op->port_vlan->dev);
		break;
	case OP_MASTER: buf_fmt(b, "port add %s to %s", op->link->name, op->link->master); break;
	case OP_ROUTE_ADD:
		buf_fmt(b, "route default by %s %s", ip_text(&op->route->gateway, text),
			op->route->dev);
		break;
	case OP_MTU: buf_fmt(b, "mtu %u %s", op->link->mtu, op->link->name); break;
	case OP_MAC: buf_fmt(b, "mac %s %s", mac_text(&op->link->mac, text), op->link->name); break;
	case OP_ADDR_DEL:
	case OP_ADDR_ADD:
		buf_fmt(b, "address %s %s %s", op->kind == OP_ADDR_DEL ? "remove" : "add",
			ip_prefix_text(&op->address->addr, text), op->address->dev);
		break;
	case OP_LINK_UP: buf_fmt(b, "link up %s", op->dev); break;
	case OP_NFT_LOAD: buf_str(b, "packet filter load base rules"); break;
	case OP_ELEM_DEL:
	case OP_ELEM_ADD:
		buf_fmt(b, "packet filter %s %s", op->kind == OP_ELEM_DEL ? "remove" : "add",
			nft_elem_text(op->elem, text));
		if (*op->elem->comment)
			buf_fmt(b, " (%s)", op->elem->comment);
		break;
	case OP__N: break;
	}
	buf_chr(b, '\n');
}

void plan_print(const struct op_list *ops, struct buf *b)
{
	for (size_t i = 0; i < ops->n; i++)
		print_op(&ops->items[i], b);
}
