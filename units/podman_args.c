/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* PodmanArgs=: the options of `podman run` that have a key of their own, and no others. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "units/loader.h"
#include "units/value.h"

enum option_sort {
	OPTION_VALUE,      /* --x=VALUE or --x VALUE: the key's value */
	OPTION_WORD,       /* the same where the key takes words: one word, whatever is in it */
	OPTION_PLAIN_WORD, /* and the key's words have no escapes */
	OPTION_LIST,       /* a,b,c are several words of the key */
	OPTION_CGROUP,     /* FILE=value of the cgroup */
	OPTION_FLAG,       /* --x or --x=true */
	OPTION_SECURITY,   /* --security-opt: names several keys */
	OPTION_CPUS,       /* 1.5 CPUs are CPUQuota=150% */
	OPTION_BPS,        /* DEVICE:BYTES a second, podman's sizes: the key's are of 1000 */
	OPTION_IOPS,       /* DEVICE:NUMBER */
	OPTION_SHARES,     /* cpu.shares of cgroup v1, 2 to 262144 */
	OPTION_IGNORED,
	OPTION_REFUSED, /* key: the hint */
};

static const struct {
	const char *option; /* also the short form: "--volume -v" */
	enum option_sort sort;
	const char *key;
	enum key_section section;
} options[] = {
	{"--add-host", OPTION_VALUE, "AddHost", SECTION_CONTAINER},
	{"--annotation", OPTION_WORD, "Annotation", SECTION_CONTAINER},
	{"--cap-add", OPTION_LIST, "AddCapability", SECTION_CONTAINER},
	{"--cap-drop", OPTION_LIST, "DropCapability", SECTION_CONTAINER},
	{"--cpu-shares -c", OPTION_SHARES, "CPUWeight", SECTION_SERVICE},
	{"--cpus", OPTION_CPUS, "CPUQuota", SECTION_SERVICE},
	{"--cpuset-cpus", OPTION_VALUE, "AllowedCPUs", SECTION_SERVICE},
	{"--device", OPTION_PLAIN_WORD, "AddDevice", SECTION_CONTAINER},
	{"--device-read-bps", OPTION_BPS, "IOReadBandwidthMax", SECTION_SERVICE},
	{"--device-read-iops", OPTION_IOPS, "IOReadIOPSMax", SECTION_SERVICE},
	{"--device-write-bps", OPTION_BPS, "IOWriteBandwidthMax", SECTION_SERVICE},
	{"--device-write-iops", OPTION_IOPS, "IOWriteIOPSMax", SECTION_SERVICE},
	{"--dns", OPTION_LIST, "DNS", SECTION_CONTAINER},
	{"--dns-option", OPTION_VALUE, "DNSOption", SECTION_CONTAINER},
	{"--dns-search", OPTION_VALUE, "DNSSearch", SECTION_CONTAINER},
	{"--entrypoint", OPTION_VALUE, "Entrypoint", SECTION_CONTAINER},
	{"--env -e", OPTION_WORD, "Environment", SECTION_CONTAINER},
	{"--env-file", OPTION_WORD, "EnvironmentFile", SECTION_CONTAINER},
	{"--expose", OPTION_PLAIN_WORD, "ExposeHostPort", SECTION_CONTAINER},
	{"--gidmap", OPTION_PLAIN_WORD, "GIDMap", SECTION_CONTAINER},
	{"--group-add", OPTION_VALUE, "GroupAdd", SECTION_CONTAINER},
	{"--health-cmd", OPTION_VALUE, "HealthCmd", SECTION_CONTAINER},
	{"--health-interval", OPTION_VALUE, "HealthInterval", SECTION_CONTAINER},
	{"--health-on-failure", OPTION_VALUE, "HealthOnFailure", SECTION_CONTAINER},
	{"--health-retries", OPTION_VALUE, "HealthRetries", SECTION_CONTAINER},
	{"--health-start-period", OPTION_VALUE, "HealthStartPeriod", SECTION_CONTAINER},
	{"--health-timeout", OPTION_VALUE, "HealthTimeout", SECTION_CONTAINER},
	{"--hostname -h", OPTION_VALUE, "HostName", SECTION_CONTAINER},
	{"--init", OPTION_FLAG, "RunInit", SECTION_CONTAINER},
	{"--ip", OPTION_VALUE, "IP", SECTION_CONTAINER},
	{"--ip6", OPTION_VALUE, "IP6", SECTION_CONTAINER},
	{"--label -l", OPTION_WORD, "Label", SECTION_CONTAINER},
	{"--log-driver", OPTION_VALUE, "LogDriver", SECTION_CONTAINER},
	{"--log-opt", OPTION_WORD, "LogOpt", SECTION_CONTAINER},
	{"--memory -m", OPTION_VALUE, "Memory", SECTION_CONTAINER},
	{"--mount", OPTION_WORD, "Mount", SECTION_CONTAINER},
	{"--name", OPTION_VALUE, "ContainerName", SECTION_CONTAINER},
	{"--network --net", OPTION_VALUE, "Network", SECTION_CONTAINER},
	{"--network-alias", OPTION_VALUE, "NetworkAlias", SECTION_CONTAINER},
	{"--pids-limit", OPTION_VALUE, "PidsLimit", SECTION_CONTAINER},
	{"--publish -p", OPTION_VALUE, "PublishPort", SECTION_CONTAINER},
	{"--pull", OPTION_VALUE, "Pull", SECTION_CONTAINER},
	{"--read-only", OPTION_FLAG, "ReadOnly", SECTION_CONTAINER},
	{"--read-only-tmpfs", OPTION_FLAG, "ReadOnlyTmpfs", SECTION_CONTAINER},
	{"--secret", OPTION_WORD, "Secret", SECTION_CONTAINER},
	{"--security-opt", OPTION_SECURITY, NULL, SECTION_CONTAINER},
	{"--shm-size", OPTION_VALUE, "ShmSize", SECTION_CONTAINER},
	{"--stop-signal", OPTION_VALUE, "StopSignal", SECTION_CONTAINER},
	{"--stop-timeout", OPTION_VALUE, "StopTimeout", SECTION_CONTAINER},
	{"--sysctl", OPTION_PLAIN_WORD, "Sysctl", SECTION_CONTAINER},
	{"--tmpfs", OPTION_VALUE, "Tmpfs", SECTION_CONTAINER},
	{"--tz", OPTION_VALUE, "Timezone", SECTION_CONTAINER},
	{"--uidmap", OPTION_PLAIN_WORD, "UIDMap", SECTION_CONTAINER},
	{"--ulimit", OPTION_VALUE, "Ulimit", SECTION_CONTAINER},
	{"--user -u", OPTION_VALUE, "User", SECTION_CONTAINER},
	{"--userns", OPTION_VALUE, "UserNS", SECTION_CONTAINER},
	{"--volume -v", OPTION_VALUE, "Volume", SECTION_CONTAINER},
	{"--workdir -w", OPTION_VALUE, "WorkingDir", SECTION_CONTAINER},
	{"--sig-proxy", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--tty -t", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--interactive -i", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--rm", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--replace", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--log-level", OPTION_IGNORED, NULL, SECTION_CONTAINER},
	{"--cgroup-conf", OPTION_CGROUP, NULL, SECTION_SERVICE},
	{"--device-cgroup-rule", OPTION_REFUSED, "use AddDevice=", SECTION_CONTAINER},
	{"--image-volume", OPTION_REFUSED, "use Volume= or Tmpfs= for the places the image names",
	 SECTION_CONTAINER},
	{"--ipc", OPTION_REFUSED, "containers of a pod share it", SECTION_CONTAINER},
	{"--memory-swap", OPTION_REFUSED, "use MemorySwapMax= of [Service]", SECTION_CONTAINER},
	{"--pid", OPTION_REFUSED, "every container has its own process ids", SECTION_CONTAINER},
	{"--privileged", OPTION_REFUSED,
	 "write what it needs: AddCapability=, AddDevice=, UserNS=host", SECTION_CONTAINER},
	{"--restart", OPTION_REFUSED, "use Restart= of [Service]", SECTION_CONTAINER},
	{"--uts", OPTION_REFUSED, "use HostName=", SECTION_CONTAINER},
};

/* The value as one word of the key's: quoted where its words would be taken apart. */
static bool one_word(struct arena *arena, const char *value, bool escapes,
		     struct podman_option *ret)
{
	bool double_quote = strchr(value, '"'), quote = strchr(value, '\'');
	_buf_ struct buf b = {0};

	if (!value[strcspn(value, escapes ? " \t\"'\\" : " \t\"'")]) {
		ret->value = arena_strdup(arena, value);
		return true;
	}
	if (!escapes) {
		if (double_quote && quote)
			return false; /* cannot be said */
		ret->value = arena_fmt(arena, double_quote ? "'%s'" : "\"%s\"", value);
		return true;
	}
	buf_chr(&b, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_chr(&b, '\\');
		buf_chr(&b, *value);
	}
	buf_chr(&b, '"');
	if (b.bad)
		arena_set_bad(arena);
	ret->value = arena_strdup(arena, b.data ? b.data : "");
	return true;
}

/* a,b,c -> a b c */
static bool word_list(struct arena *arena, const char *value, struct podman_option *ret)
{
	char *list = arena_strdup(arena, value);

	for (char *comma = list; (comma = strchr(comma, ','));)
		*comma = ' ';
	ret->value = list;
	return true;
}

/* --cgroup-conf=memory.high=1G: the files of cgroup v2 that have a key. */
static bool cgroup_option(struct arena *arena, const char *value, struct podman_option *ret)
{
	static const char *const rows[][2] = {
		{"cpu.weight=", "CPUWeight"}, {"cpuset.cpus=", "AllowedCPUs"},
		{"io.weight=", "IOWeight"},   {"memory.high=", "MemoryHigh"},
		{"memory.low=", "MemoryLow"}, {"memory.max=", "MemoryMax"},
		{"memory.min=", "MemoryMin"}, {"memory.swap.max=", "MemorySwapMax"},
		{"pids.max=", "TasksMax"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i][0]);

		if (strncmp(value, rows[i][0], len) != 0)
			continue;
		ret->section_key = rows[i][1];
		ret->value = strcmp(value + len, "max") == 0 ? "infinity"
							     : arena_strdup(arena, value + len);
		return true;
	}
	return false;
}

static bool security_option(struct arena *arena, const char *value, struct podman_option *ret)
{
	static const struct {
		const char *prefix, *key,
			*fixed; /* fixed: the key's value; NULL: what follows the prefix */
	} rows[] = {
		{"no-new-privileges:false", "NoNewPrivileges", "false"},
		{"no-new-privileges=false", "NoNewPrivileges", "false"},
		{"no-new-privileges", "NoNewPrivileges", "true"},
		{"label=disable", "SecurityLabelDisable", "true"},
		{"label:disable", "SecurityLabelDisable", "true"},
		{"label=type:", "SecurityLabelType", NULL},
		{"label=level:", "SecurityLabelLevel", NULL},
		{"seccomp=", "SeccompProfile", NULL},
		{"apparmor=", "AppArmor", NULL},
		{"mask=", "Mask", NULL},
		{"unmask=", "Unmask", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].prefix);

		if (strncmp(value, rows[i].prefix, len) != 0)
			continue;
		ret->section_key = rows[i].key;
		ret->value = rows[i].fixed ? rows[i].fixed : arena_strdup(arena, value + len);
		return ret->value;
	}
	return false;
}

/* "1.5" CPUs as a percentage. */
static bool cpu_percent(struct arena *arena, const char *value, struct podman_option *ret)
{
	const char *dot = strchr(value, '.');
	char whole[8], part[3] = "00";
	int64_t cpus, hundredths;
	size_t len = dot ? (size_t)(dot - value) : strlen(value);

	if (len >= sizeof(whole))
		return false;
	snprintf(whole, sizeof(whole), "%.*s", (int)len, value);
	for (size_t i = 0; dot && i < 2 && dot[1 + i]; i++)
		part[i] = dot[1 + i];
	if (value_int(len ? whole : "0", 0, 8192, &cpus) || value_int(part, 0, 99, &hundredths))
		return false;
	ret->value = arena_fmt(arena, "%d%%", (int)(cpus * 100 + hundredths));
	return ret->value && cpus * 100 + hundredths > 0;
}

static bool cpu_weight(struct arena *arena, const char *value, struct podman_option *ret)
{
	int64_t shares;

	if (value_int(value, 2, 262144, &shares))
		return false;
	ret->value = arena_fmt(arena, "%d", (int)(1 + (shares - 2) * 9999 / 262142));
	return ret->value;
}

/* "/dev/vda:1mb" -> "/dev/vda 1048576". A path may have colons itself. */
static bool device_limit(struct arena *arena, const char *value, bool bytes,
			 struct podman_option *ret)
{
	const char *colon = strrchr(value, ':'), *path;
	int64_t limit;

	if (!colon || (bytes ? value_podman_size(colon + 1, &limit)
			     : value_int(colon + 1, 0, INT64_MAX, &limit)))
		return false;
	path = arena_strndup(arena, value, (size_t)(colon - value));
	if (!path || !one_word(arena, path, false, ret) || !ret->value)
		return false;
	ret->value = arena_fmt(arena, "%s %lld", ret->value, (long long)limit);
	return ret->value;
}

bool podman_option(struct arena *arena, const char *word, const char *next, bool *ret_took_next,
		   struct podman_option *ret, char *why, size_t size)
{
	const char *equals = strchr(word, '='), *value;
	size_t len = equals ? (size_t)(equals - word) : strlen(word), i = 0;
	char name[40];

	*ret = (struct podman_option){0};
	*ret_took_next = false;
	snprintf(why, size, "there is no key for it");
	if (word[0] != '-') {
		snprintf(why, size, "write options as --name=value");
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	while (i < sizeof(options) / sizeof(*options) && value_choice(name, options[i].option) < 0)
		i++;
	if (len >= sizeof(name) || i == sizeof(options) / sizeof(*options))
		return false;
	ret->section = options[i].section;
	if (options[i].sort == OPTION_IGNORED)
		return true;
	if (options[i].sort == OPTION_REFUSED) {
		snprintf(why, size, "%s", options[i].key);
		return false;
	}
	ret->section_key = options[i].key;
	if (options[i].sort == OPTION_FLAG) {
		ret->value = equals ? arena_strdup(arena, equals + 1) : "true";
		return ret->value;
	}
	value = equals ? equals + 1 : next;
	*ret_took_next = !equals && next;
	if (!value) {
		snprintf(why, size, "its value is missing");
		return false;
	}
	snprintf(why, size, "its value is not understood");
	switch (options[i].sort) {
	case OPTION_WORD: return one_word(arena, value, true, ret);
	case OPTION_PLAIN_WORD: return one_word(arena, value, false, ret);
	case OPTION_LIST: return word_list(arena, value, ret);
	case OPTION_CGROUP:
		snprintf(why, size, "use MemoryMax=, MemoryHigh=, CPUWeight=... of [Service]");
		return cgroup_option(arena, value, ret);
	case OPTION_SECURITY: return security_option(arena, value, ret);
	case OPTION_CPUS: return cpu_percent(arena, value, ret);
	case OPTION_BPS:
		snprintf(why, size, "write DEVICE:BYTES, for example /dev/vda:1mb");
		return device_limit(arena, value, true, ret);
	case OPTION_IOPS:
		snprintf(why, size, "write DEVICE:NUMBER, for example /dev/vda:500");
		return device_limit(arena, value, false, ret);
	case OPTION_SHARES: return cpu_weight(arena, value, ret);
	default: break;
	}
	ret->value = arena_strdup(arena, value);
	return ret->value;
}
