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
#include "runtime/plan_maker.h"
#include "runtime/pod.h"

const struct step_info step_infos[STEP__N] = {
	[STEP_LIMIT] = {"limit", {"file", "value", "need"}},
	[STEP_IO_MAX] = {"io-max", {"key", "path", "limit"}},
	[STEP_DEVICE_FILTER] = {"device-filter", {NULL}},
	[STEP_VOLUME_MAKE] = {"volume-make", {"name"}},
	[STEP_DEVICE_VOLUME] = {"device-volume", {"device", "type", "options", "own-at"}},
	[STEP_SPREAD] = {"spread", {"source"}},
	[STEP_RECORD] = {"record", {"unit"}},
	[STEP_SCRATCH] = {"scratch", {"unit"}},
	[STEP_FILTER] = {"filter", {"profile", "caps"}},
	[STEP_INIT] = {"init", {NULL}},
	[STEP_POD] = {"pod", {"unit"}},
	[STEP_NET_PATH] = {"net-path", {"path"}},
	[STEP_JOINED] = {"joined", {"unit"}},
	[STEP_NAMESPACES] = {"namespaces", {"uids", "gids", "net"}},
	[STEP_PORT] = {"port", {"networks", "ports", "unit"}},
	[STEP_POD_KEEP] = {"pod-keep", {"unit", "shm"}},
	[STEP_CLONE] = {"clone", {"namespaces"}},
	[STEP_HAND_OVER] = {"hand-over", {NULL}},
	[STEP_PRIVATE] = {"private", {"hear"}},
	[STEP_JOIN_NET] = {"join-net", {NULL}},
	[STEP_NET_SYSCTL] = {"net-sysctl", {"name", "value"}},
	[STEP_LOOPBACK] = {"loopback", {NULL}},
	[STEP_KEYRING] = {"keyring", {NULL}},
	[STEP_RLIMIT] = {"rlimit", {"name", "soft", "hard", "need"}},
	[STEP_OOM_SCORE] = {"oom-score", {"value"}},
	[STEP_STAGE] = {"stage", {"path"}},
	[STEP_LAYER] = {"layer", {"id", "at"}},
	[STEP_LOWER] = {"lower", {"type", "source", "at"}},
	[STEP_UPPER] = {"upper", {"at"}},
	[STEP_UNION] = {"union", {"at", "lower", "upper"}},
	[STEP_OVERLAY] = {"overlay", {"at", "options"}},
	[STEP_MOUNT] = {"mount", {"type", "at", "options", "flags"}},
	[STEP_DEVICE] = {"device", {"path", "number", "mode"}},
	[STEP_HOST_DEVICE] = {"host-device", {"host", "path", "need"}},
	[STEP_LINK] = {"link", {"path", "to"}},
	[STEP_SYSCTL] = {"sysctl", {"name", "value"}},
	[STEP_VOLUME] = {"volume", {"type", "source", "at", "options"}},
	[STEP_ATTACH_VOLUME] = {"attach-volume", {"number", "at"}},
	[STEP_ATTACH_UNION] = {"attach-union", {"from", "at", "options"}},
	[STEP_TMPFS] = {"tmpfs", {"at", "options", "flags", "copy"}},
	[STEP_FILE] = {"file", {"path", "text", "after", "or-after"}},
	[STEP_HOST_GATEWAY] = {"host-gateway", {"path", "names"}},
	[STEP_BIND_FILE] = {"bind-file", {"source", "path", "or-source"}},
	[STEP_TIMEZONE] = {"timezone", {"zone"}},
	[STEP_SECRET] = {"secret", {"name", "path", "owner", "mode"}},
	[STEP_MASK] = {"mask", {"path"}},
	[STEP_READ_ONLY] = {"read-only", {"path"}},
	[STEP_OWN] = {"own", {"user", "uids", "gids"}},
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

/* Appends a step with copies of the arguments. */
void plan_add(struct maker *m, enum step_op op, const char *a, const char *b, const char *c,
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

struct plan_number plan_number(int64_t n)
{
	struct plan_number t;

	snprintf(t.s, sizeof(t.s), "%" PRId64, n);
	return t;
}

const char *plan_hostname(const struct container_spec *s)
{
	return s->hostname ? s->hostname : s->name;
}

bool plan_mounts_at(const struct container_spec *s, const char *path)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].target, path))
			return true;
	return false;
}

bool plan_glob(const char *pattern, const char *text)
{
	for (; *pattern && *pattern != '*'; pattern++, text++)
		if (*pattern != *text)
			return false;
	if (!*pattern)
		return !*text;
	for (;; text++) {
		if (plan_glob(pattern + 1, text))
			return true;
		if (!*text || *text == '/')
			return false;
	}
}

/* --- in orlop-run -------------------------------------------------------------------------- */

static void add_map(struct buf *text, const struct strlist *map)
{
	for (size_t i = 0; i < map->n; i++)
		buf_fmt(text, "%s%s", i ? "," : "", map->items[i]);
}

static void make_maps(struct maker *m, struct buf *uids, struct buf *gids)
{
	const struct container_spec *s = m->spec;

	if (!m->mapped) {
		buf_str(uids, "host");
	} else if (s->uid_map.n || s->gid_map.n) {
		add_map(uids, s->uid_map.n ? &s->uid_map : &s->gid_map);
		add_map(gids, s->gid_map.n ? &s->gid_map : &s->uid_map);
	} else {
		buf_fmt(uids, "0:%" PRId64 ":%" PRId64, s->ids_base, s->ids_count);
		buf_str(gids, uids->data ? uids->data : "");
	}
	m->plan->bad |= uids->bad || gids->bad;
}

static void add_namespaces(struct maker *m)
{
	bool given = !strcmp(m->net, "host") || !strcmp(m->net, "ns");
	_buf_ struct buf uids = {0}, gids = {0};

	make_maps(m, &uids, &gids);
	ADD3(m, STEP_NAMESPACES, uids.data, gids.data, given ? m->net : "new");
}

static void add_port(struct maker *m)
{
	const struct container_spec *s = m->spec;
	_buf_ struct buf networks = {0}, ports = {0};

	if (strcmp(m->net, "bridge") || (s->joins && !pod_is(s->joins)))
		return;
	for (size_t i = 0; i < s->n_networks; i++)
		buf_fmt(&networks, "%s%s", i ? "," : "", s->networks[i].name);
	for (size_t i = 0; i < s->n_ports; i++)
		buf_fmt(&ports, "%s%s:%s:%s/%s", i ? "," : "", s->ports[i].address,
			s->ports[i].host, s->ports[i].container, s->ports[i].protocol);
	m->plan->bad |= networks.bad || ports.bad;
	ADD3(m, STEP_PORT, networks.data, ports.data ? ports.data : "", s->joins);
}

/* What must be there or be locked before namespaces of somebody else's are used. */
static void add_shared(struct maker *m)
{
	const struct container_spec *s = m->spec;

	if (pod_is(s->joins))
		ADD1(m, STEP_POD, s->joins);
	if (!strcmp(m->net, "ns"))
		ADD1(m, STEP_NET_PATH, spec_net_path(s->networks[0].name));
	if (s->joins && !pod_is(s->joins) && strcmp(m->net, "host"))
		ADD1(m, STEP_JOINED, s->joins);
}

static void add_helper_steps(struct maker *m)
{
	const struct container_spec *s = m->spec;

	add_cgroup_limits(m);
	ADD0(m, STEP_DEVICE_FILTER);
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].type, "volume"))
			ADD1(m, STEP_VOLUME_MAKE, s->mounts[i].source);
		else
			add_device_volume(m, &s->mounts[i]);
	for (size_t i = 0; i < s->n_mounts; i++)
		if (plan_hears_host(&s->mounts[i]))
			ADD1(m, STEP_SPREAD, s->mounts[i].source);
	ADD1(m, STEP_RECORD, s->unit);
	ADD1(m, STEP_SCRATCH, s->unit);
	if (!s->seccomp || strcmp(s->seccomp, "unconfined"))
		ADD2(m, STEP_FILTER, s->seccomp ? s->seccomp : "default", m->cap_list);
	if (s->run_init)
		ADD0(m, STEP_INIT);
	add_shared(m);
	add_namespaces(m);
	add_port(m);
	if (pod_is(s->joins))
		ADD2(m, STEP_POD_KEEP, s->joins, plan_shm_options(s).s);
	ADD1(m, STEP_CLONE, pod_is(s->joins) ? "mnt,pid,cgroup" : "mnt,pid,ipc,cgroup");
	ADD0(m, STEP_HAND_OVER);
}

/* --- in the container's first process, as the host's root ---------------------------------- */

static void add_net(struct maker *m)
{
	if (!strcmp(m->net, "host"))
		return;
	ADD0(m, STEP_JOIN_NET);
	if (!strcmp(m->net, "ns"))
		return; /* what is set in it is for whoever has made it */
	/* as on the host: low ports and ping need no capability (netns is the container's own) */
	ADD2(m, STEP_NET_SYSCTL, "ipv4/ip_unprivileged_port_start", "0");
	ADD2(m, STEP_NET_SYSCTL, "ipv4/ping_group_range", "0 2147483647");
	if (!strcmp(m->net, "none"))
		ADD0(m, STEP_LOOPBACK);
}

static void add_owners(struct maker *m)
{
	_buf_ struct buf uids = {0}, gids = {0};

	if (!plan_gives_volumes(m->spec))
		return;
	make_maps(m, &uids, &gids);
	ADD3(m, STEP_OWN, m->plan->process.user, uids.data, gids.data ? gids.data : uids.data);
}

static int add_child_steps(struct maker *m, struct fail *f)
{
	int r;

	bool hears = false;

	for (size_t i = 0; i < m->spec->n_mounts; i++)
		hears = hears || plan_hears_host(&m->spec->mounts[i]);
	ADD1(m, STEP_PRIVATE, hears ? "yes" : NULL);
	add_net(m);
	ADD0(m, STEP_KEYRING);
	add_rlimits(m);
	add_root(m);
	add_kernel_mounts(m);
	add_devices(m);
	r = add_sysctls(m, f);
	if (r < 0)
		return r;
	add_etc(m);
	add_volumes(m);
	add_secrets(m);
	add_masks(m);
	add_owners(m);
	if (m->spec->read_only)
		ADD0(m, STEP_ROOT_READ_ONLY);
	ADD0(m, STEP_STDIO);
	ADD0(m, STEP_PIVOT);
	return 0;
}

/* --- as the container's root --------------------------------------------------------------- */

static void add_user(struct maker *m)
{
	const struct strlist *list = &m->spec->group_add;
	_buf_ struct buf groups = {0};

	for (size_t i = 0; i < list->n; i++)
		buf_fmt(&groups, "%s%s", i ? "," : "", list->items[i]);
	m->plan->bad |= groups.bad;
	ADD2(m, STEP_USER, m->plan->process.user, groups.data ? groups.data : "");
}

static void add_process_steps(struct maker *m)
{
	ADD0(m, STEP_JOIN_USER);
	add_user(m);
	ADD1(m, STEP_WORKDIR, m->plan->process.workdir);
	ADD0(m, STEP_WAIT);
	ADD1(m, STEP_HOSTNAME, plan_hostname(m->spec));
	ADD1(m, STEP_BOUNDING, m->cap_list);
	if (m->spec->no_new_privs)
		ADD0(m, STEP_NO_NEW_PRIVS);
	ADD0(m, STEP_IDS);
	ADD0(m, STEP_SECCOMP);
	ADD2(m, STEP_CAPS, m->cap_list, m->ambient_list);
	ADD0(m, STEP_EXEC);
}

int plan_make(struct plan *plan, const struct container_spec *spec, const struct image *image,
	      const struct image *mounted, struct fail *f)
{
	struct maker m = {.plan = plan, .spec = spec, .image = image, .mounted = mounted};
	int r = plan_check(&m, f);

	if (r == 0)
		r = process_merge(&plan->process, spec, image, f);
	if (r == 0) {
		add_helper_steps(&m);
		r = add_child_steps(&m, f);
		add_process_steps(&m);
		plan->uid0 = (uint32_t)m.uid0;
		plan->gid0 = (uint32_t)m.gid0;
		plan->mapped = m.mapped;
	}
	if (r == 0 && plan->bad)
		r = fail_set(f, ENOMEM, "making the plan");
	free(m.cap_list);
	free(m.ambient_list);
	strlist_done(&m.layers);
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
