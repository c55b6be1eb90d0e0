/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PodmanArgs=: an option means what its key means. Each row is loaded twice, with the option and with
 * the key in its place, and the two units have to be the same but for the text of PodmanArgs= itself.
 */
#include <stdio.h>

#include "tests/unit/units/load_text.h"

static const struct {
	const char *options; /* behind PodmanArgs= */
	const char *keys;    /* lines behind Image= */
} rows[] = {
	{"--add-host=nas:192.0.2.1", "AddHost=nas:192.0.2.1"},
	{"--annotation=a=b", "Annotation=a=b"},
	{"--cap-add=NET_ADMIN", "AddCapability=NET_ADMIN"},
	{"--cap-add=net_raw,KILL", "AddCapability=NET_RAW KILL"},
	{"--cap-drop all", "DropCapability=all"},
	{"--cgroup-conf=memory.high=1073741824", "[Service]\nMemoryHigh=1G"},
	{"--cgroup-conf memory.max=max", "[Service]\nMemoryMax=infinity"},
	{"--cgroup-conf=memory.low=64M --cgroup-conf=memory.min=32M",
	 "[Service]\nMemoryLow=64M\nMemoryMin=32M"},
	{"--cgroup-conf=memory.swap.max=0", "[Service]\nMemorySwapMax=0"},
	{"--cgroup-conf=cpu.weight=50 --cgroup-conf=io.weight=60",
	 "[Service]\nCPUWeight=50\nIOWeight=60"},
	{"--cgroup-conf=pids.max=99 --cgroup-conf=cpuset.cpus=0-1",
	 "[Service]\nTasksMax=99\nAllowedCPUs=0-1"},
	{"--cpu-shares=1024", "[Service]\nCPUWeight=39"},
	{"-c 2", "[Service]\nCPUWeight=1"},
	{"--cpus=1.5", "[Service]\nCPUQuota=150%"},
	{"--cpus .25", "[Service]\nCPUQuota=25%"},
	{"--cpuset-cpus=0,2", "[Service]\nAllowedCPUs=0,2"},
	{"--device=/dev/dri:/dev/dri:rw", "AddDevice=/dev/dri:/dev/dri:rw"},
	{"--device-read-bps=/dev/vda:1mb --device-read-bps=/dev/by:path:2k",
	 "[Service]\nIOReadBandwidthMax=/dev/vda 1048576\nIOReadBandwidthMax=/dev/by:path 2048"},
	{"--device-write-bps \"/srv/a b:500\"", "[Service]\nIOWriteBandwidthMax=\"/srv/a b\" 500"},
	{"--device-read-iops=/dev/vda:100 --device-write-iops /dev/vda:50",
	 "[Service]\nIOReadIOPSMax=/dev/vda 100\nIOWriteIOPSMax=/dev/vda 50"},
	{"--dns=192.0.2.1,192.0.2.2", "DNS=192.0.2.1 192.0.2.2"},
	{"--dns-option=ndots:1", "DNSOption=ndots:1"},
	{"--dns-search=lan", "DNSSearch=lan"},
	{"--entrypoint=/bin/x", "Entrypoint=/bin/x"},
	{"--entrypoint '[\"/bin/x\", \"-a\"]'", "Entrypoint=[\"/bin/x\", \"-a\"]"},
	{"--env=A=1 -e B=2", "Environment=A=1 B=2"},
	{"--env \"A=one two\"", "Environment=\"A=one two\""},
	{"--env 'A=say \"x\"'", "Environment='A=say \"x\"'"},
	{"--env A=back\\\\slash", "Environment=A=back\\\\slash"},
	{"--env=A=100%%n", "Environment=A=100%%n"},
	{"--env=A=%p", "Environment=A=%p"},
	{"--env-file=/srv/x.env", "EnvironmentFile=/srv/x.env"},
	{"--expose=80/tcp", "ExposeHostPort=80/tcp"},
	{"--gidmap=0:1000:5 --uidmap 0:1000:5", "GIDMap=0:1000:5\nUIDMap=0:1000:5"},
	{"--group-add=audio", "GroupAdd=audio"},
	{"--health-cmd \"curl -f x\" --health-interval=5s --health-timeout 2s --health-retries=9 "
	 "--health-start-period=1m --health-on-failure=kill",
	 "HealthCmd=curl -f x\nHealthInterval=5s\nHealthTimeout=2s\nHealthRetries=9\n"
	 "HealthStartPeriod=1m\nHealthOnFailure=kill"},
	{"--hostname=h", "HostName=h"},
	{"-h h", "HostName=h"},
	{"--init", "RunInit=true"},
	{"--init=false", "RunInit=false"},
	{"--ip=10.88.0.9", "IP=10.88.0.9"},
	{"--ip6=fd00::9", "IP6=fd00::9"},
	{"--label a=b -l \"c=d e\"", "Label=a=b \"c=d e\""},
	{"--log-driver=none --log-opt=max-size=1m", "LogDriver=none\nLogOpt=max-size=1m"},
	{"--memory=1g", "Memory=1g"},
	{"-m 1g", "Memory=1g"},
	{"--mount=type=tmpfs,target=/t", "Mount=type=tmpfs,target=/t"},
	{"--mount \"type=bind,source=/a b,target=/t\"",
	 "Mount=\"type=bind,source=/a b,target=/t\""},
	{"--name=n", "ContainerName=n"},
	{"--network=host", "Network=host"},
	{"--net none", "Network=none"},
	{"--network ns:/run/netns/x", "Network=ns:/run/netns/x"},
	{"--network-alias=db", "NetworkAlias=db"},
	{"--pids-limit=7", "PidsLimit=7"},
	{"--publish=8080:80 -p 53:53/udp", "PublishPort=8080:80\nPublishPort=53:53/udp"},
	{"--pull=always", "Pull=always"},
	{"--read-only", "ReadOnly=true"},
	{"--read-only --read-only-tmpfs=false", "ReadOnly=true\nReadOnlyTmpfs=false"},
	{"--secret=pw,type=env,target=PW", "Secret=pw,type=env,target=PW"},
	{"--security-opt=no-new-privileges", "NoNewPrivileges=true"},
	{"--security-opt no-new-privileges:false", "NoNewPrivileges=false"},
	{"--security-opt=label=disable", "SecurityLabelDisable=true"},
	{"--security-opt=label=type:t", "SecurityLabelType=t"},
	{"--security-opt=label=level:l", "SecurityLabelLevel=l"},
	{"--security-opt=seccomp=unconfined", "SeccompProfile=unconfined"},
	{"--security-opt=apparmor=unconfined", "AppArmor=unconfined"},
	{"--security-opt=mask=/proc/a:/proc/b", "Mask=/proc/a:/proc/b"},
	{"--security-opt=unmask=ALL", "Unmask=ALL"},
	{"--shm-size=1m", "ShmSize=1m"},
	{"--stop-signal=INT", "StopSignal=INT"},
	{"--stop-timeout=7", "StopTimeout=7"},
	{"--sysctl=net.core.somaxconn=1", "Sysctl=net.core.somaxconn=1"},
	{"--sysctl \"net.ipv4.ip_local_port_range=1024 65000\"",
	 "Sysctl=\"net.ipv4.ip_local_port_range=1024 65000\""},
	{"--tmpfs=/t:size=1m", "Tmpfs=/t:size=1m"},
	{"--tz=local", "Timezone=local"},
	{"--ulimit=nofile=1:2", "Ulimit=nofile=1:2"},
	{"--user=1000:1000", "User=1000:1000"},
	{"-u 1000", "User=1000"},
	{"--userns=host", "UserNS=host"},
	{"--volume=data:/d", "Volume=data:/d"},
	{"-v /srv:/d:ro", "Volume=/srv:/d:ro"},
	{"--workdir=/w", "WorkingDir=/w"},
	{"-w /w", "WorkingDir=/w"},
};

/* The unit as JSON from its first object on, without what PodmanArgs= itself leaves there. */
static char *meaning(const struct unit_set *set)
{
	char *json = json_of(get(set, "x.container")), *args, *end;

	args = strstr(json, "\"podman_args\":");
	if (args) {
		end = strstr(args, ",\"image_unit\""); /* the next one */
		assert_non_null(end);
		memmove(args, end, strlen(end) + 1);
	}
	end = strstr(json, "\"diagnostics\":");
	if (end)
		*end = '\0';
	return json;
}

static void an_option_means_what_its_key_means(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[600];
		struct unit_set *by_option, *by_key;
		char *a, *b;

		snprintf(text, sizeof(text), "PodmanArgs=%s\n", rows[i].options);
		by_option = load_container(text);
		snprintf(text, sizeof(text), "PodmanArgs=\n%s\n", rows[i].keys);
		by_key = load_container(text);
		if (by_option->n_errors || by_key->n_errors)
			fail_msg("%s: %s", rows[i].options,
				 (by_option->n_errors ? by_option : by_key)->diags[0]->message);
		a = meaning(by_option);
		b = meaning(by_key);
		if (strcmp(a, b) != 0)
			fail_msg("%s: %s\n%s", rows[i].options, a, b);
		free(a);
		free(b);
		unit_set_free(by_option);
		unit_set_free(by_key);
	}
	print_message("%zu options\n", sizeof(rows) / sizeof(*rows));
}

static void options_without_meaning_are_a_warning(void **state)
{
	static const char *const options[] = {
		"--sig-proxy=false", "--tty", "-t", "--interactive", "-i", "--rm", "--replace",
		"--log-level=debug"};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		char text[80];
		struct unit_set *set;

		snprintf(text, sizeof(text), "PodmanArgs=%s\n", options[i]);
		set = load_container(text);
		assert_no_error(set);
		assert_warning(set, U_NO_EFFECT, 3, 12);
		unit_set_free(set);
	}
}

static void other_options_are_refused_by_their_name(void **state)
{
	static const char *const options[][2] = {
		{"--privileged", "AddCapability="},
		{"--ipc=host", "pod"},
		{"--memory-swap=2g", "MemorySwapMax="},
		{"--pid=host", "process ids"},
		{"--restart=always", "[Service]"},
		{"--uts=host", "HostName="},
		{"--image-volume=ignore", "Volume="},
		{"--device-cgroup-rule=x", "AddDevice="},
		{"--cgroup-conf=memory.oom.group=1", "MemoryMax="},
		{"--no-such-thing", "no key"},
		{"--memory", "value is missing"},
		{"--cpus=many", "not understood"},
		{"--device-read-bps=/dev/vda", "/dev/vda:1mb"},
		{"--device-write-iops=/dev/vda:1k", "/dev/vda:500"},
		{"word", "--name=value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		char text[120], name[60];
		struct unit_set *set;

		snprintf(text, sizeof(text), "PodmanArgs=%s\n", options[i][0]);
		snprintf(name, sizeof(name),
			 "\"%.*s\" in PodmanArgs=", (int)strcspn(options[i][0], "="),
			 options[i][0]);
		set = load_container(text);
		assert_error(set, U_OPTION, 3, 12);
		if (!strstr(set->diags[0]->message, name) ||
		    !strstr(set->diags[0]->hint, options[i][1]))
			fail_msg("%s: %s (%s)", options[i][0], set->diags[0]->message,
				 set->diags[0]->hint);
		unit_set_free(set);
	}
}

static void a_bad_value_is_told_at_its_option(void **state)
{
	struct unit_set *set = load_container("PodmanArgs=--rm --privileged --memory=lots\n");

	(void)state;
	assert_warning(set, U_NO_EFFECT, 3, 12);
	assert_error(set, U_OPTION, 3, 17);
	assert_error(set, U_SIZE, 3, 30);
	unit_set_free(set);
}

/* Quadlet puts them at the end of podman's command line. */
static void options_win_over_keys_wherever_they_stand(void **state)
{
	struct unit_set *set =
		load_container("PodmanArgs=--memory=2g --stop-timeout 5\nMemory=1g\n");

	(void)state;
	assert_int_equal(get(set, "x.container")->container->memory.value, INT64_C(2) << 30);
	assert_int_equal(get(set, "x.container")->container->stop_timeout.value, 5);
	unit_set_free(set);
}

static void an_empty_one_takes_back_all_they_did(void **state)
{
	struct unit_set *set = load_files(
		"/u/x.container",
		"[Container]\nImage=localhost/x\nMemory=1g\nPodmanArgs=--memory=2g --cap-add=KILL --frob\n",
		"/u/x.container.d/y.conf", "[Container]\nPodmanArgs=\n", NULL);
	const struct unit_container *c = get(set, "x.container")->container;

	(void)state;
	assert_clean(set);
	assert_int_equal(c->memory.value, INT64_C(1) << 30);
	assert_int_equal(c->cap_add.n, 0);
	assert_int_equal(c->podman_args.n, 0);
	unit_set_free(set);
}

static void no_swap_at_all_reaches_the_spec(void **state)
{
	struct unit_set *set = load_container("PodmanArgs=--cgroup-conf=memory.swap.max=0\n");
	struct container_spec spec;

	(void)state;
	assert_int_equal(spec_from_unit(set, get(set, "x.container"), 0, &spec, NULL), 0);
	assert_true(spec.memory_swap_set);
	assert_int_equal(spec.memory_swap_max, 0);
	spec_done(&spec);
	unit_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_option_means_what_its_key_means),
		cmocka_unit_test(options_without_meaning_are_a_warning),
		cmocka_unit_test(other_options_are_refused_by_their_name),
		cmocka_unit_test(a_bad_value_is_told_at_its_option),
		cmocka_unit_test(options_win_over_keys_wherever_they_stand),
		cmocka_unit_test(an_empty_one_takes_back_all_they_did),
		cmocka_unit_test(no_swap_at_all_reaches_the_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
