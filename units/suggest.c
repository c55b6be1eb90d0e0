/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 48

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned suggest_edits(const char *a, const char *b, unsigned max)
{
	unsigned rows[3][WORD_MAX + 1]; /* the row before the last, the last, this one */
	size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX || (la > lb ? la - lb : lb - la) > max)
		return max + 1;
	for (size_t j = 0; j <= lb; j++)
		rows[1][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *this = rows[2], best;

		this[0] = best = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			this[j] = min3(rows[1][j] + 1, this[j - 1] + 1, rows[1][j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) &&
			    rows[0][j - 2] + 1 < this[j])
				this[j] = rows[0][j - 2] + 1;
			if (this[j] < best)
				best = this[j];
		}
		if (best > max)
			return max + 1;
		memcpy(rows[0], rows[1], sizeof(rows[0]));
		memcpy(rows[1], rows[2], sizeof(rows[1]));
	}
	return rows[1][lb] > max ? max + 1 : rows[1][lb];
}

/* Words of Compose and of podman's command line. */
static const struct {
	const char *word, *key;
	enum key_section section;
} translations[] = {
	{"Ports", "PublishPort", SECTION_CONTAINER},
	{"Port", "PublishPort", SECTION_CONTAINER},
	{"Publish", "PublishPort", SECTION_CONTAINER},
	{"Env", "Environment", SECTION_CONTAINER},
	{"EnvFile", "EnvironmentFile", SECTION_CONTAINER},
	{"Command", "Exec", SECTION_CONTAINER},
	{"Cmd", "Exec", SECTION_CONTAINER},
	{"Args", "Exec", SECTION_CONTAINER},
	{"Name", "ContainerName", SECTION_CONTAINER},
	{"Container_name", "ContainerName", SECTION_CONTAINER},
	{"CapAdd", "AddCapability", SECTION_CONTAINER},
	{"CapDrop", "DropCapability", SECTION_CONTAINER},
	{"Device", "AddDevice", SECTION_CONTAINER},
	{"Devices", "AddDevice", SECTION_CONTAINER},
	{"ExtraHosts", "AddHost", SECTION_CONTAINER},
	{"ExtraHost", "AddHost", SECTION_CONTAINER},
	{"HealthCheck", "HealthCmd", SECTION_CONTAINER},
	{"HealthCheckCmd", "HealthCmd", SECTION_CONTAINER},
	{"HealthCheckInterval", "HealthInterval", SECTION_CONTAINER},
	{"Test", "HealthCmd", SECTION_CONTAINER},
	{"Init", "RunInit", SECTION_CONTAINER},
	{"MemLimit", "Memory", SECTION_CONTAINER},
	{"MemoryLimit", "Memory", SECTION_CONTAINER},
	{"NetworkMode", "Network", SECTION_CONTAINER},
	{"PullPolicy", "Pull", SECTION_CONTAINER},
	{"ReadOnlyRootfs", "ReadOnly", SECTION_CONTAINER},
	{"StopGracePeriod", "StopTimeout", SECTION_CONTAINER},
	{"Sysctls", "Sysctl", SECTION_CONTAINER},
	{"TZ", "Timezone", SECTION_CONTAINER},
	{"UsernsMode", "UserNS", SECTION_CONTAINER},
	{"Workdir", "WorkingDir", SECTION_CONTAINER},
	{"WorkingDirectory", "WorkingDir", SECTION_CONTAINER},
	{"Expose", "ExposeHostPort", SECTION_CONTAINER},
	{"Logging", "LogDriver", SECTION_CONTAINER},
	{"DependsOn", "Requires", SECTION_UNIT},
	{"Depends", "Requires", SECTION_UNIT},
	{"Cpus", "CPUQuota", SECTION_SERVICE},
	{"CpuShares", "CPUWeight", SECTION_SERVICE},
	{"Cpuset", "AllowedCPUs", SECTION_SERVICE},
	{"MemReservation", "MemoryLow", SECTION_SERVICE},
	{"MemSwapLimit", "MemorySwapMax", SECTION_SERVICE},
	{"OomScoreAdj", "OOMScoreAdjust", SECTION_SERVICE},
	{"RestartPolicy", "Restart", SECTION_SERVICE},
	{"StartInterval", "HealthStartupInterval", SECTION_CONTAINER},
	{"Name", "PodName", SECTION_POD},
	{"Ports", "PublishPort", SECTION_POD},
	{"Name", "VolumeName", SECTION_VOLUME},
	{"DriverOpts", "Options", SECTION_VOLUME},
	{"Name", "NetworkName", SECTION_NETWORK},
	{"DriverOpts", "Options", SECTION_NETWORK},
	{"Range", "IPRange", SECTION_NETWORK},
	{"EnableIPv6", "IPv6", SECTION_NETWORK},
};

static bool translate(enum key_section section, const char *name, char *out, size_t size)
{
	for (size_t i = 0; i < sizeof(translations) / sizeof(*translations); i++) {
		if (suggest_edits(name, translations[i].word, 0) != 0)
			continue;
		if (translations[i].section == section)
			snprintf(out, size, "did you mean \"%s\"?", translations[i].key);
		else if (section == SECTION_CONTAINER && translations[i].section >= SECTION_UNIT)
			snprintf(out, size, "did you mean \"%s\" in [%s]?", translations[i].key,
				 section_names[translations[i].section]);
		else
			continue;
		return true;
	}
	return false;
}

/* Another unit's kind of section is no place to send anybody to. */
static bool reachable(enum key_section from, enum key_section to)
{
	return to == from || to >= SECTION_QUADLET ||
	       (from >= SECTION_QUADLET && to == SECTION_CONTAINER);
}

unsigned suggest_key(enum key_section section, const char *name, char *out, size_t size)
{
	const struct key *best = NULL, *elsewhere = NULL;
	unsigned limit = strlen(name) < 5 ? 1 : 2, nearest = limit + 1;

	for_each_key(k)
	{
		unsigned distance;

		if (k->section == section) {
			distance = suggest_edits(name, k->name, limit);
			if (distance < nearest) {
				nearest = distance;
				best = k;
			}
		} else if (!elsewhere && reachable(section, (enum key_section)k->section) &&
			   strcmp(name, k->name) == 0) {
			elsewhere = k;
		}
	}
	if (nearest == 0) {
		snprintf(out, size, "did you mean \"%s\"? Upper and lower case matter", best->name);
		return 0;
	}
	if (elsewhere) {
		snprintf(out, size, "it belongs in [%s]", section_names[elsewhere->section]);
		return 0;
	}
	if (translate(section, name, out, size))
		return 0;
	if (best) {
		snprintf(out, size, "did you mean \"%s\"?", best->name);
		return nearest;
	}
	out[0] = '\0';
	return 9;
}

const char *suggest_section(const char *name)
{
	const char *best = NULL;
	unsigned nearest = 3;

	for (int i = 0; i < SECTION__N; i++) {
		unsigned distance = suggest_edits(name, section_names[i], 2);

		/* "Init" is not "Unit": a short name must be nearer. */
		if (distance < nearest && distance * 3 <= strlen(name)) {
			nearest = distance;
			best = section_names[i];
		}
	}
	return best;
}
