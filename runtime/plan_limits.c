/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/plan_maker.h"

#define PIDS_DEFAULT   2048
#define NOFILE_DEFAULT "1048576"
#define CPU_PERIOD     100000

/* --- cgroup -------------------------------------------------------------------------------- */

/* One row for each file that takes one number: 0 = not set, -1 = "max". */
static const struct {
	const char *file;
	size_t offset;
} limits[] = {
	{"memory.max", offsetof(struct container_spec, memory_max)},
	{"memory.high", offsetof(struct container_spec, memory_high)},
	{"memory.low", offsetof(struct container_spec, memory_low)},
	{"memory.min", offsetof(struct container_spec, memory_min)},
	{"cpu.weight", offsetof(struct container_spec, cpu_weight)},
	{"io.weight", offsetof(struct container_spec, io_weight)},
};

void add_cgroup_limits(struct maker *m)
{
	const struct container_spec *s = m->spec;
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		int64_t value =
			*(const int64_t *)(const void *)((const char *)s + limits[i].offset);

		if (value)
			ADD3(m, STEP_LIMIT, limits[i].file,
			     value < 0 ? "max" : plan_number(value).s, "yes");
	}
	if (s->memory_swap_set)
		ADD3(m, STEP_LIMIT, "memory.swap.max",
		     s->memory_swap_max < 0 ? "max" : plan_number(s->memory_swap_max).s, "yes");
	if (s->cpu_quota_percent > 0) {
		snprintf(text, sizeof(text), "%" PRId64 " %d",
			 s->cpu_quota_percent * (CPU_PERIOD / 100), CPU_PERIOD);
		ADD3(m, STEP_LIMIT, "cpu.max", text, "yes");
	}
	if (s->cpus)
		ADD3(m, STEP_LIMIT, "cpuset.cpus", s->cpus, "yes");
	/* a container that runs out of memory dies whole: half a service is worse than none */
	ADD3(m, STEP_LIMIT, "memory.oom.group", "1", "no");
	if (s->pids_max > 0)
		ADD3(m, STEP_LIMIT, "pids.max", plan_number(s->pids_max).s, "yes");
	else if (s->pids_max == 0)
		ADD3(m, STEP_LIMIT, "pids.max", plan_number(PIDS_DEFAULT).s, "no");
	for (size_t i = 0; i < s->n_io_max; i++)
		ADD3(m, STEP_IO_MAX, s->io_max[i].key, s->io_max[i].path, s->io_max[i].limit);
}

/* --- resource limits ----------------------------------------------------------------------- */

static bool has_ulimit(const struct container_spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_ulimits; i++)
		if (!strcmp(s->ulimits[i].name, name))
			return true;
	return false;
}

void add_rlimits(struct maker *m)
{
	static const char *const defaults[] = {"nofile", "nproc"};
	const struct container_spec *s = m->spec;

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (!has_ulimit(s, defaults[i]))
			plan_add(m, STEP_RLIMIT, defaults[i], NOFILE_DEFAULT, NOFILE_DEFAULT, "no");
	for (size_t i = 0; i < s->n_ulimits; i++)
		plan_add(m, STEP_RLIMIT, s->ulimits[i].name, s->ulimits[i].soft,
			 *s->ulimits[i].hard ? s->ulimits[i].hard : s->ulimits[i].soft, "yes");
	if (s->oom_score_set)
		ADD1(m, STEP_OOM_SCORE, plan_number(s->oom_score_adjust).s);
}

/* --- sysctls ------------------------------------------------------------------------------- */

/* What the container's own network and ipc namespaces have; everything else is the host's. */
static const char *const allowed[] = {
	"net/*",         "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni",          "kernel/sem",
	"kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced", "fs/mqueue/*",
};

/* "net.ipv4.ip_forward" -> "net/ipv4/ip_forward". As sysctl(8) and systemd: if the first separator is a
 * dot, dots separate and slashes stand for dots (an interface "eth0.5" is written "eth0/5"). */
static void sysctl_path(const char *name, char *path, size_t size)
{
	bool dots = name[strcspn(name, "./")] == '.';

	snprintf(path, size, "%s", name);
	for (char *c = path; dots && *c; c++) {
		if (*c == '.')
			*c = '/';
		else if (*c == '/')
			*c = '.';
	}
}

static bool sysctl_valid(const char *path)
{
	if (path[strspn(path,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./@:")])
		return false;
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");

		if (len == 0 || at[0] == '.')
			return false;
		at += len + (at[len] == '/');
	}
	return true;
}

static bool sysctl_allowed(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		size_t n = strlen(allowed[i]);

		if (allowed[i][n - 1] == '*' ? !strncmp(path, allowed[i], n - 1)
					     : !strcmp(path, allowed[i]))
			return true;
	}
	return false;
}

int add_sysctls(struct maker *m, struct fail *f)
{
	const struct container_spec *s = m->spec;
	char path[256];

	for (size_t i = 0; i < s->n_sysctls; i++) {
		const char *name = s->sysctls[i].name;

		sysctl_path(name, path, sizeof(path));
		if (strlen(name) >= sizeof(path) || !sysctl_valid(path) || !sysctl_allowed(path))
			return fail_set(
				f, EINVAL,
				"Sysctl=%s belongs to the host: only net.*, kernel.msg*,"
				" kernel.sem, kernel.shm* and fs.mqueue.* are a container's",
				name);
		if (!strncmp(path, "net/", 4) && !strcmp(m->net, "host"))
			return fail_set(f, EINVAL, "Sysctl=%s with Network=host is the host's",
					name);
		if (!strncmp(path, "net/", 4) && !strcmp(m->net, "ns"))
			return fail_set(f, EINVAL, "Sysctl=%s with Network=ns: is the namespace's",
					name);
		ADD2(m, STEP_SYSCTL, path, s->sysctls[i].value);
	}
	return 0;
}
