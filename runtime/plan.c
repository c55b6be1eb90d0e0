/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/store.h"
#include "runtime/caps.h"

const struct step_info step_infos[STEP__N] = {
	[STEP_LIMIT] = {"limit", {"file", "value", "need"}},
	[STEP_VOLUME_MAKE] = {"volume-make", {"name"}},
	[STEP_SCRATCH] = {"scratch", {"unit"}},
	[STEP_FILTER] = {"filter", {"profile", "caps"}},
	[STEP_NAMESPACES] = {"namespaces", {"user", "net"}},
	[STEP_PORT] = {"port", {"networks", "ports"}},
	[STEP_CLONE] = {"clone", {"namespaces"}},
	[STEP_HAND_OVER] = {"hand-over", {NULL}},
	[STEP_PRIVATE] = {"private", {NULL}},
	[STEP_JOIN_NET] = {"join-net", {NULL}},
	[STEP_NET_SYSCTL] = {"net-sysctl", {"name", "value"}},
	[STEP_LOOPBACK] = {"loopback", {NULL}},
	[STEP_KEYRING] = {"keyring", {NULL}},
	[STEP_RLIMIT] = {"rlimit", {"name", "soft", "hard", "need"}},
	[STEP_OOM_SCORE] = {"oom-score", {"value"}},
	[STEP_STAGE] = {"stage", {"path"}},
	[STEP_LAYER] = {"layer", {"id", "at"}},
	[STEP_UPPER] = {"upper", {"at"}},
	[STEP_OVERLAY] = {"overlay", {"at", "options"}},
	[STEP_MOUNT] = {"mount", {"type", "at", "options", "flags"}},
	[STEP_DEVICE] = {"device", {"path", "number", "mode"}},
	[STEP_LINK] = {"link", {"path", "to"}},
	[STEP_SYSCTL] = {"sysctl", {"name", "value"}},
	[STEP_VOLUME] = {"volume", {"type", "source", "at", "options"}},
	[STEP_TMPFS] = {"tmpfs", {"at", "options", "flags"}},
	[STEP_FILE] = {"file", {"path", "text"}},
	[STEP_BIND_FILE] = {"bind-file", {"source", "path"}},
	[STEP_MASK] = {"mask", {"path"}},
	[STEP_READ_ONLY] = {"read-only", {"path"}},
	[STEP_ROOT_READ_ONLY] = {"root-read-only", {NULL}},
	[STEP_STDIO] = {"stdio", {NULL}},
	[STEP_PIVOT] = {"pivot", {NULL}},
	[STEP_JOIN_USER] = {"join-user", {NULL}},
	[STEP_WAIT] = {"wait", {NULL}},
	[STEP_HOSTNAME] = {"hostname", {"name"}},
	[STEP_USER] = {"user", {"user", "groups"}},
	[STEP_WORKDIR] = {"workdir", {"path"}},
	[STEP_BOUNDING] = {"bounding", {"caps"}},
	[STEP_NO_NEW_PRIVS] = {"no-new-privs", {NULL}},
	[STEP_IDS] = {"ids", {NULL}},
	[STEP_SECCOMP] = {"seccomp", {NULL}},
	[STEP_CAPS] = {"caps", {"caps", "ambient"}},
	[STEP_EXEC] = {"exec", {NULL}},
};

/* Podman's lists, and what was found to leak since: power capping (side channel), interrupt counters and
 * thermal throttling (keystroke and load timing). A path that a kernel does not have is skipped. */
static const char *const masks[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	"/sys/devices/system/cpu/*/thermal_throttle",
	"/sys/fs/selinux",
};

static const char *const read_onlys[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const struct {
	const char *path, *number;
} devices[] = {
	{"/dev/null", "1:3"},   {"/dev/zero", "1:5"},    {"/dev/full", "1:7"},
	{"/dev/random", "1:8"}, {"/dev/urandom", "1:9"}, {"/dev/tty", "5:0"},
};

static const struct {
	const char *path, *to;
} links[] = {
	{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/ptmx", "pts/ptmx"},          {"/dev/core", "/proc/kcore"},
};

#define SHM_DEFAULT    (INT64_C(64) << 20)
#define PIDS_DEFAULT   2048
#define NOFILE_DEFAULT "1048576"

/* What plan_make() carries along. */
struct maker {
	struct plan *plan;
	const struct container_spec *spec;
	const struct image *image;
	bool mapped;        /* a user namespace of its own */
	const char *net;    /* "host", "none", "bridge" */
	char *cap_list;     /* what root is to have */
	char *ambient_list; /* what another user is to have: the capabilities that the unit names */
};

/* Appends a step with copies of the arguments. */
static void add(struct maker *m, enum step_op op, const char *a, const char *b, const char *c,
		const char *d)
{
	const char *const from[STEP_ARGS] = {a, b, c, d};
	struct plan *plan = m->plan;
	struct step *grown;

	grown = reallocarray(plan->steps, plan->n + 1, sizeof(*grown));
	if (!grown) {
		plan->bad = true;
		return;
	}
	plan->steps = grown;
	grown[plan->n] = (struct step){.op = op};
	for (size_t i = 0; i < STEP_ARGS; i++) {
		if (!from[i])
			continue;
		grown[plan->n].arg[i] = strdup(from[i]);
		if (!grown[plan->n].arg[i])
			plan->bad = true;
	}
	plan->n++;
}

#define ADD0(m, op)          add(m, op, NULL, NULL, NULL, NULL)
#define ADD1(m, op, a)       add(m, op, a, NULL, NULL, NULL)
#define ADD2(m, op, a, b)    add(m, op, a, b, NULL, NULL)
#define ADD3(m, op, a, b, c) add(m, op, a, b, c, NULL)

struct text32 {
	char s[32];
};

static struct text32 number(int64_t n)
{
	struct text32 t;

	snprintf(t.s, sizeof(t.s), "%" PRId64, n);
	return t;
}

/* --- in orlop-run -------------------------------------------------------------------------- */

static void add_limits(struct maker *m)
{
	const struct container_spec *s = m->spec;

	if (s->memory_max > 0)
		ADD3(m, STEP_LIMIT, "memory.max", number(s->memory_max).s, "yes");
	/* a container that runs out of memory dies whole: half a service is worse than none */
	ADD3(m, STEP_LIMIT, "memory.oom.group", "1", "no");
	if (s->pids_max > 0)
		ADD3(m, STEP_LIMIT, "pids.max", number(s->pids_max).s, "yes");
	else if (s->pids_max == 0)
		ADD3(m, STEP_LIMIT, "pids.max", number(PIDS_DEFAULT).s, "no");
}

static void add_namespaces(struct maker *m)
{
	char ids[64] = "host";

	if (m->mapped)
		snprintf(ids, sizeof(ids), "0:%" PRId64 ":%" PRId64, m->spec->ids_base,
			 m->spec->ids_count);
	ADD2(m, STEP_NAMESPACES, ids, strcmp(m->net, "host") ? "new" : "host");
}

static void add_port(struct maker *m)
{
	const struct container_spec *s = m->spec;
	_buf_ struct buf networks = {0}, ports = {0};

	if (strcmp(m->net, "bridge"))
		return;
	for (size_t i = 0; i < s->n_networks; i++)
		buf_fmt(&networks, "%s%s", i ? "," : "", s->networks[i].name);
	for (size_t i = 0; i < s->n_ports; i++)
		buf_fmt(&ports, "%s%s:%s:%s/%s", i ? "," : "", s->ports[i].address,
			s->ports[i].host, s->ports[i].container, s->ports[i].protocol);
	m->plan->bad |= networks.bad || ports.bad;
	ADD2(m, STEP_PORT, networks.data, ports.data ? ports.data : "");
}

static void add_helper_steps(struct maker *m)
{
	const struct container_spec *s = m->spec;

	add_limits(m);
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].type, "volume"))
			ADD1(m, STEP_VOLUME_MAKE, s->mounts[i].source);
	ADD1(m, STEP_SCRATCH, s->unit);
	ADD2(m, STEP_FILTER, "default", m->cap_list);
	add_namespaces(m);
	add_port(m);
	ADD1(m, STEP_CLONE, "mnt,pid,ipc,cgroup");
	ADD0(m, STEP_HAND_OVER);
}

/* --- in the container's first process, as the host's root ---------------------------------- */

static void add_net(struct maker *m)
{
	if (!strcmp(m->net, "host"))
		return;
	ADD0(m, STEP_JOIN_NET);
	/* as on the host: low ports and ping need no capability (netns is the container's own) */
	ADD2(m, STEP_NET_SYSCTL, "ipv4/ip_unprivileged_port_start", "0");
	ADD2(m, STEP_NET_SYSCTL, "ipv4/ping_group_range", "0 2147483647");
	if (!strcmp(m->net, "none"))
		ADD0(m, STEP_LOOPBACK);
}

static void add_root(struct maker *m)
{
	const struct image *image = m->image;
	_buf_ struct buf options = {0};

	ADD1(m, STEP_STAGE, PATH_RUNDIR "/root");
	buf_str(&options, "lowerdir=");
	for (size_t i = 0; i < image->layers.n; i++) {
		struct text32 at = number((int64_t)i);

		ADD2(m, STEP_LAYER, image->layers.items[i], at.s);
		/* uppermost first; the option line must fit into a page, hence the short names */
		buf_fmt(&options, "%s%zu", i ? ":" : "", image->layers.n - 1 - i);
	}
	ADD1(m, STEP_UPPER, "up");
	buf_str(&options, ",upperdir=up/upper,workdir=up/work,volatile");
	m->plan->bad |= options.bad;
	ADD2(m, STEP_OVERLAY, "root", options.data);
}

static void add_kernel_mounts(struct maker *m)
{
	char pts[96], shm[64];

	snprintf(pts, sizeof(pts), "newinstance,ptmxmode=0666,mode=0620,gid=%" PRId64,
		 (m->mapped ? m->spec->ids_base : 0) + 5);
	snprintf(shm, sizeof(shm), "mode=1777,size=%" PRId64,
		 m->spec->shm_size > 0 ? m->spec->shm_size : SHM_DEFAULT);
	add(m, STEP_MOUNT, "proc", "/proc", "", "nosuid,nodev,noexec");
	add(m, STEP_MOUNT, "sysfs", "/sys", "", "ro,nosuid,nodev,noexec");
	add(m, STEP_MOUNT, "cgroup2", "/sys/fs/cgroup", "", "ro,nosuid,nodev,noexec");
	add(m, STEP_MOUNT, "tmpfs", "/dev", "mode=0755,size=65536k", "nosuid,noexec");
	add(m, STEP_MOUNT, "devpts", "/dev/pts", pts, "nosuid,noexec");
	add(m, STEP_MOUNT, "tmpfs", "/dev/shm", shm, "nosuid,nodev,noexec");
	add(m, STEP_MOUNT, "mqueue", "/dev/mqueue", "", "nosuid,nodev,noexec");
}

static void add_devices(struct maker *m)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		ADD3(m, STEP_DEVICE, devices[i].path, devices[i].number, "0666");
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		ADD2(m, STEP_LINK, links[i].path, links[i].to);
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Parents before children, whatever the unit's order: a mount made first must not be hidden by one made
 * later above it. Those of one depth stay in the unit's order. */
static void add_volumes(struct maker *m)
{
	const struct container_spec *s = m->spec;
	size_t deepest = 0;

	for (size_t i = 0; i < s->n_mounts; i++)
		if (depth(s->mounts[i].target) > deepest)
			deepest = depth(s->mounts[i].target);
	for (size_t d = 0; d <= deepest; d++) {
		for (size_t i = 0; i < s->n_mounts; i++) {
			const struct spec_mount *mount = &s->mounts[i];

			if (depth(mount->target) != d)
				continue;
			if (!strcmp(mount->type, "tmpfs"))
				ADD2(m, STEP_TMPFS, mount->target, mount->options);
			else
				add(m, STEP_VOLUME, mount->type, mount->source, mount->target,
				    mount->options);
		}
	}
}

static const char *hostname(const struct container_spec *s)
{
	return s->hostname ? s->hostname : s->name;
}

static bool mounts_at(const struct container_spec *s, const char *path)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].target, path))
			return true;
	return false;
}

/* A unit that mounts something of its own there is left alone. */
static void add_etc(struct maker *m)
{
	const struct container_spec *s = m->spec;
	char text[512];

	if (!mounts_at(s, "/etc/hostname")) {
		snprintf(text, sizeof(text), "%s\n", hostname(s));
		ADD2(m, STEP_FILE, "/etc/hostname", text);
	}
	if (!mounts_at(s, "/etc/hosts")) {
		char path[512];

		snprintf(text, sizeof(text), "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n",
			 hostname(s));
		snprintf(path, sizeof(path), PATH_HOSTS "/%s",
			 s->n_networks ? s->networks[0].name : "");
		if (!strcmp(m->net, "bridge"))
			ADD2(m, STEP_BIND_FILE, path, "/etc/hosts");
		else
			ADD2(m, STEP_FILE, "/etc/hosts", text);
	}
	if (!mounts_at(s, "/etc/resolv.conf") && strcmp(m->net, "none"))
		ADD2(m, STEP_BIND_FILE, PATH_RESOLV, "/etc/resolv.conf");
}

static void add_masks(struct maker *m)
{
	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		ADD1(m, STEP_MASK, masks[i]);
	for (size_t i = 0; i < ARRAY_LEN(read_onlys); i++)
		ADD1(m, STEP_READ_ONLY, read_onlys[i]);
}

static void add_child_steps(struct maker *m)
{
	ADD0(m, STEP_PRIVATE);
	add_net(m);
	ADD0(m, STEP_KEYRING);
	add(m, STEP_RLIMIT, "nofile", NOFILE_DEFAULT, NOFILE_DEFAULT, "no");
	add(m, STEP_RLIMIT, "nproc", NOFILE_DEFAULT, NOFILE_DEFAULT, "no");
	add_root(m);
	add_kernel_mounts(m);
	add_devices(m);
	add_etc(m);
	add_volumes(m);
	add_masks(m);
	if (m->spec->read_only)
		ADD0(m, STEP_ROOT_READ_ONLY);
	ADD0(m, STEP_STDIO);
	ADD0(m, STEP_PIVOT);
}

/* --- as the container's root --------------------------------------------------------------- */

static void add_process_steps(struct maker *m)
{
	ADD0(m, STEP_JOIN_USER);
	ADD1(m, STEP_USER, m->plan->process.user);
	ADD1(m, STEP_WORKDIR, m->plan->process.workdir);
	ADD0(m, STEP_WAIT);
	ADD1(m, STEP_HOSTNAME, hostname(m->spec));
	ADD1(m, STEP_BOUNDING, m->cap_list);
	if (m->spec->no_new_privs)
		ADD0(m, STEP_NO_NEW_PRIVS);
	ADD0(m, STEP_IDS);
	ADD0(m, STEP_SECCOMP);
	ADD2(m, STEP_CAPS, m->cap_list, m->ambient_list);
	ADD0(m, STEP_EXEC);
}

/* --- checks -------------------------------------------------------------------------------- */

/* Whether path is absolute, has no "." or ".." or empty component, and is not "/" alone. */
static bool clean_path(const char *path)
{
	if (path[0] != '/' || !path[1])
		return false;
	while (*path) {
		size_t len = strcspn(path + 1, "/");

		if (len == 0 || (len == 1 && path[1] == '.') ||
		    (len == 2 && path[1] == '.' && path[2] == '.'))
			return false;
		path += 1 + len;
	}
	return true;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '\0' || path[n] == '/');
}

static int check_mounts(const struct container_spec *s, struct fail *f)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct spec_mount *mount = &s->mounts[i];

		if (!clean_path(mount->target))
			return fail_set(f, EINVAL, "\"%s\" is no place for a mount", mount->target);
		if (below(mount->target, "/proc") || below(mount->target, "/sys"))
			return fail_set(f, EINVAL,
					"\"%s\": nothing is mounted over the kernel's"
					" own files",
					mount->target);
		if (!strcmp(mount->type, "volume") && !store_name_valid(mount->source))
			return fail_set(f, EINVAL, "\"%s\" is no name of a volume", mount->source);
		if (!strcmp(mount->type, "bind") && mount->source[0] != '/')
			return fail_set(f, EINVAL, "\"%s\" is not absolute", mount->source);
	}
	return 0;
}

static int check_ids(struct maker *m, struct fail *f)
{
	const struct container_spec *s = m->spec;

	m->mapped = !s->userns || strcmp(s->userns, "host");
	if (m->mapped && (s->ids_base <= 0 || s->ids_count <= 0 || s->ids_count > UINT32_MAX ||
			  s->ids_base > UINT32_MAX - s->ids_count))
		return fail_set(f, EINVAL,
				"user namespace: %" PRId64 " ids from %" PRId64 " are no range",
				s->ids_count, s->ids_base);
	return 0;
}

static int check_networks(struct maker *m, struct fail *f)
{
	const struct container_spec *s = m->spec;

	m->net = s->n_networks ? "bridge" : "none";
	for (size_t i = 0; i < s->n_networks; i++) {
		const char *name = s->networks[i].name;

		if (strcmp(name, "host") && strcmp(name, "none")) {
			if (!store_name_valid(name))
				return fail_set(f, EINVAL, "\"%s\" is no name of a network", name);
			continue;
		}
		if (s->n_networks > 1)
			return fail_set(f, EINVAL, "Network=%s goes with no other network", name);
		m->net = name;
	}
	return 0;
}

static int make_caps(struct maker *m, struct fail *f)
{
	const struct container_spec *s = m->spec;
	struct buf list = {0}, ambient = {0};
	uint64_t mask, named = 0;
	int r = caps_make(&s->cap_add, &s->cap_drop, m->mapped, &mask, f);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->cap_add.n; i++) {
		int n = caps_number(s->cap_add.items[i]);

		named |= n >= 0 ? CAPS_BIT(n) : 0;
	}
	caps_print(mask, &list);
	caps_print(named & mask, &ambient);
	m->cap_list = buf_take(&list);
	m->ambient_list = buf_take(&ambient);
	return m->cap_list && m->ambient_list ? 0 : fail_set(f, ENOMEM, "capabilities");
}

static int check_names(const struct container_spec *s, const struct image *image, struct fail *f)
{
	if (!s->unit || !store_name_valid(s->unit) || !s->name)
		return fail_set(f, EINVAL, "the spec has no unit name");
	if (strlen(hostname(s)) > 64)
		return fail_set(f, ENAMETOOLONG, "host name \"%s\": at most 64 characters",
				hostname(s));
	if (image->layers.n == 0)
		return fail_set(f, EINVAL, "image \"%s\" has no layers", s->image ? s->image : "");
	return 0;
}

int plan_make(struct plan *plan, const struct container_spec *spec, const struct image *image,
	      struct fail *f)
{
	struct maker m = {.plan = plan, .spec = spec, .image = image};
	int r = check_names(spec, image, f);

	if (r == 0)
		r = check_mounts(spec, f);
	if (r == 0)
		r = check_ids(&m, f);
	if (r == 0)
		r = check_networks(&m, f);
	if (r == 0)
		r = make_caps(&m, f);
	if (r == 0)
		r = process_merge(&plan->process, spec, image, f);
	if (r == 0) {
		add_helper_steps(&m);
		add_child_steps(&m);
		add_process_steps(&m);
		if (plan->bad)
			r = fail_set(f, ENOMEM, "making the plan");
	}
	free(m.cap_list);
	free(m.ambient_list);
	if (r < 0)
		plan_done(plan);
	return r;
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < STEP_ARGS; k++)
			free(plan->steps[i].arg[k]);
	free(plan->steps);
	process_done(&plan->process);
	*plan = (struct plan){0};
}
