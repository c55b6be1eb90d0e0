/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what there is to what there should be. The kernel is played by apply(): every operation is carried out
 * on `have`, and afterwards nothing may be left to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netcfg/plan.h"
#include "netcfg/resolve.h"

static void make_spec(struct net_spec *spec, unsigned variant)
{
	static const char *const subnets[] = {"10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/16"};
	struct lease_file leases = {0};

	for (unsigned i = 0; i < 3; i++) {
		struct netspec_network *n;

		if (!(variant >> i & 1))
			continue;
		record_append((void **)&spec->networks, &spec->n_networks,
			      sizeof(*n) / sizeof(char *));
		n = &spec->networks[spec->n_networks - 1];
		n->name = malloc(8);
		snprintf(n->name, 8, "net%u", i);
		n->subnet = strdup(subnets[i]);
		n->internal = strdup(variant & 8 ? "yes" : "");
		n->isolate = strdup(variant & 16 ? "no" : "");
		n->mtu = strdup(variant & 32 ? "1400" : "");
		n->vlan = strdup(variant & 8192 && i ? "7" : "");
		n->subnet6 = strdup(variant & 64 && i == 0 ? "fd01::/64" : "");
	}
	if (variant & 128) {
		struct netspec_uplink *u;

		record_append((void **)&spec->uplinks, &spec->n_uplinks,
			      sizeof(*u) / sizeof(char *));
		u = spec->uplinks;
		u->name = strdup("lan");
		u->device = strdup("eth*");
		u->addresses = strdup(variant & 256 ? "192.0.2.5/24,fd09::5/64" : "192.0.2.6/24");
		u->gateways = strdup("192.0.2.1");
		u->vlan = strdup(variant & 512 ? "7" : "");
		u->bridge = strdup(variant & 1024 ? "lan0" : "");
		u->mtu = strdup(variant & 32 ? "1400" : "");
	}
	for (unsigned i = 0; i < 2 && variant & 128 && variant & 1024; i++) {
		struct netspec_network *n;

		if (!(variant >> (11 + i) & 1))
			continue;
		record_append((void **)&spec->networks, &spec->n_networks,
			      sizeof(*n) / sizeof(char *));
		n = &spec->networks[spec->n_networks - 1];
		n->name = strdup(i ? "lan9" : "lan8");
		n->parent = strdup("lan0");
		n->subnet = strdup(i ? "10.9.0.0/24" : "10.8.0.0/24");
		n->vlan = strdup(i ? "9" : "8");
	}
	assert_int_equal(resolve_spec(spec, &leases, NULL, 0, NULL), 0);
	lease_done(&leases);
}

static struct net_link *find(struct net_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (!strcmp(s->links[i].name, name))
			return &s->links[i];
	return NULL;
}

static void remove_link(struct net_state *s, const char *name)
{
	struct net_link *l = find(s, name);
	char gone[NAME_DEVICE_MAX];

	assert_non_null(l);
	strcpy(gone, name);
	for (size_t i = s->n_addresses; i-- > 0;)
		if (!strcmp(s->addresses[i].dev, gone))
			s->addresses[i] = s->addresses[--s->n_addresses];
	*l = s->links[--s->n_links];
}

static void set_sysctl(struct net_state *s, const struct net_sysctl *to)
{
	for (size_t i = 0; i < s->n_sysctls; i++)
		if (!strcmp(s->sysctls[i].path, to->path)) {
			s->sysctls[i] = *to;
			return;
		}
	*net_add_sysctl(s) = *to;
}

static void set_file(struct net_state *s, const struct net_file *to)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (!strcmp(s->files[i].path, to->path)) {
			free(s->files[i].content);
			s->files[i].content = strdup(to->content);
			s->files[i].content = realloc(s->files[i].content, to->len + 1);
			memcpy(s->files[i].content, to->content, to->len);
			s->files[i].len = to->len;
			return;
		}
	net_add_file(s, to->path, to->content, to->len);
}

static void remove_elem(struct net_state *s, const struct nft_elem *e)
{
	for (size_t i = 0; i < s->elems.n; i++)
		if (nft_elem_equal(&s->elems.items[i], e)) {
			s->elems.items[i] = s->elems.items[--s->elems.n];
			return;
		}
	fail_msg("removed an element that is not there");
}

static void forget_port_vlans(struct net_state *s, const char *dev)
{
	for (size_t k = 0; k < s->n_port_vlans;)
		if (!strcmp(s->port_vlans[k].dev, dev))
			s->port_vlans[k] = s->port_vlans[--s->n_port_vlans];
		else
			k++;
}

/* A new state: the operations point into the old one. */
static void apply(const struct op_list *ops, const struct net_state *have, struct net_state *next)
{
	for (size_t i = 0; i < have->n_links; i++)
		*net_add_link(next) = have->links[i];
	for (size_t i = 0; i < have->n_addresses; i++)
		*net_add_address(next) = have->addresses[i];
	for (size_t i = 0; i < have->n_port_vlans; i++)
		net_add_port_vlan(next, have->port_vlans[i].dev, have->port_vlans[i].tag);
	for (size_t i = 0; i < have->n_sysctls; i++)
		*net_add_sysctl(next) = have->sysctls[i];
	for (size_t i = 0; i < have->n_files; i++)
		net_add_file(next, have->files[i].path, have->files[i].content, have->files[i].len);
	for (size_t i = 0; i < have->n_routes; i++)
		*net_add_route(next) = have->routes[i];
	for (size_t i = 0; i < have->elems.n; i++)
		nft_elems_push(&next->elems, &have->elems.items[i]);
	next->nft_loaded = have->nft_loaded;
	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->items[i];
		struct net_link *l = op->link  ? find(next, op->link->name)
				     : op->dev ? find(next, op->dev)
					       : NULL;

		switch (op->kind) {
		case OP_FILE: set_file(next, op->file); break;
		case OP_FILE_DEL:
			for (size_t k = 0; k < next->n_files; k++)
				if (!strcmp(next->files[k].path, op->file->path)) {
					free(next->files[k].content);
					next->files[k].content = NULL;
				}
			break;
		case OP_SYSCTL: set_sysctl(next, op->sysctl); break;
		case OP_LINK_DEL: remove_link(next, op->dev); break;
		case OP_BRIDGE_ADD:
			assert_null(l);
			*net_add_link(next) = *op->link;
			l = find(next, op->link->name);
			l->up = l->vlans = false;
			l->pvid = 1;
			break;
		case OP_BRIDGE_VLANS:
			l->vlans = op->link->vlans;
			l->pvid = op->link->pvid ? op->link->pvid : 1;
			break;
		case OP_PORT_VLAN_ADD:
			assert_true(*find(next, op->port_vlan->dev)->master);
			net_add_port_vlan(next, op->port_vlan->dev, op->port_vlan->tag);
			break;
		case OP_PORT_VLAN_DEL:
			for (size_t k = 0; k < next->n_port_vlans; k++)
				if (next->port_vlans[k].tag == op->port_vlan->tag &&
				    !strcmp(next->port_vlans[k].dev, op->port_vlan->dev))
					next->port_vlans[k] =
						next->port_vlans[--next->n_port_vlans];
			break;
		case OP_VLAN_ADD:
			assert_null(l);
			assert_non_null(find(next, op->link->parent));
			*net_add_link(next) = *op->link;
			find(next, op->link->name)->up = false;
			*find(next, op->link->name)->master = '\0';
			break;
		case OP_MASTER:
			assert_non_null(find(next, op->link->master));
			strcpy(l->master, op->link->master);
			forget_port_vlans(next, l->name);
			break;
		case OP_ROUTE_ADD:
			assert_true(find(next, op->route->dev)->up);
			*net_add_route(next) = *op->route;
			break;
		case OP_MTU: l->mtu = op->link->mtu; break;
		case OP_MAC: l->mac = op->link->mac; break;
		case OP_ADDR_DEL:
			for (size_t k = 0; k < next->n_addresses; k++)
				if (!memcmp(&next->addresses[k], op->address, sizeof(*op->address)))
					next->addresses[k] = next->addresses[--next->n_addresses];
			break;
		case OP_ADDR_ADD:
			assert_non_null(find(next, op->address->dev));
			*net_add_address(next) = *op->address;
			break;
		case OP_LINK_UP: l->up = true; break;
		case OP_NFT_LOAD:
			next->nft_loaded = true;
			next->elems.n = 0;
			break;
		case OP_ELEM_DEL: remove_elem(next, op->elem); break;
		case OP_ELEM_ADD:
			assert_true(next->nft_loaded);
			for (size_t k = 0; k < next->elems.n; k++)
				assert_false(nft_elem_equal(&next->elems.items[k], op->elem));
			nft_elems_push(&next->elems, op->elem);
			break;
		case OP__N: break;
		}
	}
}

static void from_any_state_to_any_other_and_then_nothing(void **state)
{
	(void)state;
	struct net_state have = {0};

	*net_add_link(&have) = (struct net_link){.name = "lo"};
	*net_add_link(&have) = (struct net_link){.name = "eth0", .up = true};
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct net_spec spec = {0};
		struct net_state want = {0}, next = {0};
		struct op_list ops = {0}, again = {0};

		make_spec(&spec, (unsigned)rand() % 16384);
		plan_want(&spec, &have, &want);
		if (rand() % 4 == 0)
			have.nft_loaded = false;
		if (rand() % 4 == 0 && have.elems.n)
			have.elems.n /= 2;
		plan_diff(&want, &have, &ops);
		apply(&ops, &have, &next);
		plan_diff(&want, &next, &again);
		if (again.n) {
			_buf_ struct buf b = {0};

			plan_print(&again, &b);
			fail_msg("round %d leaves to do:\n%s", round, b.data);
		}
		assert_non_null(find(&next, "eth0"));
		op_list_done(&ops);
		op_list_done(&again);
		net_state_done(&want);
		net_state_done(&have);
		netspec_done(&spec);
		have = next;
	}
	net_state_done(&have);
}

static void somebody_elses_bridge_is_not_touched(void **state)
{
	(void)state;
	struct net_state want = {0}, have = {0};
	struct op_list ops = {0};

	*net_add_link(&have) = (struct net_link){.name = "virbr0", .bridge = true, .up = true};
	*net_add_link(&have) =
		(struct net_link){.name = "old", .bridge = true, .alias = PLAN_ALIAS "x"};
	have.nft_loaded = true;
	plan_diff(&want, &have, &ops);
	assert_int_equal(ops.n, 1);
	assert_int_equal(ops.items[0].kind, OP_LINK_DEL);
	assert_string_equal(ops.items[0].dev, "old");
	op_list_done(&ops);
	net_state_done(&have);
}

static void elements_are_readable(void **state)
{
	(void)state;
	struct nft_elems list = {0};
	struct nft_publish p = {nft_protocol("tcp"), {0}, 8080, {4, {10, 88, 0, 5}}, 80};
	struct mac mac = {{2, 0x6f, 10, 88, 0, 5}};
	char text[NFT_TEXT_MAX];

	nft_add_publish(&list, &p, "web.container");
	p.host = (struct ip){4, {192, 0, 2, 1}};
	nft_add_publish(&list, &p, "web.container");
	nft_add_source(&list, "olweb-abcdef", &mac, &p.to, "web.container");
	assert_string_equal(nft_elem_text(&list.items[0], text),
			    "publish4 tcp . 8080 : 10.88.0.5 . 80");
	assert_string_equal(nft_elem_text(&list.items[1], text),
			    "publish4_at 192.0.2.1 . tcp . 8080 : 10.88.0.5 . 80");
	assert_string_equal(nft_elem_text(&list.items[2], text),
			    "source4 olweb-abcdef . 02:6f:0a:58:00:05 . 10.88.0.5");
	nft_elems_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_any_state_to_any_other_and_then_nothing),
		cmocka_unit_test(somebody_elses_bridge_is_not_touched),
		cmocka_unit_test(elements_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
