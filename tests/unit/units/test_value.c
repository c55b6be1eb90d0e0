/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers of single values. */
#include <signal.h>
#include <stdio.h>

#include "tests/unit/units/load_text.h"
#include "units/envfile.h"
#include "units/value.h"

#define BAD INT64_MIN

struct row {
	const char *text;
	int64_t value;
};

#define SEC INT64_C(1000000)

static void time_spans(void **state)
{
	static const struct row rows[] = {
		{"90", 90 * SEC},
		{"5min 20s", 320 * SEC},
		{"1h30m", 5400 * SEC},
		{"2.5s", 2500000},
		{"100ms", 100000},
		{"7us", 7},
		{"1 d", 86400 * SEC},
		{"2weeks", 1209600 * SEC},
		{"1month", 2629800 * SEC},
		{"1M", 2629800 * SEC},
		{"1y", 31557600 * SEC},
		{"0", 0},
		{"3hr 1minute", 10860 * SEC},
		{"\xc2\xb5s", BAD},
		{"5\xc2\xb5s", 5},
		{"", BAD},
		{"s", BAD},
		{"-1", BAD},
		{"1x", BAD},
		{"1 2 x", BAD},
		{"5 min20", 320 * SEC},
		{"99999999999999999999", BAD},
		{"infinity ", BAD},
		{"1e3", BAD},
		{"300000y", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t usec = 0;
		const char *why = value_timespan(rows[i].text, &usec);

		if (!why != (rows[i].value != BAD) || (!why && (int64_t)usec != rows[i].value))
			fail_msg("\"%s\": %lld (%s)", rows[i].text, (long long)usec,
				 why ? why : "ok");
	}
	{
		uint64_t usec = 0;

		assert_null(value_timespan("infinity", &usec));
		assert_true(usec == POLICY_INFINITY);
	}
}

static void go_durations(void **state)
{
	static const struct row rows[] = {
		{"30s", 30 * SEC},
		{"1m30s", 90 * SEC},
		{"1.5h", 5400 * SEC},
		{"100ms", 100000},
		{"0", 0},
		{"0s", 0},
		{"1500ns", 1},
		{"30", BAD},
		{"30 s", BAD},
		{"1d", BAD},
		{"", BAD},
		{"s", BAD},
		{"-1s", BAD},
		{"1s ", BAD},
		{"1min", BAD},
		{"9999999999h", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t usec = 0;
		const char *why = value_go_duration(rows[i].text, &usec);

		if (!why != (rows[i].value != BAD) || (!why && (int64_t)usec != rows[i].value))
			fail_msg("\"%s\": %lld (%s)", rows[i].text, (long long)usec,
				 why ? why : "ok");
	}
}

static void podman_sizes(void **state)
{
	static const struct row rows[] = {
		{"64m", 64 << 20},
		{"128mb", 128 << 20},
		{"128MiB", 128 << 20},
		{"1g", 1 << 30},
		{"4096", 4096},
		{"4096b", 4096},
		{"1.5k", 1536},
		{"2T", INT64_C(2) << 40},
		{"0", 0},
		{"64q", BAD},
		{"m", BAD},
		{"", BAD},
		{"-1", BAD},
		{"1mbb", BAD},
		{"1bb", BAD},
		{"99999999t", BAD},
		{"1 m", 1 << 20},
		{"12Q", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t size = 0;
		const char *why = value_podman_size(rows[i].text, &size);

		if (!why != (rows[i].value != BAD) || (!why && size != rows[i].value))
			fail_msg("\"%s\": %lld (%s)", rows[i].text, (long long)size,
				 why ? why : "ok");
	}
}

static void systemd_sizes(void **state)
{
	static const struct row rows[] = {
		{"64M", 64 << 20},  {"1G", 1 << 30},   {"1.5K", 1536},    {"infinity", -1},
		{"25%", 256 << 20}, {"100%", 1 << 30}, {"0.5%", 5368709}, {"101%", BAD},
		{"64m", BAD},       {"64MB", BAD},     {"", BAD},         {"-1", BAD},
		{"8E", BAD},
	};
	int64_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *why = value_systemd_size(rows[i].text, INT64_C(1) << 30, &size);

		if (!why != (rows[i].value != BAD) || (!why && size != rows[i].value))
			fail_msg("\"%s\": %lld (%s)", rows[i].text, (long long)size,
				 why ? why : "ok");
	}
	assert_non_null(value_systemd_size("25%", 0, &size));
}

static void systemd_rates(void **state)
{
	static const struct row rows[] = {
		{"500", 500},       {"500B", 500},    {"64K", 64000}, {"1.5M", 1500000},
		{"2G", 2000000000}, {"infinity", -1}, {"0", BAD},     {"0.1", BAD},
		{"64k", BAD},       {"64KB", BAD},    {"25%", BAD},   {"1 M", BAD},
		{"", BAD},          {"-1", BAD},      {"10E", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t rate = 0;
		const char *why = value_systemd_rate(rows[i].text, &rate);

		if (!why != (rows[i].value != BAD) || (!why && rate != rows[i].value))
			fail_msg("\"%s\": %lld (%s)", rows[i].text, (long long)rate,
				 why ? why : "ok");
	}
}

static void signals(void **state)
{
	static const struct row rows[] = {
		{"SIGTERM", SIGTERM},
		{"TERM", SIGTERM},
		{"15", 15},
		{"SIGRTMIN", 34},
		{"RTMIN+3", 37},
		{"SIGRTMAX", 64},
		{"RTMAX-1", 63},
		{"SIGPOLL", SIGIO},
		{"sigterm", BAD},
		{"0", BAD},
		{"65", BAD},
		{"RTMIN+31", BAD},
		{"", BAD},
		{"15x", BAD},
		{"SIG", BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int number = 0;
		const char *why = value_signal(rows[i].text, &number);

		if (!why != (rows[i].value != BAD) || (!why && number != rows[i].value))
			fail_msg("\"%s\": %d", rows[i].text, number);
	}
}

static void exit_statuses(void **state)
{
	struct policy_exits set = {0};

	(void)state;
	assert_null(value_exit_status("143", &set));
	assert_true(policy_exits_code(&set, 143));
	assert_true(policy_exits_signal(&set, SIGTERM)); /* what podman reports as 143 */
	assert_null(value_exit_status("SIGKILL", &set));
	assert_true(policy_exits_signal(&set, SIGKILL));
	assert_true(policy_exits_code(&set, 137));
	assert_null(value_exit_status("TEMPFAIL", &set));
	assert_true(policy_exits_code(&set, 75));
	assert_null(value_exit_status("EXEC", &set));
	assert_true(policy_exits_code(&set, 203));
	assert_null(value_exit_status("0", &set));
	assert_false(policy_exits_code(&set, 1));
	assert_non_null(value_exit_status("256", &set));
	assert_non_null(value_exit_status("NOPE", &set));
	assert_non_null(value_exit_status("-1", &set));
}

static void addresses(void **state)
{
	bool v6;

	(void)state;
	assert_null(value_ip("192.0.2.1"));
	assert_null(value_ip("fd00::1"));
	assert_non_null(value_ip("192.0.2"));
	assert_non_null(value_ip("[fd00::1]"));
	assert_non_null(value_ipv4("fd00::1"));
	assert_null(value_cidr("192.0.2.0/24", &v6));
	assert_false(v6);
	assert_null(value_cidr("fd00::/64", &v6));
	assert_true(v6);
	assert_non_null(value_cidr("192.0.2.0/33", &v6));
	assert_non_null(value_cidr("192.0.2.0", &v6));
	assert_non_null(value_cidr("fd00::/129", &v6));
	assert_null(value_mac("02:00:00:aB:cD:01"));
	assert_non_null(value_mac("02:00:00:00:00"));
	assert_non_null(value_mac("02-00-00-00-00-01"));
}

static void numbers(void **state)
{
	int64_t n;

	(void)state;
	assert_null(value_int("-5", -10, 10, &n));
	assert_int_equal(n, -5);
	assert_non_null(value_int("5 ", -10, 10, &n));
	assert_non_null(value_int("0x5", -10, 10, &n));
	assert_non_null(value_int("11", -10, 10, &n));
	assert_non_null(value_int("99999999999999999999", -10, INT64_MAX, &n));
	assert_null(value_mode("0644", &n));
	assert_int_equal(n, 0644);
	assert_non_null(value_mode("0888", &n));
	assert_non_null(value_mode("10000", &n));
}

/* --- ports, volumes, networks by way of a unit ------------------------------------------------- */

static void ports_in_all_their_forms(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: refused */
		const char *ip;
		unsigned host, container;
		const char *protocol;
	} rows[] = {
		{"80", 1, NULL, 0, 80, "tcp"},
		{"8080:80", 1, NULL, 8080, 80, "tcp"},
		{":80", 1, NULL, 0, 80, "tcp"},
		{"127.0.0.1:8080:80/udp", 1, "127.0.0.1", 8080, 80, "udp"},
		{"127.0.0.1::80", 1, "127.0.0.1", 0, 80, "tcp"},
		{"[::1]:8080:80", 1, "::1", 8080, 80, "tcp"},
		{"[::]:8080:80", 1, "::", 8080, 80, "tcp"},
		{"0.0.0.0:8080:80", 1, NULL, 8080, 80, "tcp"},
		{"8000-8002:9000-9002", 3, NULL, 8000, 9000, "tcp"},
		{"53:53/sctp", 1, NULL, 53, 53, "sctp"},
		{"8000-8002:9000", 0, NULL, 0, 0, NULL},
		{"8002-8000:9002-9000", 0, NULL, 0, 0, NULL},
		{"0:80", 0, NULL, 0, 0, NULL},
		{"65536:80", 0, NULL, 0, 0, NULL},
		{"80:http", 0, NULL, 0, 0, NULL},
		{"80:80/icmp", 0, NULL, 0, 0, NULL},
		{"::1:80:80", 0, NULL, 0, 0, NULL},
		{"host:80:80", 0, NULL, 0, 0, NULL},
		{"80:80:80:80", 0, NULL, 0, 0, NULL},
		{":", 0, NULL, 0, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[80];
		struct unit_set *set;
		const struct unit_container *c;

		snprintf(line, sizeof(line), "PublishPort=%s\n", rows[i].text);
		set = load_container(line);
		c = get(set, "x.container")->container;
		if (c->n_ports != rows[i].n || !set->n_errors != !!rows[i].n)
			fail_msg("%s: %zu ports, %zu errors", rows[i].text, c->n_ports,
				 set->n_errors);
		if (rows[i].n) {
			assert_int_equal(c->ports[0].host, rows[i].host);
			assert_int_equal(c->ports[0].container, rows[i].container);
			assert_string_equal(c->ports[0].protocol, rows[i].protocol);
			assert_int_equal(!c->ports[0].ip, !rows[i].ip);
			if (rows[i].ip)
				assert_string_equal(c->ports[0].ip, rows[i].ip);
		}
		unit_set_free(set);
	}
}

static void mounts_in_all_their_forms(void **state)
{
	static const struct {
		const char *text, *type, *source, *target, *options;
	} rows[] = {
		{"Volume=data:/d", "volume", "data", "/d", ""},
		{"Volume=data:/d:ro,Z", "volume", "data", "/d", "ro,Z"},
		{"Volume=/srv:/d:rslave", "bind", "/srv", "/d", "rslave"},
		{"Volume=/d", "anonymous", NULL, "/d", ""},
		{"Volume=data:d", NULL, NULL, NULL, NULL},
		{"Volume=data:/d:nope", NULL, NULL, NULL, NULL},
		{"Volume=data:/d:ro,rw", NULL, NULL, NULL, NULL},
		{"Volume=../x:/..", NULL, NULL, NULL, NULL},
		{"Volume=a/b:/d", NULL, NULL, NULL, NULL},
		{"Volume=data:/", NULL, NULL, NULL, NULL},
		{"Volume=data:/proc/x", NULL, NULL, NULL, NULL},
		{"Volume=data:/a/../b", NULL, NULL, NULL, NULL},
		{"Volume=:/d", NULL, NULL, NULL, NULL},
		{"Tmpfs=/t", "tmpfs", NULL, "/t", ""},
		{"Tmpfs=/t:size=64M,mode=1777,noexec", "tmpfs", NULL, "/t",
		 "size=64M,mode=1777,noexec"},
		{"Tmpfs=/t:size=50%", "tmpfs", NULL, "/t", "size=50%"},
		{"Tmpfs=t", NULL, NULL, NULL, NULL},
		{"Mount=type=bind,src=/a,dst=/b,ro", "bind", "/a", "/b", "ro"},
		{"Mount=type=bind,source=/a,target=/b,readonly=false", "bind", "/a", "/b", "rw"},
		{"Mount=type=tmpfs,target=/b,tmpfs-size=1m,tmpfs-mode=0700", "tmpfs", NULL, "/b",
		 "size=1m,mode=0700"},
		{"Mount=type=volume,source=data,destination=/b,U=true", "volume", "data", "/b",
		 "U"},
		{"Mount=source=data,target=/b", "volume", "data", "/b", ""},
		{"Mount=type=bind,\\\"source=/a,b\\\",target=/b", "bind", "/a,b", "/b", ""},
		{"Mount=type=image,source=localhost/i,target=/b", "image", "localhost/i", "/b", ""},
		{"Mount=type=image,source=docker://localhost/i,target=/b,rw=true", "image",
		 "localhost/i", "/b", "rw"},
		{"Mount=type=image,source=../i,target=/b", NULL, NULL, NULL, NULL},
		{"Mount=type=image,source=i.build,target=/b", NULL, NULL, NULL, NULL},
		{"Mount=type=image,source=none.image,target=/b", NULL, NULL, NULL, NULL},
		{"Mount=type=image,source=localhost/i,target=/b,U=true", NULL, NULL, NULL, NULL},
		{"Mount=type=image,source=localhost/i,target=/b,size=1m", NULL, NULL, NULL, NULL},
		{"Mount=type=image,target=/b", NULL, NULL, NULL, NULL},
		{"Volume=data:/d:O", "volume", "data", "/d", "O"},
		{"Volume=data:/d:O,U", NULL, NULL, NULL, NULL},
		{"Volume=data:/d:ro,rw", NULL, NULL, NULL, NULL},
		{"Mount=type=glob,source=/a*,target=/b", NULL, NULL, NULL, NULL},
		{"Mount=type=bind,target=/b", NULL, NULL, NULL, NULL},
		{"Mount=type=bind,source=/a", NULL, NULL, NULL, NULL},
		{"Mount=type=bind,source=/a,target=/b,nope", NULL, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char line[120];
		struct unit_set *set;
		const struct unit_container *c;

		snprintf(line, sizeof(line), "%s\n", rows[i].text);
		set = load_container(line);
		c = get(set, "x.container")->container;
		if (!set->n_errors != !!rows[i].type)
			fail_msg("%s: %zu errors%s%s", rows[i].text, set->n_errors,
				 set->n_errors ? ": " : "",
				 set->n_errors ? set->diags[0]->message : "");
		if (rows[i].type) {
			assert_int_equal(c->n_mounts, 1);
			assert_string_equal(c->mounts[0].type, rows[i].type);
			assert_string_equal(c->mounts[0].target.value, rows[i].target);
			assert_string_equal(c->mounts[0].options, rows[i].options);
			if (rows[i].source)
				assert_string_equal(c->mounts[0].source.value, rows[i].source);
		}
		unit_set_free(set);
	}
}

static void networks_in_all_their_forms(void **state)
{
	static const struct {
		const char *lines;
		const char *name; /* of the first; NULL: refused */
		size_t n;
	} rows[] = {
		{"", "orlop", 1},
		{"Network=bridge", "orlop", 1},
		{"Network=bridge:ip=10.88.0.9,mac=02:00:00:00:00:01", "orlop", 1},
		{"Network=podman", "orlop", 1},
		{"Network=host", "host", 1},
		{"Network=none", "none", 1},
		{"Network=a.network\nNetwork=b.network", "systemd-a", 2},
		{"Network=host\nNetwork=a.network", NULL, 0},
		{"Network=a.network:ip=nonsense", NULL, 0},
		{"Network=a.network:nope=1", NULL, 0},
		{"Network=pasta", NULL, 0},
		{"Network=slirp4netns:port_handler=x", NULL, 0},
		{"Network=ns:/run/netns/x", "ns:/run/netns/x", 1},
		{"Network=ns:/run/netns/x.network,y:z", "ns:/run/netns/x.network,y:z", 1},
		{"Network=ns:/proc/../proc/7/ns/net", "ns:/proc/../proc/7/ns/net", 1},
		{"Network=ns:/run/netns/%p", "ns:/run/netns/x", 1},
		{"Network=ns:run/netns/x", NULL, 0},
		{"Network=ns:", NULL, 0},
		{"Network=ns", NULL, 0},
		{"Network=ns:/a\nNetwork=ns:/b", NULL, 0},
		{"Network=ns:/a\nNetwork=a.network", NULL, 0},
		{"Network=ns:/a\nIP=10.0.0.1", NULL, 0},
		{"Network=ns:/a\nSysctl=net.ipv4.ip_forward=1", NULL, 0},
		{"Network=ns:/a\nSysctl=kernel.shmmni=77", "ns:/a", 1},
		{"Network=a.network\nNetwork=b.network\nIP=10.0.0.1", NULL, 0},
		{"Network=host\nIP=10.0.0.1", NULL, 0},
		{"Network=host\nSysctl=net.ipv4.ip_forward=1", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[200];
		struct unit_set *set;
		const struct unit_container *c;

		snprintf(text, sizeof(text), "[Container]\nImage=localhost/x\n%s\n", rows[i].lines);
		set = load_files("/u/x.container", text, "/u/a.network", "[Network]\n",
				 "/u/b.network", "[Network]\n", NULL);
		c = get(set, "x.container")->container;
		if (!set->n_errors != !!rows[i].name)
			fail_msg("%s: %zu errors", rows[i].lines, set->n_errors);
		if (rows[i].name) {
			assert_int_equal(c->n_networks, rows[i].n);
			assert_string_equal(c->networks[0].name.value, rows[i].name);
		}
		unit_set_free(set);
	}
}

/* --- environment files ------------------------------------------------------------------------ */

static int collect(void *ctx, const char *name, const char *value)
{
	char line[200];

	snprintf(line, sizeof(line), "<%s|%s>", name, value);
	strcat(ctx, line);
	return 0;
}

static void podmans_environment_files(void **state)
{
	static const char text[] = "# note\n  A=1 \nB=\"x y\"\n\nALONE\nC=a=b\r\n =x\n";
	char out[400] = "";
	struct fail f;

	(void)state;
	assert_int_equal(envfile_podman(text, strlen(text), collect, out, &f), -22);
	assert_non_null(strstr(f.text, "line 7"));
	assert_string_equal(out, "<A|1 ><B|\"x y\"><C|a=b>");
}

static void systemds_environment_files(void **state)
{
	static const char text[] =
		"# note\n; note\n A = 1  \nB=\"x  y\" \nC='a\\b'\nD=a\\\n b\nE=\"q\\\"q\\n\"\nnothing\nF=";
	char out[400] = "";

	(void)state;
	assert_int_equal(envfile_systemd(text, strlen(text), collect, out, NULL), 0);
	assert_string_equal(out, "<A|1><B|x  y><C|a\\b><D|a b><E|q\"q\\n><F|>");
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(time_spans),
		TEST(go_durations),
		TEST(podman_sizes),
		TEST(systemd_sizes),
		TEST(systemd_rates),
		TEST(signals),
		TEST(exit_statuses),
		TEST(addresses),
		TEST(numbers),
		TEST(ports_in_all_their_forms),
		TEST(mounts_in_all_their_forms),
		TEST(networks_in_all_their_forms),
		TEST(podmans_environment_files),
		TEST(systemds_environment_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
