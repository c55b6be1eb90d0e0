/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/rlimit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
	const char *name;
	int resource;
} rows[] = {
	{"as", RLIMIT_AS},
	{"core", RLIMIT_CORE},
	{"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},
	{"fsize", RLIMIT_FSIZE},
	{"locks", RLIMIT_LOCKS},
	{"memlock", RLIMIT_MEMLOCK},
	{"msgqueue", RLIMIT_MSGQUEUE},
	{"nice", RLIMIT_NICE},
	{"nofile", RLIMIT_NOFILE},
	{"nproc", RLIMIT_NPROC},
	{"rss", RLIMIT_RSS},
	{"rtprio", RLIMIT_RTPRIO},
	{"rttime", RLIMIT_RTTIME},
	{"sigpending", RLIMIT_SIGPENDING},
	{"stack", RLIMIT_STACK},
};

int rlimit_resource(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcasecmp(rows[i].name, name))
			return rows[i].resource;
	return -1;
}

rlim_t rlimit_value(const char *text)
{
	if (!strcmp(text, "-1") || !strcmp(text, "unlimited") || !strcmp(text, "infinity"))
		return RLIM_INFINITY;
	return strtoull(text, NULL, 10);
}
