/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload means for a unit. */
#include <stdio.h>

#include "tests/unit/units/load_text.h"
#include "units/diff.h"

struct found {
	const char *unit;
	enum unit_change change;
	bool seen;
	size_t others; /* other units with a change */
};

static int look(void *ctx, enum unit_change change, const struct unit *from, const struct unit *to)
{
	struct found *f = ctx;
	const struct unit *u = to ? to : from;

	if (strcmp(u->name, f->unit) == 0) {
		f->change = change;
		f->seen = true;
	} else {
		f->others += change != CHANGE_NONE;
	}
	return 0;
}

static enum unit_change diff(struct unit_set *from, struct unit_set *to, const char *unit)
{
	struct found f = {.unit = unit};

	assert_int_equal(units_diff(from, to, look, &f), 0);
	assert_true(f.seen);
	unit_set_free(from);
	unit_set_free(to);
	return f.change;
}

#define BASE "[Container]\nImage=localhost/x\n"

/* D29. */
static void what_each_key_asks_for(void **state)
{
	static const struct {
		const char *before, *after;
		enum unit_change change;
	} rows[] = {
		{"", "", CHANGE_NONE},
		{"", "# a comment\n", CHANGE_NONE},
		{"Environment=A=1 B=2\n", "Environment=B=2\nEnvironment=A=1\n", CHANGE_NONE},
		{"", "[Unit]\nDescription=d\n", CHANGE_UPDATED},
		{"", "[Service]\nRestart=always\n", CHANGE_UPDATED},
		{"", "[Install]\nWantedBy=default.target\n", CHANGE_UPDATED},
		{"", "HealthCmd=true\n", CHANGE_UPDATED},
		{"", "Label=a=b\n", CHANGE_UPDATED},
		{"", "Environment=A=1\n", CHANGE_RESTART},
		{"", "Exec=x\n", CHANGE_RESTART},
		{"", "Volume=a:/a\n", CHANGE_RESTART},
		{"", "Memory=1g\n", CHANGE_RESTART},
		{"", "PublishPort=80:80\n", CHANGE_RECREATE},
		{"", "Network=host\n", CHANGE_RECREATE},
		{"Network=ns:/a\n", "Network=ns:/b\n", CHANGE_RECREATE},
		{"", "UserNS=host\n", CHANGE_RECREATE},
		{"", "ReadOnly=maybe\n", CHANGE_REJECTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum unit_change change = diff(load_container(rows[i].before),
					       load_container(rows[i].after), "x.container");

		if (change != rows[i].change)
			fail_msg("%s: %s", rows[i].after, change_names[change]);
	}
}

static void the_same_in_a_drop_in_is_no_change(void **state)
{
	struct unit_set *a = load_container("HostName=h\n");
	struct unit_set *b = load_files("/etc/containers/systemd/x.container", BASE,
					"/etc/containers/systemd/x.container.d/a.conf",
					"[Container]\nHostName=h\n", NULL);

	(void)state;
	assert_int_equal(diff(a, b, "x.container"), CHANGE_NONE);
}

static void units_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(diff(load_files("/u/a.container", BASE, NULL),
			      load_files("/u/b.container", BASE, NULL), "a.container"),
			 CHANGE_REMOVED);
	assert_int_equal(diff(load_files("/u/a.container", BASE, NULL),
			      load_files("/u/b.container", BASE, NULL), "b.container"),
			 CHANGE_ADDED);
}

#define IN_NET "[Container]\nImage=localhost/x\nNetwork=n.network\n"
#define IN_POD "[Container]\nImage=localhost/x\nPod=p.pod\n"
#define POD    "[Pod]\nNetwork=n.network\n"

static void members_follow_their_network_and_pod(void **state)
{
	static const char *const units[] = {"n.network", "a.container", "p.pod", "m.container",
					    "j.container"};

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct unit_set *from = load_files(
			"/u/n.network", "[Network]\nSubnet=192.0.2.0/24\n", "/u/a.container",
			IN_NET, "/u/p.pod", POD, "/u/m.container", IN_POD, "/u/j.container",
			"[Container]\nImage=localhost/j\nNetwork=a.container\n", NULL);
		struct unit_set *to = load_files(
			"/u/n.network", "[Network]\nSubnet=192.0.2.0/25\n", "/u/a.container",
			IN_NET, "/u/p.pod", POD, "/u/m.container", IN_POD, "/u/j.container",
			"[Container]\nImage=localhost/j\nNetwork=a.container\n", NULL);

		assert_int_equal(diff(from, to, units[i]), CHANGE_RECREATE);
	}
}

static void a_volume_that_moves_restarts_its_users(void **state)
{
#define USER "[Container]\nImage=localhost/x\nVolume=v.volume:/v\n"
	struct unit_set *from = load_files("/u/v.volume", "[Volume]\n", "/u/a.container", USER,
					   NULL);
	struct unit_set *to = load_files("/u/v.volume", "[Volume]\nVolumeName=other\n",
					 "/u/a.container", USER, NULL);

	(void)state;
	assert_int_equal(diff(from, to, "a.container"), CHANGE_RESTART);
}

static void services_restart_for_their_command(void **state)
{
	(void)state;
	assert_int_equal(diff(load_one("s.service", "[Service]\nExecStart=/bin/a\n"),
			      load_one("s.service", "[Service]\nExecStart=/bin/b\n"), "s.service"),
			 CHANGE_RESTART);
	assert_int_equal(diff(load_one("s.service", "[Service]\nExecStart=/bin/a\n"),
			      load_one("s.service", "[Service]\nExecStart=/bin/a\nRestartSec=5\n"),
			      "s.service"),
			 CHANGE_UPDATED);
}

static void one_change_is_one_change(void **state)
{
	struct unit_set *from = load_files("/u/a.container", BASE, "/u/b.container", BASE,
					   "/u/c.container", BASE, NULL);
	struct unit_set *to = load_files("/u/a.container", BASE, "/u/b.container", BASE "Exec=x\n",
					 "/u/c.container", BASE, NULL);
	struct found f = {.unit = "b.container"};

	(void)state;
	assert_int_equal(units_diff(from, to, look, &f), 0);
	assert_int_equal(f.change, CHANGE_RESTART);
	assert_int_equal(f.others, 0);
	unit_set_free(from);
	unit_set_free(to);
}

static void the_hash_agrees_with_the_verdict(void **state)
{
	static const struct {
		const char *after;
		bool same;
	} rows[] = {
		{"# note\n", true},
		{"[Unit]\nDescription=d\n", true},
		{"[Service]\nRestart=always\n", true},
		{"Environment=A=1\n", false},
		{"PublishPort=80:80\n", false},
	};
	struct unit_set *base = load_container("");
	uint64_t hash = unit_process_hash(base, get(base, "x.container"));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct unit_set *set = load_container(rows[i].after);

		assert_int_equal(unit_process_hash(set, get(set, "x.container")) == hash,
				 rows[i].same);
		unit_set_free(set);
	}
	unit_set_free(base);
	/* What a container lives in counts too. */
	{
		struct unit_set *a = load_files("/u/n.network", "[Network]\n", "/u/a.container",
						IN_NET, NULL);
		struct unit_set *b = load_files("/u/n.network", "[Network]\nInternal=true\n",
						"/u/a.container", IN_NET, NULL);

		assert_true(unit_process_hash(a, get(a, "a.container")) !=
			    unit_process_hash(b, get(b, "a.container")));
		unit_set_free(a);
		unit_set_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_key_asks_for),
		cmocka_unit_test(the_same_in_a_drop_in_is_no_change),
		cmocka_unit_test(units_come_and_go),
		cmocka_unit_test(members_follow_their_network_and_pod),
		cmocka_unit_test(a_volume_that_moves_restarts_its_users),
		cmocka_unit_test(services_restart_for_their_command),
		cmocka_unit_test(one_change_is_one_change),
		cmocka_unit_test(the_hash_agrees_with_the_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
