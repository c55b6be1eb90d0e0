/* SPDX-License-Identifier: Apache-2.0 */
/* Blanks filled in, mistakes kept to themselves, hosts files, names of devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "netcfg/names.h"
#include "netcfg/port.h"
#include "netcfg/port_plan.h"
#include "netcfg/resolve.h"

static struct netspec_network *network(struct net_spec *spec, const char *name, const char *subnet)
{
	struct netspec_network *n;

	assert_non_null(record_append((void **)&spec->networks, &spec->n_networks,
				      sizeof(*n) / sizeof(char *)));
	n = &spec->networks[spec->n_networks - 1];
	n->name = strdup(name);
	n->subnet = strdup(subnet);
	return n;
}

static struct netspec_member *member(struct net_spec *spec, const char *unit, const char *net,
				     const char *names)
{
	struct netspec_member *m;

	assert_non_null(record_append((void **)&spec->members, &spec->n_members,
				      sizeof(*m) / sizeof(char *)));
	m = &spec->members[spec->n_members - 1];
	m->unit = strdup(unit);
	m->network = strdup(net);
	m->names = strdup(names);
	return m;
}

static char *resolve(struct net_spec *spec, struct lease_file *leases)
{
	_buf_ struct buf b = {0};

	assert_int_equal(resolve_spec(spec, leases, NULL, 0, NULL), 0);
	resolve_problems(spec, &b);
	return buf_take(&b);
}

static void blanks_are_filled_in(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	struct net_spec spec = {0};
	_free_
	char *problems = NULL;

	network(&spec, "first", "");
	network(&spec, "fixed", "10.89.0.0/24")->ipv6 = strdup("yes");
	network(&spec, "only6", "")->subnet6 = strdup("fd01:2::/64");
	member(&spec, "a.container", "first", "a");
	member(&spec, "a.container", "fixed", "a");
	member(&spec, "b.container", "only6", "b");
	problems = resolve(&spec, &leases);
	assert_string_equal(problems, "");
	assert_string_equal(spec.networks[0].subnet, "10.89.1.0/24"); /* .0 was written down */
	assert_string_equal(spec.networks[0].gateway, "10.89.1.1");
	assert_string_equal(spec.networks[1].gateway, "10.89.0.1");
	assert_int_equal(strncmp(spec.networks[1].subnet6, "fd", 2), 0);
	assert_string_equal(spec.networks[2].gateway6, "fd01:2::1");
	assert_string_equal(spec.networks[2].subnet, "");
	for (size_t i = 0; i < spec.n_members; i++)
		assert_int_equal(strncmp(spec.members[i].mac, "02:6f:", 6), 0);
	assert_true(*spec.members[1].address && *spec.members[1].address6);
	assert_true(*spec.members[2].address6);
	netspec_done(&spec);
	lease_done(&leases);
}

static void every_subnet_has_a_gateway_and_gives_an_address(void **state)
{
	(void)state;
	struct lease_file leases = {0}, again = {0};
	_buf_ struct buf text = {0};
	struct net_spec spec = {0};
	char *found[2] = {NULL, NULL};
	const char *at;
	char item[IP_TEXT_MAX];
	struct ip ip;

	for (int round = 0; round < 2; round++) {
		struct netspec_network *n = network(&spec, "many",
						    "10.1.0.0/24,10.2.0.0/24,10.3.0.0/24");
		_free_
		char *problems = NULL;

		n->gateway = strdup(",10.2.0.9");
		n->range = strdup(",,10.3.0.64/26");
		n->subnet6 = strdup("fd01::/64");
		member(&spec, "a.container", "many", "a")->address = strdup("10.2.0.77");
		if (round) /* comes first by name and takes nothing away */
			member(&spec, "0.container", "many", "0");
		problems = resolve(&spec, round ? &again : &leases);
		assert_string_equal(problems, "");
		assert_string_equal(spec.networks[0].gateway, "10.1.0.1,10.2.0.9,10.3.0.1");
		assert_string_equal(spec.networks[0].gateway6, "fd01::1");
		found[round] = strdup(spec.members[0].address);
		netspec_done(&spec);
		if (!round) {
			lease_format(&leases, &text);
			assert_int_equal(lease_parse(text.data, text.len, &again, NULL), 0);
			assert_int_equal(again.n, 4); /* the network's, and one for each address */
		}
	}
	assert_string_equal(found[0], found[1]);
	at = found[0];
	assert_true(resolve_next(&at, item, sizeof(item)) && !strncmp(item, "10.1.0.", 7));
	assert_true(resolve_next(&at, item, sizeof(item)));
	assert_string_equal(item, "10.2.0.77");
	assert_true(resolve_next(&at, item, sizeof(item)) && ip_parse(item, &ip));
	assert_true(ip.b[1] == 3 && ip.b[3] >= 64 && ip.b[3] < 128);
	assert_false(resolve_next(&at, item, sizeof(item)));
	free(found[0]);
	free(found[1]);
	lease_done(&leases);
	lease_done(&again);
}

static void what_was_chosen_stays(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	_free_
	char *subnet = NULL, *address = NULL, *p1 = NULL, *p2 = NULL;

	for (int round = 0; round < 2; round++) {
		struct net_spec spec = {0};

		if (round)
			network(&spec, "another", "");
		network(&spec, "lan", "")->ipv6 = strdup("yes");
		if (round)
			member(&spec, "0-first.container", "lan", "x");
		member(&spec, "web.container", "lan", "web");
		*(round ? &p2 : &p1) = resolve(&spec, &leases);
		if (!round) {
			subnet = strdup(spec.networks[0].subnet);
			address = strdup(spec.members[0].address);
		} else {
			assert_string_equal(spec.networks[1].subnet, subnet);
			assert_string_equal(spec.members[1].address, address);
		}
		netspec_done(&spec);
	}
	lease_done(&leases);
}

/* One round of `orlop-net up`: the subnets of each network, those of an absent one are NULL. */
static void round_of_two(struct lease_file *leases, bool a, bool b, char *ret[4])
{
	struct net_spec spec = {0};
	_free_
	char *problems = NULL;
	size_t n = 0;

	if (a)
		network(&spec, "a", "")->ipv6 = strdup("yes");
	if (b)
		network(&spec, "b", "")->ipv6 = strdup("yes");
	problems = resolve(&spec, leases);
	assert_string_equal(problems, "");
	for (size_t i = 0; i < 4; i++) {
		free(ret[i]);
		ret[i] = NULL;
	}
	for (size_t i = 0; i < 2; i++) {
		if (!(i ? b : a))
			continue;
		ret[2 * i] = strdup(spec.networks[n].subnet);
		ret[2 * i + 1] = strdup(spec.networks[n++].subnet6);
	}
	netspec_done(&spec);
}

static void free_texts(char *texts[4])
{
	for (size_t i = 0; i < 4; i++)
		free(texts[i]);
}

static void an_absent_networks_subnets_are_not_given_away(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	char *first[4] = {0}, *then[4] = {0}, *text6 = NULL;
	_buf_ struct buf text = {0};

	round_of_two(&leases, false, true, first);
	text6 = strdup(first[3]); /* the one that b's name leads to */
	lease_done(&leases);
	buf_fmt(&text, "network a 10.89.0.0/24 %s\n", text6);
	assert_int_equal(lease_parse(text.data, text.len, &leases, NULL), 0);
	round_of_two(&leases, false, true, first);
	assert_string_equal(first[2], "10.89.1.0/24");
	assert_string_not_equal(first[3], text6);
	round_of_two(&leases, true, true, then);
	assert_string_equal(then[0], "10.89.0.0/24");
	assert_string_equal(then[1], text6);
	assert_string_equal(then[2], first[2]);
	assert_string_equal(then[3], first[3]);
	free(text6);
	free_texts(first);
	free_texts(then);
	lease_done(&leases);
}

static void an_absent_networks_subnet_is_taken_when_no_other_is_left(void **state)
{
	(void)state;
	static const char text[] = "network a 10.88.0.0/13 -\n";
	struct lease_file leases = {0};
	char *found[4] = {0};

	assert_int_equal(lease_parse(text, strlen(text), &leases, NULL), 0);
	round_of_two(&leases, false, true, found);
	assert_string_equal(found[2], "10.89.0.0/24");
	/* whoever was there stays, whatever the names */
	round_of_two(&leases, true, true, found);
	assert_string_equal(found[0], "10.89.1.0/24");
	assert_string_equal(found[2], "10.89.0.0/24");
	free_texts(found);
	lease_done(&leases);
}

static void a_chosen_subnet_keeps_clear_of_the_hosts_own(void **state)
{
	(void)state;
	struct ip_prefix lan = {{4, {10, 89, 3, 7}}, 16};
	struct lease_file leases = {0};
	struct net_spec spec = {0};

	network(&spec, "lan", "");
	assert_int_equal(resolve_spec(&spec, &leases, &lan, 1, NULL), 0);
	assert_string_equal(spec.networks[0].subnet, "10.90.0.0/24");
	netspec_done(&spec);
	lease_done(&leases);
}

static void a_mistake_is_told_and_stays_where_it_is(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	struct net_spec spec = {0};
	_free_
	char *problems = NULL;

	network(&spec, "good", "10.1.0.0/24");
	network(&spec, "overlap", "10.1.0.128/25");
	network(&spec, "good", "10.2.0.0/24");
	network(&spec, "../etc", "10.3.0.0/24");
	network(&spec, "gw", "10.4.0.0/24")->gateway = strdup("10.5.0.1");
	network(&spec, "dev", "10.6.0.0/24")->bridge = strdup("much-too-long-a-name");
	network(&spec, "ol", "10.7.0.0/24")->bridge = strdup("olfaction");
	member(&spec, "a.container", "good", "a");
	member(&spec, "a.container", "good", "a");
	member(&spec, "b.container", "nowhere", "b");
	member(&spec, "c.container", "overlap", "c");
	member(&spec, "x/../y", "good", "d");
	problems = resolve(&spec, &leases);
	assert_string_equal(
		problems,
		"network overlap: subnet 10.1.0.128/25 overlaps that of network good: File exists\n"
		"network good: there are two networks of this name: File exists\n"
		"network ../etc: not a network's name: \"../etc\": Invalid argument\n"
		"network gw: gateway 10.5.0.1 lies outside of 10.4.0.0/24: Invalid argument\n"
		"network dev: \"much-too-long-a-name\" cannot be the name of its bridge: Invalid argument\n"
		"network ol: \"olfaction\" cannot be the name of its bridge: Invalid argument\n"
		"a.container: network good: it is in this network twice\n"
		"b.container: network nowhere: there is no such network\n"
		"c.container: network overlap: its network has a problem\n"
		"x/../y: network good: its name cannot stand in a lease\n");
	assert_true(*spec.members[0].address);
	netspec_done(&spec);
	lease_done(&leases);
}

static void hosts_has_everybody_and_no_strange_names(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	struct net_spec spec = {0};
	_free_
	char *problems = NULL;
	_buf_ struct buf b = {0};

	network(&spec, "lan", "10.1.0.0/24")->subnet6 = strdup("fd01::/64");
	network(&spec, "other", "10.2.0.0/24");
	member(&spec, "web.container", "lan", "web,www.example,ev\nil,,spa ce,")->address =
		strdup("10.1.0.9");
	spec.members[0].address6 = strdup("fd01::9");
	member(&spec, "far.container", "other", "far");
	member(&spec, "nameless.container", "lan", "\n");
	problems = resolve(&spec, &leases);
	resolve_hosts(&spec, &(const struct netspec_network *){&spec.networks[0]}, 1, &b);
	assert_string_equal(b.data, "127.0.0.1 localhost\n"
				    "::1 localhost ip6-localhost ip6-loopback\n"
				    "10.1.0.1 host.containers.internal host.docker.internal\n"
				    "fd01::1 host.containers.internal host.docker.internal\n"
				    "10.1.0.9 web www.example\n"
				    "fd01::9 web www.example\n");
	netspec_done(&spec);
	lease_done(&leases);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void devices_of_many_units_are_valid_and_differ(void **state)
{
	(void)state;
	static char devs[20000][NAME_DEVICE_MAX];
	char unit[64];

	for (size_t i = 0; i < ARRAY_LEN(devs); i++) {
		snprintf(unit, sizeof(unit), "a-rather-long-name-%zu.container", i / 2);
		port_device(unit, i % 2 ? "one" : "two", devs[i]);
		assert_true(name_device_valid(devs[i]));
		assert_int_equal(strncmp(devs[i], "ol", 2), 0);
	}
	qsort(devs, ARRAY_LEN(devs), sizeof(devs[0]), by_name);
	for (size_t i = 1; i < ARRAY_LEN(devs); i++)
		assert_string_not_equal(devs[i], devs[i - 1]);
	port_device("../..", "", devs[0]);
	assert_true(name_device_valid(devs[0]));
}

static int plan(const struct net_spec *spec, const struct spec_port *port, struct port_plan *ret,
		struct fail *f)
{
	const struct spec_network nets[] = {{.name = (char *)"in"}, {.name = (char *)"lan"}};

	return port_plan_make(ret, spec, "web.container", nets, 2, port, 1, f);
}

static void ports_lead_to_the_network_that_has_a_way_out(void **state)
{
	(void)state;
	struct lease_file leases = {0};
	struct net_spec spec = {0};
	struct port_plan p;
	struct fail f;
	_free_
	char *problems = NULL;
	struct spec_port good = {(char *)"udp", (char *)"", (char *)"9000-9002", (char *)"90-92"};
	struct spec_port random = {(char *)"tcp", (char *)"", (char *)"", (char *)"80"};
	struct spec_port bad[] = {
		{(char *)"icmp", NULL, (char *)"1", (char *)"1"},
		{(char *)"tcp", NULL, (char *)"1-2", (char *)"1-3"},
		{(char *)"tcp", NULL, (char *)"0", (char *)"1"},
		{(char *)"tcp", NULL, (char *)"65536", (char *)"1"},
		{(char *)"tcp", NULL, (char *)"9-8", (char *)"9-8"},
		{(char *)"tcp", NULL, (char *)"80x", (char *)"80"},
		{(char *)"tcp", (char *)"1.2.3", (char *)"80", (char *)"80"},
		{(char *)"tcp", (char *)"::1", (char *)"80", (char *)"80"}, /* no IPv6 there */
	};

	network(&spec, "in", "10.1.0.0/24")->internal = strdup("yes");
	network(&spec, "lan", "10.2.0.0/24");
	member(&spec, "web.container", "in", "web");
	member(&spec, "web.container", "lan", "web")->address = strdup("10.2.0.9");
	problems = resolve(&spec, &leases);
	assert_int_equal(plan(&spec, &good, &p, &f), 0);
	assert_int_equal(p.n_links, 2);
	assert_int_equal(p.links[0].gateway4.family, 0);
	assert_int_equal(p.links[1].gateway4.family, 4);
	assert_string_equal(p.links[1].inside, "eth1");
	assert_int_equal(p.state.n_ports, 3);
	assert_string_equal(p.state.ports[2].to, "10.2.0.9");
	assert_string_equal(p.state.ports[2].host, "9002");
	assert_string_equal(p.state.ports[2].container, "92");
	port_plan_done(&p);
	assert_int_equal(plan(&spec, &random, &p, &f), 0);
	assert_true(atoi(p.state.ports[0].host) >= 61000);
	assert_int_equal(port_plan_next_random(&p.state.ports[0], NULL), 0);
	port_plan_done(&p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(plan(&spec, &bad[i], &p, &f) < 0);
	netspec_done(&spec);
	lease_done(&leases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks_are_filled_in),
		cmocka_unit_test(every_subnet_has_a_gateway_and_gives_an_address),
		cmocka_unit_test(what_was_chosen_stays),
		cmocka_unit_test(an_absent_networks_subnets_are_not_given_away),
		cmocka_unit_test(an_absent_networks_subnet_is_taken_when_no_other_is_left),
		cmocka_unit_test(a_chosen_subnet_keeps_clear_of_the_hosts_own),
		cmocka_unit_test(a_mistake_is_told_and_stays_where_it_is),
		cmocka_unit_test(hosts_has_everybody_and_no_strange_names),
		cmocka_unit_test(devices_of_many_units_are_valid_and_differ),
		cmocka_unit_test(ports_lead_to_the_network_that_has_a_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
