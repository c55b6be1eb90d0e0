/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of the reference, one row each: verdict, code, line and column. */
#include <stdio.h>

#include "tests/unit/units/load_text.h"

enum verdict { ACCEPTED, WARNED, REJECTED, MASKED };

static const struct example {
	const char *what; /* test name */
	const char *name; /* file */
	const char *text;
	enum verdict verdict;
	const char *code;
	unsigned line, column;
	const char *hint; /* part of it; NULL = whatever */
} examples[] = {
#define BASE "[Container]\nImage=localhost/x\n"
	{"empty file", "x.container", "", MASKED, NULL, 0, 0, NULL},
	{"key without =", "x.container", BASE "ReadOnly\n", REJECTED, U_LINE, 3, 1,
	 "did you mean \"ReadOnly=true\"?"},
	{"comment after header", "x.container", "[Container] # web\nImage=localhost/x\n", REJECTED,
	 U_HEADER, 1, 13, "line of its own"},
	{"lower case key", "x.container", "[Container]\nimage=localhost/x\n", REJECTED,
	 U_UNKNOWN_KEY, 2, 1, "did you mean \"Image\"?"},
	{"misspelled key of [Service]", "x.container", BASE "[Service]\nRestrat=always\n", REJECTED,
	 U_UNKNOWN_KEY, 4, 1, "did you mean \"Restart\"?"},
	{"misspelled key of [Install]", "x.container", BASE "[Install]\nWWantedBy=default.target\n",
	 REJECTED, U_UNKNOWN_KEY, 4, 1, "did you mean \"WantedBy\"?"},
	{"Image and Rootfs", "x.container", BASE "Rootfs=/srv/root\n", REJECTED, U_CONFLICT, 2, 1,
	 NULL},
	{"bad boolean", "x.container", BASE "ReadOnly=maybe\n", REJECTED, U_BOOL, 3, 10,
	 "true or false"},
	{"bad port", "x.container", BASE "PublishPort=http:80\n", REJECTED, U_PORT, 3, 13, NULL},
	{"open quote", "x.container", BASE "Exec=sh -c \"echo hi\n", WARNED, U_QUOTE, 3, 12, NULL},
	{"bad escape in a label", "x.container", BASE "Label=re=^a\\.b$ ok=1\n", WARNED, U_ESCAPE,
	 3, 12, NULL},
	{"Group without User", "x.container", BASE "Group=100\n", REJECTED, U_CONFLICT, 3, 1,
	 "User="},
	{"missing network", "x.container", BASE "Network=web.network\n", REJECTED, U_NO_UNIT, 3, 9,
	 NULL},
	{"missing requirement", "x.container", "[Unit]\nRequires=db.container\n" BASE, REJECTED,
	 U_NO_UNIT, 2, 10, NULL},
	{"missing wish", "x.container", "[Unit]\nWants=db.container\n" BASE, WARNED, U_NO_UNIT, 2,
	 7, NULL},
	{"missing predecessor", "x.container", "[Unit]\nAfter=db.container\n" BASE, WARNED,
	 U_NO_UNIT, 2, 7, NULL},
	{"Type=simple", "x.container", BASE "[Service]\nType=simple\n", REJECTED, U_CHOICE, 4, 6,
	 "notify oneshot"},
	{"ReloadCmd and ReloadSignal", "x.container", BASE "ReloadCmd=true\nReloadSignal=HUP\n",
	 REJECTED, U_CONFLICT, 4, 1, NULL},
	{"byte order mark", "x.container", "\xef\xbb\xbf" BASE, ACCEPTED, NULL, 0, 0, NULL},
	{"CRLF", "x.container", "[Container]\r\nImage=localhost/x\r\nReadOnly=true\r\n", ACCEPTED,
	 NULL, 0, 0, NULL},
	{"backslash at end of file", "x.container", BASE "Exec=a \\", WARNED, U_CONTINUATION, 3, 8,
	 NULL},
	{"open quote in Environment", "x.container", BASE "Environment=A=1 \"B=2\n", WARNED,
	 U_QUOTE, 3, 17, NULL},
	{"blank in a duration", "x.container", BASE "HealthCmd=true\nHealthInterval=30 s\n",
	 REJECTED, U_DURATION, 4, 16, "write 30s"},
	{"duration without unit", "x.container", BASE "HealthCmd=true\nHealthInterval=30\n",
	 REJECTED, U_DURATION, 4, 16, "write 30s"},
	{"Gateway without Subnet", "x.network", "[Network]\nGateway=192.0.2.1\n", REJECTED,
	 U_CONFLICT, 2, 1, NULL},
	{"macvlan without a device", "x.network",
	 "[Network]\nDriver=macvlan\nSubnet=192.0.2.0/24\n", REJECTED, U_CONFLICT, 2, 1, "parent="},
	{"macvlan", "x.network",
	 "[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=192.0.2.0/24\n", ACCEPTED, NULL, 0,
	 0, NULL},
	{"a VLAN that is none", "x.network", "[Network]\nOptions=vlan=4095\n", REJECTED, U_NUMBER,
	 2, 1, NULL},
	{"a VLAN", "x.network", "[Network]\nOptions=vlan=4094\n", ACCEPTED, NULL, 0, 0, NULL},
	{"port in the host's network", "x.container",
	 BASE "Network=host\nPublishPort=80\nPublishPort=53:53/udp\n", ACCEPTED, NULL, 0, 0, NULL},
	{"another port in the host's network", "x.container",
	 BASE "Network=host\nPublishPort=8080:80\n", WARNED, U_NO_EFFECT, 4, 1, NULL},
	{"port without a network", "x.container", BASE "Network=none\nPublishPort=80\n", WARNED,
	 U_NO_EFFECT, 4, 1, NULL},
	{"port in somebody's network", "x.container",
	 BASE "Network=ns:/run/netns/x\nPublishPort=80\n", REJECTED, U_CONFLICT, 4, 1,
	 "where it is made"},
	{"a pod's port in somebody's network", "x.pod",
	 "[Pod]\nNetwork=ns:/run/netns/x\nPublishPort=80\n", REJECTED, U_CONFLICT, 3, 1, NULL},
	{"a namespace that is not absolute", "x.container", BASE "Network=ns:netns/x\n", REJECTED,
	 U_NETWORK, 3, 12, "ns:/run/netns/NAME"},
	{"a pod in the host's network and one more", "x.pod",
	 "[Pod]\nNetwork=host\nNetwork=bridge\n", REJECTED, U_CONFLICT, 3, 1, NULL},
	{"a pod's port without a network", "x.pod", "[Pod]\nNetwork=none\nPublishPort=80\n", WARNED,
	 U_NO_EFFECT, 3, 1, NULL},
	{"a pod's other port in the host's network", "x.pod",
	 "[Pod]\nNetwork=host\nPublishPort=8080:80\n", WARNED, U_NO_EFFECT, 3, 1, NULL},
	{"no [Container]", "x.container", "[Unit]\nDescription=x\n", REJECTED, U_MISSING_PART, 1, 1,
	 NULL},
	{"final percent", "x.container", BASE "Exec=echo 100%\n", ACCEPTED, NULL, 0, 0, NULL},
	{"unknown specifier", "x.container", BASE "Exec=echo %z\n", WARNED, U_SPECIFIER, 3, 11,
	 "%%"},
	{"negative timeout", "x.container", BASE "StopTimeout=-1\n", REJECTED, U_NUMBER, 3, 13,
	 NULL},
	{"bad size", "x.container", BASE "Memory=12Q\n", REJECTED, U_SIZE, 3, 8, NULL},
	{"Type without Device", "x.volume", "[Volume]\nType=ext4\n", REJECTED, U_CONFLICT, 2, 1,
	 "Device="},
	{"reset in between", "x.container",
	 BASE "AddHost=a:192.0.2.1\nAddHost=\nAddHost=b:192.0.2.2\n", ACCEPTED, NULL, 0, 0, NULL},
	/* Beyond the table of the reference. */
	{"unknown key near another", "x.container", BASE "Volumes=a:/b\n", REJECTED, U_UNKNOWN_KEY,
	 3, 1, "did you mean \"Volume\"?"},
	{"unknown key near nothing", "x.container", BASE "Quux=1\n", REJECTED, U_UNKNOWN_KEY, 3, 1,
	 NULL},
	{"word of Compose", "x.container", BASE "Ports=80:80\n", REJECTED, U_UNKNOWN_KEY, 3, 1,
	 "\"PublishPort\""},
	{"Env", "x.container", BASE "Env=A=1\n", REJECTED, U_UNKNOWN_KEY, 3, 1, "\"Environment\""},
	{"Command", "x.container", BASE "Command=true\n", REJECTED, U_UNKNOWN_KEY, 3, 1,
	 "\"Exec\""},
	{"CapAdd", "x.container", BASE "CapAdd=all\n", REJECTED, U_UNKNOWN_KEY, 3, 1,
	 "\"AddCapability\""},
	{"HealthCheckCmd", "x.container", BASE "HealthCheckCmd=true\n", REJECTED, U_UNKNOWN_KEY, 3,
	 1, "\"HealthCmd\""},
	{"depends_on", "x.container", BASE "depends_on=db\n", REJECTED, U_LINE, 3, 1,
	 "did you mean \"Requires\" in [Unit]?"},
	{"container_name", "x.container", BASE "container_name=web\n", REJECTED, U_LINE, 3, 1,
	 "did you mean \"ContainerName\"?"},
	{"env_file", "x.container", BASE "env_file=web.env\n", REJECTED, U_LINE, 3, 1,
	 "did you mean \"EnvironmentFile\"?"},
	{"mem_limit", "x.container", BASE "mem_limit=1g\n", REJECTED, U_LINE, 3, 1,
	 "did you mean \"Memory\"?"},
	{"no host name", "x.container", BASE "HostName=a b\n", REJECTED, U_HOST, 3, 1,
	 "at most 64"},
	{"alias that is two", "x.container", BASE "NetworkAlias=a,b\n", REJECTED, U_HOST, 3, 1,
	 NULL},
	{"alias of a network", "x.container", BASE "Network=bridge:alias=a b\n", REJECTED, U_HOST,
	 3, 9, NULL},
	{"no time zone", "x.container", BASE "Timezone=../../../etc/shadow\n", REJECTED, U_PATH, 3,
	 1, NULL},
	{"secret outside of its folder", "x.container", BASE "Secret=pw,target=../../etc/passwd\n",
	 REJECTED, U_SECRET, 3, 1, NULL},
	{"secret with a bad variable", "x.container", BASE "Secret=\"pw,type=env,target=A B\"\n",
	 REJECTED, U_SECRET, 3, 1, NULL},
	{"no memory at all", "x.container", BASE "[Service]\nMemoryMax=0\n", REJECTED, U_SIZE, 4, 1,
	 "infinity"},
	{"no tasks at all", "x.container", BASE "[Service]\nTasksMax=0\n", REJECTED, U_SIZE, 4, 1,
	 "infinity"},
	{"no swap is fine", "x.container", BASE "[Service]\nMemorySwapMax=0\n", ACCEPTED, NULL, 0,
	 0, NULL},
	{"bad option of a volume", "x.container", BASE "Volume=data:/data:ro,bogus\n", REJECTED,
	 U_VOLUME, 3, 22, NULL},
	{"bad option of a mount", "x.container", BASE "Mount=type=bind,src=/a,dst=/b,size=1m\n",
	 REJECTED, U_VOLUME, 3, 7, NULL},
	{"bad option of a tmpfs", "x.container", BASE "Tmpfs=/t:ro,bogus\n", REJECTED, U_VOLUME, 3,
	 13, NULL},
	{"CPUs backwards", "x.container", BASE "[Service]\nAllowedCPUs=3-1\n", REJECTED, U_NUMBER,
	 4, 13, "0-3,6"},
	{"CPUs with two dashes", "x.container", BASE "[Service]\nAllowedCPUs=1-2-3\n", REJECTED,
	 U_NUMBER, 4, 13, "0-3,6"},
	{"soft limit above the hard one", "x.container", BASE "Ulimit=nofile=4096:1024\n", REJECTED,
	 U_LIMIT_VALUE, 3, 8, "SOFT:HARD"},
	{"address in the host's network", "x.container", BASE "Network=host:ip=192.0.2.1\n",
	 REJECTED, U_NETWORK, 3, 14, NULL},
	{"DependsOn", "x.container", BASE "DependsOn=db\n", REJECTED, U_UNKNOWN_KEY, 3, 1,
	 "\"Requires\" in [Unit]"},
	{"key in the wrong section", "x.container", BASE "Restart=always\n", REJECTED,
	 U_WRONG_SECTION, 3, 1, "[Service]"},
	{"private key", "x.container", BASE "[Service]\nX-Note=anything\n", ACCEPTED, NULL, 0, 0,
	 NULL},
	{"refused escape in Exec", "x.container", BASE "Exec=grep a\\.b\n", REJECTED, U_ESCAPE, 3,
	 12, "\\\\"},
	{"build", "x.container", "[Container]\nImage=x.build\n", REJECTED, U_IMAGE, 2, 7,
	 "build the image elsewhere"},
	{"two mounts on one place", "x.container", BASE "Volume=a:/d\nTmpfs=/d\n", REJECTED,
	 U_CONFLICT, 4, 7, NULL},
	{"host capability", "x.container", BASE "AddCapability=SYS_TIME\n", REJECTED, U_CAPABILITY,
	 3, 1, "UserNS=host"},
	{"network capability on the host", "x.container",
	 BASE "AddCapability=NET_ADMIN\nNetwork=host\n", REJECTED, U_CAPABILITY, 3, 1,
	 "UserNS=host"},
	{"network capability in somebody's network", "x.container",
	 BASE "AddCapability=NET_ADMIN\nNetwork=ns:/run/netns/x\n", REJECTED, U_CAPABILITY, 3, 1,
	 "UserNS=host"},
	{"the same with UserNS=host", "x.container",
	 BASE "AddCapability=NET_ADMIN\nNetwork=host\nUserNS=host\n", ACCEPTED, NULL, 0, 0, NULL},
	{"oneshot for ever", "x.container", BASE "[Service]\nType=oneshot\nRestart=always\n",
	 REJECTED, U_CONFLICT, 5, 1, NULL},
};

static void check(const struct example *e)
{
	struct unit_set *set = load_one(e->name, e->text);
	const struct unit *u = get(set, e->name);
	const struct diag *d;

	if (u->state != (e->verdict == REJECTED ? UNIT_REJECTED
			 : e->verdict == MASKED ? UNIT_MASKED
						: UNIT_OK))
		fail_msg("%s: state %d%s%s", e->what, u->state, set->n_diags ? ": " : "",
			 set->n_diags ? set->diags[0]->message : "");
	if (!e->code) {
		assert_clean(set);
		unit_set_free(set);
		return;
	}
	if (e->verdict == REJECTED)
		assert_error(set, e->code, e->line, e->column);
	else
		assert_warning(set, e->code, e->line, e->column);
	d = find_diag(set, e->code);
	assert_non_null(d->line);
	if (e->hint && (!d->hint || !strstr(d->hint, e->hint)))
		fail_msg("%s: hint is \"%s\"", e->what, d->hint ? d->hint : "");
	if (e->verdict == WARNED)
		assert_no_error(set);
	unit_set_free(set);
}

static void every_example_has_its_verdict_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		check(&examples[i]);
	print_message("%zu examples\n", sizeof(examples) / sizeof(*examples));
}

static void open_quotes_go_to_the_end_of_the_line(void **state)
{
	struct unit_set *set = load_container("Exec=sh -c \"echo hi\nEnvironment=A=1 \"B=2 3\n");
	const struct unit_container *c = get(set, "x.container")->container;

	(void)state;
	assert_int_equal(c->exec.n, 3);
	assert_string_equal(c->exec.items[2].value, "echo hi");
	assert_string_equal(c->env.items[1].value, "2 3");
	unit_set_free(set);
}

static void a_label_with_a_bad_escape_is_kept_as_written(void **state)
{
	struct unit_set *set = load_container("Label=re=^a\\.b$ ok=1\n");
	const struct unit_container *c = get(set, "x.container")->container;

	(void)state;
	assert_int_equal(c->labels.n, 2);
	assert_string_equal(c->labels.items[0].name, "ok");
	assert_string_equal(c->labels.items[1].value, "^a\\.b$");
	unit_set_free(set);
}

static void all_mistakes_of_a_file_are_told_in_the_order_of_the_lines(void **state)
{
	struct unit_set *set = load_container("ReadOnly=maybe\nVolumes=x\nPublishPort=0\n");

	(void)state;
	assert_int_equal(set->n_errors, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(set->diags[i]->at.line, 3 + i);
	unit_set_free(set);
}

static void a_message_shows_the_line_and_points_into_it(void **state)
{
	struct unit_set *set = load_container("\tPublishPort=\t8080:http\n");
	_buf_ struct buf b = {0};

	(void)state;
	diag_print(set->diags[0], &b);
	assert_string_equal(
		b.data,
		"/etc/containers/systemd/x.container:3:20: error[U025]: \"http\" is no port\n"
		"    3 | \tPublishPort=\t8080:http\n"
		"      | \t            \t     ^~~~\n"
		"      = ports are 1 to 65535, ranges FIRST-LAST\n");
	unit_set_free(set);
}

static void what_a_terminal_could_obey_is_not_shown(void **state)
{
	struct unit_set *set = load_container("ReadOnly=\x1b[31m\n");
	_buf_ struct buf b = {0};

	(void)state;
	assert_error(set, U_CHARACTER, 3, 10);
	for (size_t i = 0; i < set->n_diags; i++)
		diag_print(set->diags[i], &b);
	assert_null(strchr(b.data, 0x1b));
	unit_set_free(set);
}

static void a_position_after_a_continuation_is_on_its_own_line(void **state)
{
	struct unit_set *set = load_container("PublishPort=80\\\n  80:\\\n # note\n  http\n");

	(void)state;
	assert_error(set, U_PORT, 6, 3);
	unit_set_free(set);
}

static void a_bad_unit_stops_no_other(void **state)
{
	struct unit_set *set = load_files("/u/a.container", "[Container]\nImage=localhost/a\n",
					  "/u/b.container", "[Container]\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_OK);
	assert_int_equal(get(set, "b.container")->state, UNIT_REJECTED);
	unit_set_free(set);
}

static void two_units_with_one_service_name(void **state)
{
	struct unit_set *set = load_files(
		"/u/a.container", "[Container]\nImage=localhost/a\nServiceName=same\n",
		"/u/b.container", "[Container]\nImage=localhost/b\nServiceName=same\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_OK);
	assert_int_equal(get(set, "b.container")->state, UNIT_REJECTED);
	assert_non_null(find_diag(set, U_SAME_NAME));
	assert_string_equal(unit_find(set, "same")->name, "a.container");
	unit_set_free(set);
}

static void two_units_with_one_host_port(void **state)
{
#define PORT(image, port, install) \
	"[Container]\nImage=localhost/" image "\nPublishPort=" port "\n" install
#define BOOT "[Install]\nWantedBy=default.target\n"
	struct unit_set *set = load_files("/u/a.container", PORT("a", "8080:80", BOOT),
					  "/u/b.container", PORT("b", "127.0.0.1:8080:80", BOOT),
					  NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_OK);
	assert_error(set, U_SAME_PORT, 3, 13);
	unit_set_free(set);
	/* Two addresses, two protocols, or units that are alternatives: no error. */
	set = load_files("/u/a.container", PORT("a", "192.0.2.1:53:53/udp", BOOT), "/u/b.container",
			 PORT("b", "192.0.2.2:53:53/udp", BOOT), "/u/c.container",
			 PORT("c", "192.0.2.1:53:53/tcp", BOOT), NULL);
	assert_clean(set);
	unit_set_free(set);
	set = load_files("/u/a.container", PORT("a", "80:80", ""), "/u/b.container",
			 PORT("b", "80:80", ""), NULL);
	assert_no_error(set);
	assert_warning(set, U_SAME_PORT, 3, 13);
	unit_set_free(set);
}

/* The first and the third meet, with another address between them. */
static void ports_meet_across_others(void **state)
{
	struct unit_set *set = load_files("/u/a.container", PORT("a", "127.0.0.1:80:80", BOOT),
					  "/u/b.container", PORT("b", "192.0.2.1:80:80", BOOT),
					  "/u/c.container", PORT("c", "127.0.0.1:80:80", BOOT),
					  NULL);

	(void)state;
	assert_int_equal(get(set, "b.container")->state, UNIT_OK);
	assert_int_equal(get(set, "c.container")->state, UNIT_REJECTED);
	unit_set_free(set);
	/* "All" is the last by name, and is the one that is refused. */
	set = load_files("/u/a.container", PORT("a", "127.0.0.1:80:80", BOOT), "/u/b.container",
			 PORT("b", "192.0.2.1:80:80", BOOT), "/u/c.container",
			 PORT("c", "80:80", BOOT), NULL);
	assert_int_equal(set->n_errors, 2);
	assert_int_equal(get(set, "b.container")->state, UNIT_OK);
	assert_int_equal(get(set, "c.container")->state, UNIT_REJECTED);
	unit_set_free(set);
	/* One that is not started at boot stands between two that are. */
	set = load_files("/u/a.container", PORT("a", "80:80", BOOT), "/u/b.container",
			 PORT("b", "80:80", ""), "/u/c.container", PORT("c", "80:80", BOOT), NULL);
	assert_int_equal(get(set, "b.container")->state, UNIT_OK);
	assert_int_equal(get(set, "c.container")->state, UNIT_REJECTED);
	unit_set_free(set);
	set = load_files("/u/a.container", PORT("a", "[fd00::1]:80:80", BOOT), "/u/b.container",
			 PORT("b", "127.0.0.1:80:80", BOOT), "/u/c.container",
			 PORT("c", "[::]:80:80", BOOT), NULL);
	assert_int_equal(set->n_errors, 1);
	assert_int_equal(get(set, "c.container")->state, UNIT_REJECTED);
	unit_set_free(set);
}

static void a_broken_drop_in_rejects_the_unit(void **state)
{
	struct unit_set *set = load_files("/u/a.container", "[Container]\nImage=localhost/a\n",
					  "/u/a.container.d/x.conf",
					  "[Container]\nReadOnly=maybe\n", NULL);

	(void)state;
	assert_int_equal(get(set, "a.container")->state, UNIT_REJECTED);
	assert_error(set, U_BOOL, 2, 10);
	assert_string_equal(set->diags[0]->at.file, "/u/a.container.d/x.conf");
	unit_set_free(set);
}

static void file_names_with_newlines_or_dots_are_refused(void **state)
{
	struct unit_set *set = load_files("/u/a\nb.container", "[Container]\n", "/u/..container",
					  "[Container]\n", "/u/.x.container", "[Container]\n",
					  "/u/a..b.container", "[Container]\n", NULL);

	(void)state;
	assert_int_equal(set->n_errors, 4);
	for (size_t i = 0; i < set->n_diags; i++)
		assert_string_equal(set->diags[i]->code, U_FILE_NAME);
	unit_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_has_its_verdict_at_its_place),
		cmocka_unit_test(open_quotes_go_to_the_end_of_the_line),
		cmocka_unit_test(a_label_with_a_bad_escape_is_kept_as_written),
		cmocka_unit_test(all_mistakes_of_a_file_are_told_in_the_order_of_the_lines),
		cmocka_unit_test(a_message_shows_the_line_and_points_into_it),
		cmocka_unit_test(what_a_terminal_could_obey_is_not_shown),
		cmocka_unit_test(a_position_after_a_continuation_is_on_its_own_line),
		cmocka_unit_test(a_bad_unit_stops_no_other),
		cmocka_unit_test(two_units_with_one_service_name),
		cmocka_unit_test(two_units_with_one_host_port),
		cmocka_unit_test(ports_meet_across_others),
		cmocka_unit_test(a_broken_drop_in_rejects_the_unit),
		cmocka_unit_test(file_names_with_newlines_or_dots_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
