/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* From a unit to the spec of its container. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "units/spec_out.h"
#include "units/unit.h"
#include "units/value.h"

static void add(struct out *o, struct strlist *list, const char *s)
{
	o->bad |= strlist_add(list, s) < 0;
}

static void add_texts(struct out *o, struct strlist *list, const struct text_list *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		add(o, list, texts->items[i].value);
}

/* --- one container ---------------------------------------------------------------------------- */

/* Options without those that mean nothing here: SELinux labels. */
static char *mount_options(struct out *o, const char *options)
{
	_buf_ struct buf b = {0};

	while (*options) {
		size_t len = strcspn(options, ",");
		bool label = len == 1 && (*options == 'z' || *options == 'Z');

		if (!label && len) {
			if (b.len)
				buf_chr(&b, ',');
			buf_add(&b, options, len);
		}
		options += len + (options[len] == ',');
	}
	return take(o, &b);
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

/* A .volume with Device= is a mount of its own. */
static void set_device(struct out *o, struct spec_mount *slot, const struct unit_volume *v)
{
	const char *type = v->type.value ? v->type.value : "bind";
	bool bind = strcmp(type, "bind") == 0;

	slot->type = copy(o, bind ? "bind" : "device");
	slot->source = copy(o, v->device.value);
	slot->fs_type = copy(o, bind ? "" : type);
	slot->fs_data = copy_or_empty(o, bind ? NULL : v->options.value);
	if (bind && v->options.value) {
		_buf_ struct buf b = {0};
		char *of_mount = slot->options;

		buf_str(&b, v->options.value);
		if (of_mount && *of_mount)
			buf_fmt(&b, ",%s", of_mount);
		free(of_mount);
		slot->options = take(o, &b);
	}
}

/* Options of the mount, and what the .volume says of its first use. */
static char *new_volume_options(struct out *o, const char *options, const struct unit_volume *v)
{
	_buf_ struct buf b = {0};
	char *of_mount = mount_options(o, options);

	if (of_mount && *of_mount)
		buf_fmt(&b, ",%s", of_mount);
	free(of_mount);
	if (v->copy == TRI_NO)
		buf_str(&b, ",nocopy");
	if (v->uid.set)
		buf_fmt(&b, ",uid=%lld", (long long)v->uid.value);
	if (v->gid.set)
		buf_fmt(&b, ",gid=%lld", (long long)v->gid.value);
	o->bad |= b.bad;
	return copy(o, b.len ? b.data + 1 : "");
}

static void add_mount(struct out *o, struct container_spec *spec, const struct unit_mount *m)
{
	struct spec_mount *slot = APPEND(o, spec->mounts, spec->n_mounts);
	const struct unit_volume *v = m->unit ? m->unit->volume : NULL;

	if (!slot)
		return;
	slot->target = copy(o, m->target.value);
	slot->options = mount_options(o, m->options);
	if (v && v->device.value) {
		set_device(o, slot, v);
		return;
	}
	if (v) {
		free(slot->options);
		slot->options = new_volume_options(o, m->options, v);
	}
	slot->type = copy(o, m->type);
	slot->source = copy_or_empty(o, m->source.value);
	slot->fs_type = copy(o, "");
	slot->fs_data = copy(o, "");
}

/* A mount below another's place comes after it, whatever the order of writing. */
static void add_mounts(struct out *o, struct container_spec *spec, const struct unit_mount *mounts,
		       size_t n)
{
	size_t deepest = 0;

	for (size_t i = 0; i < n; i++)
		if (depth(mounts[i].target.value) > deepest)
			deepest = depth(mounts[i].target.value);
	for (size_t d = 0; d <= deepest; d++)
		for (size_t i = 0; i < n; i++)
			if (depth(mounts[i].target.value) == d)
				add_mount(o, spec, &mounts[i]);
}

static char *port_number(struct out *o, unsigned port)
{
	char text[12] = "";

	if (port)
		snprintf(text, sizeof(text), "%u", port);
	return copy(o, text);
}

static char *decimal(struct out *o, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return copy(o, text);
}

static char *octal(struct out *o, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%04o", (unsigned)value);
	return copy(o, text);
}

static char *limit_number(struct out *o, const char *s, size_t len)
{
	_buf_ struct buf b = {0};

	if (*s < '0' || *s > '9') /* unlimited, infinity, -1 */
		return copy(o, "-1");
	buf_add(&b, s, len);
	return take(o, &b);
}

static void add_ports(struct out *o, struct container_spec *spec, const struct unit_port *ports,
		      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct spec_port *slot = APPEND(o, spec->ports, spec->n_ports);

		if (slot)
			*slot = (struct spec_port){
				copy(o, ports[i].protocol), copy(o, ports[i].ip ? ports[i].ip : ""),
				port_number(o, ports[i].host), port_number(o, ports[i].container)};
	}
}

static const char *bridge_of(const struct unit_join *j)
{
	if (!join_is_bridge(j))
		return "";
	return j->unit && j->unit->network ? j->unit->network->bridge : NETSPEC_DEFAULT_BRIDGE;
}

static char *aliases_of(struct out *o, const struct unit_join *j, const struct text_list *more)
{
	_buf_ struct buf b = {0};

	for (size_t i = 0; i < j->aliases.n; i++)
		add_comma(&b, j->aliases.items[i].value);
	for (size_t i = 0; i < more->n; i++)
		add_comma(&b, more->items[i].value);
	return take(o, &b);
}

static void add_networks(struct out *o, struct container_spec *spec, const struct unit_join *joins,
			 size_t n, const struct text_list *aliases)
{
	for (size_t i = 0; i < n; i++) {
		const struct unit_join *j = &joins[i];
		struct spec_network *slot = APPEND(o, spec->networks, spec->n_networks);

		if (!slot)
			return;
		*slot = (struct spec_network){
			copy(o, j->name.value), copy(o, bridge_of(j)), copy(o, j->ip ? j->ip : ""),
			copy(o, j->mac ? j->mac : ""), aliases_of(o, j, aliases)};
	}
}

/* Whose UserNS= holds: that of the owner of the namespaces. */
static const char *userns_of(const struct unit *owner)
{
	const struct text *t = owner->pod ? &owner->pod->userns : &owner->container->userns;

	return t->value ? t->value : "auto";
}

/* auto:size=N */
static int64_t ids_of(const struct unit *owner)
{
	const char *size = strstr(userns_of(owner), "size=");

	return size ? strtoll(size + 5, NULL, 10) : 65536;
}

static void set_user(struct out *o, struct container_spec *spec, const struct unit_container *c,
		     const struct unit *owner)
{
	const char *userns = userns_of(owner), *uid, *gid;
	_buf_ struct buf b = {0};

	spec->userns = copy(o, strcmp(userns, "host") == 0 ? "host" : "auto");
	if (c->user.value) {
		buf_str(&b, c->user.value);
		if (c->group.value)
			buf_fmt(&b, ":%s", c->group.value);
		spec->user = take(o, &b);
		return;
	}
	if (strncmp(userns, "keep-id:", 8) != 0)
		return;
	uid = strstr(userns, "uid=");
	gid = strstr(userns, "gid=");
	if (uid)
		buf_add(&b, uid + 4, strcspn(uid + 4, ","));
	if (uid && gid) {
		buf_chr(&b, ':');
		buf_add(&b, gid + 4, strcspn(gid + 4, ","));
	}
	if (uid)
		spec->user = take(o, &b);
}

static void set_env(struct out *o, struct container_spec *spec, const struct unit_container *c)
{
	_buf_ struct buf b = {0};

	add_texts(o, &spec->env_files, &c->env_files);
	for (size_t i = 0; i < c->env.n; i++) {
		buf_reset(&b);
		buf_fmt(&b, "%s=%s", c->env.items[i].name, c->env.items[i].value);
		if (b.bad)
			o->bad = true;
		else
			add(o, &spec->env, b.data);
	}
}

static void add_pairs(struct out *o, struct container_spec *spec, const struct unit_container *c)
{
	for (size_t i = 0; i < c->sysctl.n; i++) {
		struct spec_pair *slot = APPEND(o, spec->sysctls, spec->n_sysctls);

		if (slot)
			*slot = (struct spec_pair){copy(o, c->sysctl.items[i].name),
						   copy(o, c->sysctl.items[i].value)};
	}
	for (size_t i = 0; i < c->ulimits.n; i++) {
		const char *value = c->ulimits.items[i].value, *colon = strchr(value, ':');
		struct spec_ulimit *slot;

		if (strcmp(c->ulimits.items[i].name, "host") == 0)
			continue; /* the host's are what there is without a limit */
		slot = APPEND(o, spec->ulimits, spec->n_ulimits);
		if (slot)
			*slot = (struct spec_ulimit){
				copy(o, c->ulimits.items[i].name),
				limit_number(o, value,
					     colon ? (size_t)(colon - value) : strlen(value)),
				limit_number(o, colon ? colon + 1 : value,
					     strlen(colon ? colon + 1 : value))};
	}
}

static void add_devices(struct out *o, struct container_spec *spec, const struct unit_container *c)
{
	for (size_t i = 0; i < c->n_devices; i++) {
		const struct unit_device *d = &c->devices[i];
		struct spec_device *slot = APPEND(o, spec->devices, spec->n_devices);

		if (slot)
			*slot = (struct spec_device){copy(o, d->host), copy(o, d->container),
						     copy(o, d->access),
						     copy(o, d->optional ? "yes" : "")};
	}
	for (size_t i = 0; i < c->n_secrets; i++) {
		const struct unit_secret *s = &c->secrets[i];
		struct spec_secret *slot = APPEND(o, spec->secrets, spec->n_secrets);

		if (slot)
			*slot = (struct spec_secret){
				copy(o, s->name),   copy(o, s->env ? "env" : "mount"),
				copy(o, s->target), decimal(o, s->uid),
				decimal(o, s->gid), octal(o, s->mode)};
	}
}

/* A limit as the spec has it: 0 = not set, -1 = "max". */
static int64_t limit(struct number n)
{
	return n.set ? n.value : 0;
}

static void add_io_max(struct out *o, struct container_spec *spec, enum io_max which,
		       const struct pair_list *disks)
{
	const struct io_max_name *name = &io_max_names[which];

	for (size_t i = 0; i < disks->n; i++) {
		struct spec_io_max *slot = APPEND(o, spec->io_max, spec->n_io_max);
		_buf_ struct buf b = {0};

		buf_fmt(&b, "%s=%s", name->name, disks->items[i].value);
		if (slot)
			*slot = (struct spec_io_max){copy(o, name->key),
						     copy(o, disks->items[i].name), take(o, &b)};
	}
}

static void set_limits(struct out *o, struct container_spec *spec, const struct unit *u)
{
	const struct unit_limits *l = &u->exec->limits;

	spec->pids_max = limit(l->tasks_max);
	spec->memory_max = l->memory_max.value > 0 ? l->memory_max.value : 0;
	spec->memory_high = limit(l->memory_high);
	spec->memory_low = limit(l->memory_low);
	spec->memory_min = limit(l->memory_min);
	spec->memory_swap_set = l->memory_swap_max.set;
	spec->memory_swap_max = limit(l->memory_swap_max);
	spec->cpu_weight = limit(l->cpu_weight);
	spec->cpu_quota_percent = limit(l->cpu_quota_percent);
	spec->io_weight = limit(l->io_weight);
	for (int i = 0; i < IO_MAX__N; i++)
		add_io_max(o, spec, (enum io_max)i, &l->io_max[i]);
	spec->cpus = copy(o, l->cpus.value);
	spec->oom_score_set = l->oom_score_adjust.set;
	spec->oom_score_adjust = l->oom_score_adjust.value;
}

static void set_confinement(struct out *o, struct container_spec *spec,
			    const struct unit_container *c)
{
	add_texts(o, &spec->cap_add, &c->cap_add);
	add_texts(o, &spec->cap_drop, &c->cap_drop);
	spec->no_new_privs = tri_or(c->no_new_privileges, false);
	spec->read_only = tri_or(c->read_only, false);
	spec->read_only_tmpfs = spec->read_only && tri_or(c->read_only_tmpfs, true);
	spec->seccomp = copy(o, c->seccomp_profile.value);
	add_texts(o, &spec->mask, &c->mask);
	add_texts(o, &spec->unmask, &c->unmask);
	add_pairs(o, spec, c);
	add_devices(o, spec, c);
}

/* What belongs to whoever owns the namespaces: the unit itself, its pod, or the container it joins. */
static void set_network(struct out *o, struct container_spec *spec, const struct unit *u,
			const struct unit *owner)
{
	const struct unit_container *c = owner->container;
	const struct unit_pod *p = owner->pod;

	if (owner != u)
		spec->joins = copy(o, owner->name);
	if (p) {
		spec->hostname = copy(o, p->host_name.value ? p->host_name.value : p->name.value);
		add_texts(o, &spec->add_hosts, &p->add_host);
		add_texts(o, &spec->dns, &p->dns);
		add_networks(o, spec, p->networks, p->n_networks, &p->network_alias);
		add_ports(o, spec, p->ports, p->n_ports);
		spec->shm_size = p->shm_size.value;
		return;
	}
	spec->hostname = copy(o, u->container->host_name.value);
	spec->shm_size = u->container->shm_size.value;
	/* One map alone stands for both. */
	add_texts(o, &spec->uid_map, c->uid_map.n ? &c->uid_map : &c->gid_map);
	add_texts(o, &spec->gid_map, c->gid_map.n ? &c->gid_map : &c->uid_map);
	add_networks(o, spec, c->networks, c->n_networks, &c->network_alias);
	if (owner == u)
		add_ports(o, spec, c->ports, c->n_ports);
}

const struct unit *unit_owner(const struct unit *u)
{
	/* a chain of containers that join one another ends; a circle was refused by its dependencies */
	for (int i = 0; i < 8 && u->container; i++) {
		const struct unit_container *c = u->container;
		bool joins = c->n_networks == 1 && c->networks[0].container;

		if (c->pod_unit && c->pod_unit->pod)
			return c->pod_unit;
		if (!joins || !c->networks[0].unit || !c->networks[0].unit->container)
			return u;
		u = c->networks[0].unit;
	}
	return u;
}

static void set_names(struct out *o, struct container_spec *spec, const struct unit *u)
{
	const struct unit_container *c = u->container;

	spec->unit = copy(o, u->name);
	spec->service = copy(o, u->service);
	spec->name = copy(o, c->name.value);
	spec->image = copy(o, c->image.value);
	spec->timezone = copy(o, c->timezone.value);
	add_texts(o, &spec->add_hosts, &c->add_host);
	add_texts(o, &spec->dns, &c->dns);
	add_texts(o, &spec->dns_option, &c->dns_option);
	add_texts(o, &spec->dns_search, &c->dns_search);
}

static void set_process(struct out *o, struct container_spec *spec, const struct unit_container *c,
			const struct unit *owner)
{
	spec->workdir = copy(o, c->working_dir.value);
	spec->entrypoint_set = c->entrypoint_set;
	add_texts(o, &spec->entrypoint, &c->entrypoint);
	add_texts(o, &spec->exec, &c->exec);
	set_env(o, spec, c);
	set_user(o, spec, c, owner);
	add_texts(o, &spec->group_add, &c->group_add);
	spec->run_init = tri_or(c->run_init, false);
	spec->stop_signal = c->stop_signal.value;
}

int spec_from_unit(const struct unit_set *set, const struct unit *u, int64_t ids_base,
		   struct container_spec *ret, struct fail *f)
{
	const struct unit_container *c = u->container;
	const struct unit *owner;
	struct container_spec spec = {.ids_base = ids_base};
	struct out o = {0};

	(void)set;
	if (u->kind != UNIT_CONTAINER || u->state != UNIT_OK || !c)
		return fail_set(f, EINVAL, "%s is not a container that may be started", u->name);
	owner = unit_owner(u);
	spec.ids_count = ids_of(owner);
	set_names(&o, &spec, u);
	set_network(&o, &spec, u, owner);
	set_process(&o, &spec, c, owner);
	if (c->pod_unit && c->pod_unit->pod)
		add_mounts(&o, &spec, c->pod_unit->pod->mounts, c->pod_unit->pod->n_mounts);
	add_mounts(&o, &spec, c->mounts, c->n_mounts);
	set_confinement(&o, &spec, c);
	set_limits(&o, &spec, u);
	if (o.bad) {
		spec_done(&spec);
		return fail_set(f, ENOMEM, "spec of %s", u->name);
	}
	*ret = spec;
	return 0;
}
