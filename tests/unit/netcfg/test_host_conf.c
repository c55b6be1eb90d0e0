/* SPDX-License-Identifier: Apache-2.0 */
/* host.conf: what is read from it, and what is said of mistakes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "netcfg/host_conf.h"
#include "netcfg/plan.h"

struct got {
	struct net_spec spec;
	char text[4096];
	int r;
};

static void conf(struct got *g, const char *text)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct buf b = {0};

	memset(g, 0, sizeof(*g));
	g->r = host_conf_read(arena, "host.conf", text, strlen(text), &diags, &g->spec);
	for (size_t i = 0; i < diags.n; i++)
		diag_print(diags.items[i], &b);
	snprintf(g->text, sizeof(g->text), "%s", b.data ? b.data : "");
	buf_done(&b);
	arena_free(arena);
}

static void a_whole_file(void **state)
{
	struct got g;
	const struct netspec_uplink *u;

	(void)state;
	conf(&g,
	     "# home\n"
	     "[Host]\nName=attic\n"
	     "[Uplink-lan]\nDevice=en*\nAddress=192.0.2.5/24, fd00::5/64\nAddress=192.0.2.6/24\n"
	     "Gateway=192.0.2.1 fd00::1\nDNS=192.0.2.1\nSearch=lan example.org\nMTU=1400\nBridge=lan0\n"
	     "[Uplink]\nMAC=02:00:00:00:00:01\nVLAN=7\nDHCP=ipv6\n"
	     "[Inbound]\nOpen=22/tcp 60000-60010/udp\nOpen=all\n");
	assert_int_equal(g.r, 0);
	assert_string_equal(g.text, "");
	assert_int_equal(g.spec.n_uplinks, 2);
	u = &g.spec.uplinks[0];
	assert_string_equal(u->name, "lan");
	assert_string_equal(u->device, "en*");
	assert_string_equal(u->addresses, "192.0.2.5/24,fd00::5/64,192.0.2.6/24");
	assert_string_equal(u->gateways, "192.0.2.1,fd00::1");
	assert_string_equal(u->search, "lan,example.org");
	assert_string_equal(u->mtu, "1400");
	assert_string_equal(u->bridge, "lan0");
	u = &g.spec.uplinks[1];
	assert_string_equal(u->name, "uplink");
	assert_string_equal(u->mac, "02:00:00:00:00:01");
	assert_string_equal(u->vlan, "7");
	assert_string_equal(u->dhcp, "ipv6");
	assert_int_equal(g.spec.n_opens, 3);
	assert_string_equal(g.spec.opens[0].protocol, "tcp");
	assert_string_equal(g.spec.opens[0].first, "22");
	assert_string_equal(g.spec.opens[1].first, "60000");
	assert_string_equal(g.spec.opens[1].last, "60010");
	assert_string_equal(g.spec.opens[2].protocol, "");
	netspec_done(&g.spec);
}

static void mistakes_have_their_place(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"[Uplink]\nAddress=192.0.2.5\n",
		 "host.conf:2:9: error[U026]: \"192.0.2.5\" is not"},
		{"[Uplink]\nAddress=192.0.2.5/24 192.0.2.300/24\n", "host.conf:2:22: error"},
		{"[Uplink]\nAdress=192.0.2.5/24\n", "= did you mean \"Address\"?"},
		{"[Uplink]\nNonsense=1\n", "host.conf:2:1: error[U012]: unknown key \"Nonsense\""},
		{"[Uplink]\nDevice=eth0 eth1\n",
		 "host.conf:2:13: error[U027]: \"eth1\" is one word too"},
		{"[Uplink]\nDevice=a-name-that-is-too-long\n", "cannot be the name of a device"},
		{"[Uplink]\nGateway=192.0.2.1\n", "host.conf:2:1: error[U050]: Gateway= without"},
		{"[Uplink]\nAddress=192.0.2.5/24\nGateway=192.0.2.1 192.0.2.2\n",
		 "host.conf:3:1: error"},
		{"[Uplink]\nMTU=100\n", "is not an MTU"},
		{"[Uplink]\nVLAN=4095\n", "is not a VLAN"},
		{"[Uplink]\nDHCP=maybe\n", "is none of yes, no"},
		{"[Uplink]\nBridge=ol0\n", "cannot be the name of a bridge"},
		{"[Uplink]\nMAC=02:00\n", "is not a MAC"},
		{"[Inbound]\nOpen=22\n", "host.conf:2:6: error[U025]: \"22\" is not PORT"},
		{"[Inbound]\nOpen=22/icmp\n", "is not PORT"},
		{"[Inbound]\nOpen=22/tcp 2-1/tcp\n", "host.conf:2:13: error"},
		{"[Inbound]\nOpen=1-65535/tcp\n", "is not PORT"},
		{"[Inbound]\nClose=22/tcp\n", "there is Open="},
		{"no section\n", "host.conf:1:1: error"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct got g;

		conf(&g, cases[i].text);
		if (g.r != -EINVAL || !strstr(g.text, cases[i].told))
			fail_msg("%s: %d %s", cases[i].text, g.r, g.text);
		assert_int_equal(g.spec.n_uplinks + g.spec.n_opens, 0);
	}
}

static void inbound_takes_the_place_of_units(void **state)
{
	struct arena *arena = arena_new();
	struct diags diags = {.arena = arena};
	struct net_spec spec = {0};
	char **cells = record_append((void **)&spec.opens, &spec.n_opens, 4);

	(void)state;
	cells[0] = strdup("samba.container");
	assert_int_equal(host_conf_read(arena, "f", "[Uplink]\n", 9, &diags, &spec), 0);
	assert_int_equal(spec.n_opens, 1);
	assert_int_equal(host_conf_read(arena, "f", "[Inbound]\n", 10, &diags, &spec), 0);
	assert_int_equal(spec.n_opens, 0);
	netspec_done(&spec);
	arena_free(arena);
}

static void card(struct net_state *have, const char *name)
{
	struct net_link *l = net_add_link(have);

	snprintf(l->name, sizeof(l->name), "%s", name);
}

/* Which devices dhcpcd is to ask on. */
static void dhcp_devices(void **state)
{
	static const struct {
		const char *conf, *want;
	} cases[] = {
		{"", "allowinterfaces eth* en*\nbase\n"},
		{"[Uplink]\nDevice=eth0\nAddress=192.0.2.5/24\n", ""},
		{"[Uplink-a]\nDevice=eth0\nAddress=192.0.2.5/24\n[Uplink-b]\nDevice=eth*\n",
		 "allowinterfaces eth*\ndenyinterfaces eth0\nbase\n"},
		{"[Uplink]\nDevice=eth1\nBridge=lan0\n",
		 "allowinterfaces lan0\ndenyinterfaces eth1\nbase\n"},
		{"[Uplink]\nDevice=eth1\nVLAN=7\n",
		 "allowinterfaces eth1.7\ndenyinterfaces eth1\nbase\n"},
		{"[Uplink-a]\nDevice=eth1\nVLAN=7\n[Uplink-b]\nDevice=eth1\n",
		 "allowinterfaces eth1.7 eth1\nbase\n"},
		{"[Uplink]\nDevice=eth1\nDHCP=ipv4\n",
		 "allowinterfaces eth1\nbase\ninterface eth1\nipv4only\n"},
		{"[Uplink]\nDevice=eth1\nAddress=192.0.2.5/24\nDHCP=ipv6\n",
		 "allowinterfaces eth1\nbase\ninterface eth1\nipv6only\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct net_state have = {0};
		struct buf b = {0};
		struct got g;

		card(&have, "lo");
		card(&have, "eth0");
		card(&have, "eth1");
		conf(&g, cases[i].conf);
		assert_int_equal(g.r, 0);
		plan_dhcpcd_conf(&g.spec, &have, "base\n", &b);
		assert_string_equal(b.data ? b.data : "", cases[i].want);
		buf_done(&b);
		net_state_done(&have);
		netspec_done(&g.spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(mistakes_have_their_place),
		cmocka_unit_test(inbound_takes_the_place_of_units),
		cmocka_unit_test(dhcp_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
