/* SPDX-License-Identifier: Apache-2.0 */
/* What was decided where the tables leave it open; policy, cycles, specs. */
#include <signal.h>
#include <stdio.h>

#include "tests/unit/units/load_text.h"
#include "units/graph.h"

#define SEC UINT64_C(1000000)

static const struct unit_policy *policy(const struct unit_set *set)
{
	return &get(set, "x.container")->policy;
}

/* --- section 7 -------------------------------------------------------------------------------- */

static void user_namespaces_are_automatic(void **state)
{
	static const struct {
		const char *lines, *userns, *user;
	} rows[] = {
		{"", "auto", NULL},
		{"UserNS=host\nUser=1:2", "host", "1:2"},
		{"UserNS=keep-id:uid=1000,gid=100", "auto", "1000:100"},
		{"UserNS=keep-id", "auto", NULL},
		{"UserNS=nomap", "auto", NULL},
		{"UserNS=nomap\nUser=3", "auto", "3"},
		{"UserNS=auto:size=1000\nUser=a\nGroup=b", "auto", "a:b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct container_spec spec;
		char lines[100];
		struct unit_set *set;

		snprintf(lines, sizeof(lines), "%s\n", rows[i].lines);
		set = load_container(lines);
		assert_clean(set);
		assert_int_equal(spec_from_unit(set, get(set, "x.container"), 524288, &spec, NULL),
				 0);
		assert_string_equal(spec.userns, rows[i].userns);
		assert_int_equal(!spec.user, !rows[i].user);
		if (rows[i].user)
			assert_string_equal(spec.user, rows[i].user);
		spec_done(&spec);
		unit_set_free(set);
	}
}

static void unless_stopped_is_always_with_a_warning(void **state)
{
	struct unit_set *set = load_container("[Service]\nRestart=unless-stopped\n");

	(void)state;
	assert_warning(set, U_CHOICE, 4, 1);
	assert_int_equal(policy(set)->restart, POLICY_RESTART_ALWAYS);
	unit_set_free(set);
}

static void commands_of_the_host(void **state)
{
	struct unit_set *set = load_container(
		"[Service]\nExecStartPre=-+/bin/mkdir -p \"/srv/a b\"\nExecStartPre=/bin/true\n");
	const struct unit_service *s = get(set, "x.container")->exec;

	(void)state;
	assert_clean(set);
	assert_int_equal(s->exec_start_pre.n, 2);
	assert_true(s->exec_start_pre.items[0].may_fail);
	assert_string_equal(s->exec_start_pre.items[0].argv[0], "/bin/mkdir");
	assert_string_equal(s->exec_start_pre.items[0].argv[2], "/srv/a b");
	assert_null(s->exec_start_pre.items[0].argv[3]);
	assert_false(s->exec_start_pre.items[1].may_fail);
	unit_set_free(set);
	set = load_container("[Service]\nExecStartPre=@/bin/sh x\nExecStartPre=mkdir x\n");
	assert_error(set, U_COMMAND, 4, 14);
	assert_error(set, U_COMMAND, 5, 14);
	unit_set_free(set);
}

static void an_unknown_section_near_a_known_one_is_an_error(void **state)
{
	struct unit_set *set =
		load_container("[Sevice]\nRestart=always\n[X-Mine]\nA=1\n[Elsewhere]\nB=1\n");

	(void)state;
	assert_int_equal(set->n_diags, 1);
	assert_error(set, U_SECTION, 3, 1);
	assert_string_equal(set->diags[0]->hint, "did you mean [Service]?");
	unit_set_free(set);
}

static void a_unit_that_names_itself_gets_a_warning(void **state)
{
	struct unit_set *set = load_container(
		"[Unit]\nAfter=x.container\nRequires=x.service\n[Quadlet]\nDefaultDependencies=no\n");

	(void)state;
	assert_warning(set, U_SELF, 4, 7);
	assert_warning(set, U_SELF, 5, 10);
	assert_no_error(set);
	assert_int_equal(get(set, "x.container")->n_deps, 0);
	unit_set_free(set);
}

static void services_of_the_host(void **state)
{
	struct unit_set *set = load_files(
		"/usr/lib/orlop/units/console.service",
		"[Unit]\nDescription=Console\n[Service]\nExecStart=/bin/busybox sh -l\nStandardInput=tty\nTTYPath=/dev/ttyS0\n"
		"Restart=always\nEnvironment=TERM=vt100\nUMask=0077\nLimitNOFILE=1024:4096\n[Install]\nWantedBy=multi-user.target\n",
		"/usr/lib/orlop/units/online.service",
		"[Unit]\nBefore=network-online.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
		"ExecStart=/bin/false\n[Install]\nWantedBy=network-online.target\n",
		NULL);
	const struct unit *console = get(set, "console.service"),
			  *online = get(set, "online.service");

	(void)state;
	assert_clean(set);
	assert_string_equal(console->exec->exec_start.items[0].argv[1], "sh");
	assert_string_equal(console->exec->tty_path.value, "/dev/ttyS0");
	assert_int_equal(console->exec->umask.value, 0077);
	assert_string_equal(console->exec->rlimits.items[0].name, "NOFILE");
	assert_int_equal(console->policy.type, POLICY_TYPE_SIMPLE);
	assert_int_equal(console->policy.restart, POLICY_RESTART_ALWAYS);
	assert_int_equal(online->policy.ready, POLICY_READY_EXIT);
	assert_true(online->policy.remain_after_exit);
	assert_true(online->policy.start_timeout_usec == POLICY_INFINITY);
	assert_int_equal(online->exec->exec_start.n, 2);
	assert_true(console->boot);
	assert_false(online->boot); /* nobody wants the network */
	unit_set_free(set);
}

static void what_is_refused_in_services_is_named(void **state)
{
	static const struct {
		const char *line, *code;
	} rows[] = {
		{"Type=forking", U_CHOICE},      {"ProtectSystem=strict", U_REFUSED},
		{"PrivateTmp=yes", U_REFUSED},   {"DynamicUser=yes", U_REFUSED},
		{"Sockets=x.socket", U_REFUSED}, {"Nice=5", U_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[100];
		struct unit_set *set;

		snprintf(text, sizeof(text), "[Service]\nExecStart=/bin/true\n%s\n", rows[i].line);
		set = load_one("x.service", text);
		assert_int_equal(set->n_errors, 1);
		assert_string_equal(set->diags[0]->code, rows[i].code);
		unit_set_free(set);
	}
}

static void targets_are_built_in(void **state)
{
	static const char *const names[] = {
		"default.target",   "multi-user.target", "network.target", "network-online.target",
		"time-sync.target", "shutdown.target",   "rescue.target"};
	struct unit_set *set = load_one("mine.target", "[Unit]\nWants=default.target\n");

	(void)state;
	assert_clean(set);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_true(get(set, names[i])->builtin);
	assert_true(has_dep(get(set, "default.target"), DEP_WANTS, "multi-user.target"));
	assert_true(has_dep(get(set, "default.target"), DEP_AFTER, "multi-user.target"));
	unit_set_free(set);
}

/* --- policy ----------------------------------------------------------------------------------- */

static void nothing_written_doubles_and_never_gives_up(void **state)
{
	struct unit_set *set = load_container("[Service]\nRestart=always\n");
	const struct unit_policy *p = policy(set);

	(void)state;
	assert_true(p->restart_doubles);
	assert_true(p->restart_usec == SEC / 10 && p->restart_max_delay_usec == 60 * SEC);
	assert_true(p->restart_reset_usec == 10 * SEC);
	assert_int_equal(p->start_limit_burst, 0);
	assert_int_equal(p->ready, POLICY_READY_EXEC);
	assert_true(p->stop_timeout_usec == 10 * SEC && p->start_timeout_usec == 90 * SEC);
	unit_set_free(set);
}

static void what_the_host_does_when_a_unit_ends(void **state)
{
	struct unit_set *set = load_container(
		"[Unit]\nFailureAction=reboot\nSuccessAction=poweroff-force\n"
		"[Service]\nRuntimeMaxSec=2h\n");
	const struct unit_policy *p = &get(set, "x.container")->policy;

	(void)state;
	assert_clean(set);
	assert_int_equal(p->failure_action, POLICY_ACTION_REBOOT);
	assert_int_equal(p->success_action, POLICY_ACTION_POWEROFF_FORCE);
	assert_int_equal(p->runtime_max_usec, UINT64_C(7200000000));
	unit_set_free(set);
	set = load_container("[Service]\nRuntimeMaxSec=infinity\n");
	assert_int_equal(get(set, "x.container")->policy.runtime_max_usec, 0);
	unit_set_free(set);
	set = load_container("[Service]\nType=oneshot\nRuntimeMaxSec=5\n");
	assert_warning(set, U_NO_EFFECT, 5, 1);
	assert_int_equal(get(set, "x.container")->policy.runtime_max_usec, 0);
	unit_set_free(set);
}

static void what_is_written_has_systemds_meaning(void **state)
{
	struct unit_set *set = load_container(
		"StopSignal=SIGINT\n[Unit]\nStartLimitIntervalSec=300\n[Service]\nRestart=on-failure\n"
		"RestartSec=5\nTimeoutSec=70\nTimeoutStartSec=0\nSuccessExitStatus=3 SIGKILL\n");
	const struct unit_policy *p = policy(set);

	(void)state;
	assert_clean(set);
	assert_false(p->restart_doubles);
	assert_true(p->restart_usec == 5 * SEC && p->restart_max_delay_usec == 5 * SEC);
	assert_int_equal(p->start_limit_burst, 5);
	assert_true(p->start_limit_interval_usec == 300 * SEC);
	assert_true(p->start_timeout_usec == POLICY_INFINITY);
	assert_true(p->stop_timeout_usec == 70 * SEC);
	assert_int_equal(p->stop_signal, SIGINT);
	assert_true(policy_exits_code(&p->success, 0) && policy_exits_code(&p->success, 3));
	assert_true(policy_exits_signal(&p->success, SIGTERM) &&
		    policy_exits_signal(&p->success, SIGKILL));
	unit_set_free(set);
}

static void stop_timeouts_meet(void **state)
{
	static const struct {
		const char *lines;
		uint64_t seconds;
	} rows[] = {
		{"StopTimeout=60\n", 60},
		{"[Service]\nTimeoutStopSec=60\n", 60},
		{"StopTimeout=60\n[Service]\nTimeoutStopSec=20\n", 20},
		{"StopTimeout=5\n[Service]\nTimeoutStopSec=20\n", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct unit_set *set = load_container(rows[i].lines);

		assert_true(policy(set)->stop_timeout_usec == rows[i].seconds * SEC);
		unit_set_free(set);
	}
}

static void a_member_stops_in_its_pods_time(void **state)
{
	static const struct {
		const char *pod, *member;
		uint64_t seconds;
	} rows[] = {
		{"", "", 10},
		{"StopTimeout=3\n", "", 3},
		{"StopTimeout=3\n", "StopTimeout=7\n", 7},
		{"StopTimeout=3\n", "[Service]\nTimeoutStopSec=20\n", 20},
		{"[Service]\nTimeoutStopSec=40\n", "", 40},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char pod[100], member[100];
		struct unit_set *set;

		snprintf(pod, sizeof(pod), "[Pod]\n%s", rows[i].pod);
		snprintf(member, sizeof(member), "[Container]\nImage=localhost/m\nPod=p.pod\n%s",
			 rows[i].member);
		set = load_files("/u/x.container", member, "/u/p.pod", pod, NULL);
		assert_true(policy(set)->stop_timeout_usec == rows[i].seconds * SEC);
		unit_set_free(set);
	}
}

static void readiness_and_health(void **state)
{
	struct unit_set *set = load_container(
		"Notify=healthy\nHealthCmd=true\nHealthInterval=disable\nHealthRetries=5\n"
		"HealthStartPeriod=1m\nHealthOnFailure=kill\nHealthStartupCmd=true\n"
		"HealthStartupSuccess=2\n");
	const struct unit_policy *p = policy(set);

	(void)state;
	assert_clean(set);
	assert_int_equal(p->ready, POLICY_READY_HEALTHY);
	assert_true(p->health.on && p->startup.on);
	assert_true(p->health.interval_usec == POLICY_INFINITY &&
		    p->health.timeout_usec == 30 * SEC);
	assert_int_equal(p->health.retries, 5);
	assert_int_equal(p->startup.successes, 2);
	assert_int_equal(p->on_unhealthy, POLICY_HEALTH_KILL);
	unit_set_free(set);
	set = load_container("Notify=true\n");
	assert_int_equal(policy(set)->ready, POLICY_READY_NOTIFY);
	unit_set_free(set);
	set = load_container("[Service]\nType=oneshot\n");
	assert_int_equal(policy(set)->ready, POLICY_READY_EXIT);
	unit_set_free(set);
}

static void limits_of_both_sections_are_one(void **state)
{
	struct unit_set *set =
		load_container("Memory=1g\n[Service]\nMemoryMax=512M\nTasksMax=100\n");

	(void)state;
	assert_warning(set, U_CONFLICT, 3, 1);
	assert_int_equal(get(set, "x.container")->exec->limits.memory_max.value, 1 << 30);
	assert_int_equal(get(set, "x.container")->exec->limits.tasks_max.value, 100);
	unit_set_free(set);
}

/* --- graph ------------------------------------------------------------------------------------ */

#define UNIT(after) "[Unit]\n" after "[Container]\nImage=localhost/x\n"

/* D31. */
static void a_cycle_is_refused_with_every_edge(void **state)
{
	struct unit_set *set = load_files("/u/a.container", UNIT("After=b.container\n"),
					  "/u/b.container", UNIT("After=c.container\n"),
					  "/u/c.container",
					  UNIT("Before=b.container\nAfter=a.container\n"),
					  "/u/d.container", UNIT("After=a.container\n"), NULL);

	(void)state;
	for (char name[] = "a.container"; name[0] <= 'c'; name[0]++)
		assert_int_equal(get(set, name)->state, UNIT_REJECTED);
	assert_int_equal(get(set, "d.container")->state, UNIT_OK);
	assert_string_equal(set->diags[0]->hint,
			    "a.container after b.container (/u/a.container:2)\n"
			    "b.container after c.container (/u/b.container:2)\n"
			    "b.container after c.container (/u/c.container:2)\n"
			    "c.container after a.container (/u/c.container:3)");
	unit_set_free(set);
}

static void requirements_without_order_are_no_cycle(void **state)
{
	struct unit_set *set = load_files("/u/a.container", UNIT("Requires=b.container\n"),
					  "/u/b.container", UNIT("Requires=a.container\n"), NULL);

	(void)state;
	assert_clean(set);
	unit_set_free(set);
}

static void the_order_has_everything_after_what_it_comes_after(void **state)
{
	struct unit_set *set = load_files("/u/a.container", UNIT("After=z.container\n"),
					  "/u/z.container", UNIT("After=m.container n.container\n"),
					  "/u/m.container", UNIT("Before=n.container\n"),
					  "/u/n.container", UNIT(""), NULL);
	struct unit *order[32];
	size_t at[32] = {0};

	(void)state;
	assert_true(set->n < 32);
	assert_int_equal(graph_order(set, order), 0);
	for (size_t i = 0; i < set->n; i++)
		at[order[i]->index] = i;
	for (size_t i = 0; i < set->n; i++)
		for (size_t d = 0; d < set->units[i]->n_deps; d++) {
			const struct unit_dep *dep = &set->units[i]->deps[d];

			if (dep->kind == DEP_AFTER)
				assert_true(at[dep->unit->index] < at[i]);
			if (dep->kind == DEP_BEFORE)
				assert_true(at[dep->unit->index] > at[i]);
		}
	unit_set_free(set);
}

/* D31. */
static void the_same_files_give_the_same_answer(void **state)
{
	static const char a[] = UNIT("After=b.container\nWants=b.container\n"),
			  b[] = UNIT("Before=a.container\n");
	struct unit_set *x = load_files("/u/a.container", a, "/u/b.container", b, NULL);
	struct unit_set *y = load_files("/u/b.container", b, "/u/a.container", a, NULL);

	(void)state;
	assert_int_equal(x->n, y->n);
	for (size_t i = 0; i < x->n; i++) {
		char *jx = json_of(x->units[i]), *jy = json_of(y->units[i]);

		assert_string_equal(jx, jy);
		free(jx);
		free(jy);
	}
	unit_set_free(x);
	unit_set_free(y);
}

/* --- specs ------------------------------------------------------------------------------------ */

static void a_spec_has_all_that_a_start_needs(void **state)
{
	struct unit_set *set = load_files(
		"/u/x.container",
		"[Container]\nImage=localhost/x\nContainerName=web\nExec=a b\nEnvironment=A=1\n"
		"Volume=v.volume:/data/deep:Z,ro\nVolume=/srv:/data\nVolume=/anon\nPublishPort=127.0.0.1:8080:80\n"
		"Network=n.network:alias=www\nNetworkAlias=w2\nAddDevice=-/dev/dri\nUlimit=nofile=5\n"
		"Secret=pw,type=env,target=PW\nDropCapability=all\nReadOnly=true\n[Service]\nMemoryMax=1G\n",
		"/u/v.volume", "[Volume]\nDevice=/dev/sdb\nType=ext4\nOptions=noatime\n",
		"/u/n.network",
		"[Network]\nNetworkName=net\nSubnet=192.0.2.0/24\nSubnet=fd00::/64\nSubnet=198.51.100.0/24\n"
		"Gateway=192.0.2.9\nGateway=fd00::9\nIPRange=192.0.2.64/26\nOptions=mtu=1400\nNetworkDeleteOnStop=true\n",
		NULL);
	struct container_spec spec;
	struct net_spec net;

	(void)state;
	assert_clean(set);
	assert_int_equal(spec_from_unit(set, get(set, "x.container"), 600000, &spec, NULL), 0);
	assert_string_equal(spec.name, "web");
	assert_string_equal(spec.service, "x");
	assert_int_equal(spec.exec.n, 2);
	assert_string_equal(spec.env.items[0], "A=1");
	assert_int_equal(spec.n_mounts, 3); /* the outer one first, whatever the order of writing */
	assert_string_equal(spec.mounts[0].target, "/data");
	assert_string_equal(spec.mounts[1].type, "anonymous");
	assert_string_equal(spec.mounts[2].type, "device");
	assert_string_equal(spec.mounts[2].fs_data, "noatime");
	assert_string_equal(spec.mounts[2].options, "ro");
	assert_string_equal(spec.ports[0].address, "127.0.0.1");
	assert_string_equal(spec.ports[0].host, "8080");
	assert_string_equal(spec.networks[0].name, "net");
	assert_string_equal(spec.networks[0].bridge, "br-net");
	assert_string_equal(spec.networks[0].aliases, "www,w2");
	assert_string_equal(spec.devices[0].optional, "yes");
	assert_string_equal(spec.ulimits[0].hard, "5");
	assert_string_equal(spec.secrets[0].target, "PW");
	assert_true(spec.read_only && spec.read_only_tmpfs);
	assert_int_equal(spec.memory_max, 1 << 30);
	assert_int_equal(spec.ids_base, 600000);
	spec_done(&spec);

	assert_int_equal(netspec_from_units(set, &net, NULL), 0);
	assert_int_equal(net.n_networks, 2);
	assert_string_equal(net.networks[0].name, "orlop");
	assert_string_equal(net.networks[1].subnet, "192.0.2.0/24,198.51.100.0/24");
	assert_string_equal(net.networks[1].gateway, "192.0.2.9,");
	assert_string_equal(net.networks[1].range, "192.0.2.64/26,");
	assert_string_equal(net.networks[1].subnet6, "fd00::/64");
	assert_string_equal(net.networks[1].gateway6, "fd00::9");
	assert_string_equal(net.networks[1].range6, "");
	assert_string_equal(net.networks[1].ipv6, "");
	assert_string_equal(net.networks[1].unit, "n.network");
	assert_string_equal(net.networks[1].on_demand, "yes");
	assert_string_equal(net.networks[1].mtu, "1400");
	assert_int_equal(net.n_members, 1);
	assert_string_equal(net.members[0].names, "web,www,w2");
	netspec_drop_network(&net, 1);
	assert_int_equal(net.n_networks, 1);
	assert_string_equal(net.networks[0].name, "orlop");
	assert_int_equal(net.n_members, 0);
	netspec_done(&net);
	unit_set_free(set);
}

static void a_member_of_a_pod_has_the_pods_network(void **state)
{
	struct unit_set *set =
		load_files("/u/p.pod", "[Pod]\nPublishPort=80:80\nVolume=shared:/s\n",
			   "/u/m.container", "[Container]\nImage=localhost/m\nPod=p.pod\n", NULL);
	struct container_spec spec;
	struct net_spec net;

	(void)state;
	assert_clean(set);
	assert_int_equal(spec_from_unit(set, get(set, "m.container"), 0, &spec, NULL), 0);
	assert_string_equal(spec.joins, "p.pod");
	assert_int_equal(spec.n_networks, 1);
	assert_string_equal(spec.networks[0].name, "orlop");
	assert_int_equal(spec.n_ports, 1);
	assert_string_equal(spec.hostname, "systemd-p");
	assert_string_equal(spec.mounts[0].target, "/s");
	spec_done(&spec);
	assert_int_equal(netspec_from_units(set, &net, NULL), 0);
	assert_string_equal(net.members[0].unit, "p.pod");
	netspec_done(&net);
	unit_set_free(set);
}

static void a_rejected_unit_has_no_spec(void **state)
{
	struct unit_set *set = load_container("ReadOnly=maybe\n");
	struct container_spec spec;

	(void)state;
	assert_int_equal(spec_from_unit(set, get(set, "x.container"), 0, &spec, NULL), -22);
	unit_set_free(set);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(user_namespaces_are_automatic),
		TEST(unless_stopped_is_always_with_a_warning),
		TEST(commands_of_the_host),
		TEST(an_unknown_section_near_a_known_one_is_an_error),
		TEST(a_unit_that_names_itself_gets_a_warning),
		TEST(services_of_the_host),
		TEST(what_is_refused_in_services_is_named),
		TEST(targets_are_built_in),
		TEST(nothing_written_doubles_and_never_gives_up),
		TEST(what_the_host_does_when_a_unit_ends),
		TEST(what_is_written_has_systemds_meaning),
		TEST(stop_timeouts_meet),
		TEST(a_member_stops_in_its_pods_time),
		TEST(readiness_and_health),
		TEST(limits_of_both_sections_are_one),
		TEST(a_cycle_is_refused_with_every_edge),
		TEST(requirements_without_order_are_no_cycle),
		TEST(the_order_has_everything_after_what_it_comes_after),
		TEST(the_same_files_give_the_same_answer),
		TEST(a_spec_has_all_that_a_start_needs),
		TEST(a_member_of_a_pod_has_the_pods_network),
		TEST(a_rejected_unit_has_no_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
