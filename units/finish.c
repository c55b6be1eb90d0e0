/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* What one unit's keys mean together: defaults, and what does not go together. */
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/finish.h"
#include "units/value.h"

/* The name of a resource: as written, or "systemd-" and what the pattern says. */
static void default_name(struct compile *x, struct text *name, const char *pattern)
{
	if (!name->value)
		*name = expand_text(&compile_conv(x)->ex, pattern, EXPAND_SPECIFIERS, NULL);
}

/* Volumes, networks and pods are named after their file, not after their service. */
static struct text file_name(struct compile *x, struct text written)
{
	const struct unit *u = compile_conv(x)->unit;
	struct arena *arena = compile_conv(x)->arena;
	const char *end = strchr(u->name, '@');
	int len = (int)((end ? end : strrchr(u->name, '.')) - u->name);

	if (written.value)
		return written;
	return (struct text){arena_fmt(arena, "systemd-%.*s%s%s", len, u->name,
				       u->instance ? "-" : "", u->instance ? u->instance : ""),
			     NULL};
}

/* --- containers ------------------------------------------------------------------------------- */

/* Capabilities that act on things no user namespace but the host's owns. */
static const char *const host_caps[] = {
	"CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_BLOCK_SUSPEND", "CAP_MAC_ADMIN",
	"CAP_MAC_OVERRIDE",  "CAP_SYSLOG",     "CAP_SYS_BOOT",      "CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",     "CAP_SYS_TIME",   "CAP_WAKE_ALARM",
};

static bool is_host_cap(const char *cap)
{
	for (size_t i = 0; i < sizeof(host_caps) / sizeof(*host_caps); i++)
		if (strcmp(host_caps[i], cap) == 0)
			return true;
	return false;
}

static void check_user(struct compile *x, struct unit_container *c)
{
	bool host_ids = c->userns.value && strcmp(c->userns.value, "host") == 0;
	bool host_net = in_network(c->networks, c->n_networks, "host");
	bool others_net = host_net || net_path(c->networks, c->n_networks);

	if (c->group.value && !c->user.value)
		ERROR(CONTAINER, "Group", U_CONFLICT, "write User= too", "Group= without User=");
	else if (c->group.value && strchr(c->user.value, ':'))
		ERROR(CONTAINER, "Group", U_CONFLICT, "write the group once",
		      "User=%s names a group already", c->user.value);
	for (size_t i = 0; i < c->group_add.n; i++)
		if (strcmp(c->group_add.items[i].value, "keep-groups") == 0)
			ERROR(CONTAINER, "GroupAdd", U_REFUSED, "name the groups",
			      "keep-groups is for users other than root");
	for (size_t i = 0; i < c->cap_add.n && !host_ids; i++) {
		const char *cap = c->cap_add.items[i].value;
		bool net = strcmp(cap, "CAP_NET_ADMIN") == 0 || strcmp(cap, "CAP_NET_RAW") == 0;

		if (is_host_cap(cap) || (net && others_net))
			ERROR(CONTAINER, "AddCapability", U_CAPABILITY,
			      "write UserNS=host if it must act on the host",
			      "%s%s does nothing in a user namespace of its own", cap,
			      !net       ? ""
			      : host_net ? " with Network=host"
					 : " with Network=ns:");
	}
	if ((c->uid_map.n > 0) != (c->gid_map.n > 0))
		WARNING(CONTAINER, c->uid_map.n ? "UIDMap" : "GIDMap", U_ID_MAP, NULL,
			"%s= alone: the other map is the same", c->uid_map.n ? "UIDMap" : "GIDMap");
	if (c->uid_map.n && c->userns.value)
		ERROR(CONTAINER, "UIDMap", U_CONFLICT, "write one of the two",
		      "both UIDMap= and UserNS=");
}

/* Volume=, Mount= and Tmpfs= come one key after the other: back to the order of writing. */
static void sort_mounts(struct compile *x, struct unit_mount *mounts, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && compile_is_before(x, &mounts[j].at, &mounts[j - 1].at);
		     j--) {
			struct unit_mount later = mounts[j - 1];

			mounts[j - 1] = mounts[j];
			mounts[j] = later;
		}
}

static void check_mounts(struct compile *x, struct unit_mount *mounts, size_t n)
{
	struct conv *c = compile_conv(x);

	sort_mounts(x, mounts, n);
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(mounts[i].target.value, mounts[j].target.value) == 0) {
				diag_add(c->diags, DIAG_ERROR, U_CONFLICT, mounts[i].at, 1, NULL,
					 "two mounts on \"%s\"; the other is on line %u",
					 mounts[i].target.value, mounts[j].at.line);
				break;
			}
}

static void check_health(struct compile *x, struct unit_container *c)
{
	static const char *const needing[] = {"HealthInterval", "HealthTimeout", "HealthRetries",
					      "HealthStartPeriod", "HealthOnFailure"};

	if (!c->health_cmd.n)
		for (size_t i = 0; i < sizeof(needing) / sizeof(*needing); i++)
			if (compile_entry(x, SECTION_CONTAINER, needing[i])) {
				WARNING(CONTAINER, needing[i], U_NO_EFFECT, NULL,
					"%s= has no effect without HealthCmd=", needing[i]);
				break;
			}
	if (c->health_startup_cmd.n && !c->health_cmd.n)
		ERROR(CONTAINER, "HealthStartupCmd", U_CONFLICT, NULL,
		      "HealthStartupCmd= without HealthCmd=");
	if (c->notify.value && strcmp(c->notify.value, "healthy") == 0 && !c->health_cmd.n)
		ERROR(CONTAINER, "Notify", U_CONFLICT,
		      "write HealthCmd=", "Notify=healthy without HealthCmd=");
}

/* One of [Container] Memory=, PidsLimit= and [Service] MemoryMax=, TasksMax=: both mean one file of the
 * cgroup. */
static void merge_limit(struct compile *x, struct number *limit, struct number own, const char *key,
			const char *service_key)
{
	if (!own.set)
		return;
	if (own.value <= 0)
		own.value = -1;
	if (limit->set && limit->value != own.value)
		WARNING(CONTAINER, key, U_CONFLICT, "write one of the two",
			"%s= of [Container] and %s= of [Service] differ: %s= counts", key,
			service_key, key);
	*limit = own;
}

/* A name for /etc/hosts and the kernel: no blanks, no commas, nothing that ends it. */
static bool host_name_valid(const char *s)
{
	return *s && strlen(s) <= 64 &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._-")];
}

static void check_names(struct compile *x, const struct text *host_name,
			const struct text_list *aliases, const struct unit_join *joins, size_t n)
{
	struct conv *c = compile_conv(x);
	enum key_section section = c->unit->pod ? SECTION_POD : SECTION_CONTAINER;
	static const char hint[] = "letters, digits and ._-, at most 64";

	if (c->is_template)
		return; /* its instances are told */
	if (host_name->value && !host_name_valid(host_name->value))
		compile_report(x, DIAG_ERROR, section, "HostName", U_HOST, hint,
			       "\"%s\" is no host name", host_name->value);
	for (size_t i = 0; i < aliases->n; i++)
		if (!host_name_valid(aliases->items[i].value))
			compile_report(x, DIAG_ERROR, section, "NetworkAlias", U_HOST, hint,
				       "\"%s\" is no host name", aliases->items[i].value);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < joins[i].aliases.n; k++)
			if (!host_name_valid(joins[i].aliases.items[k].value))
				diag_add(c->diags, DIAG_ERROR, U_HOST, joins[i].at, 1, hint,
					 "\"%s\" is no host name", joins[i].aliases.items[k].value);
}

/* Of secrets and time zones: below a folder, and not out of it again. */
static bool climbs(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")); s += 2)
		if ((s == path || s[-1] == '/') && (!s[2] || s[2] == '/'))
			return true;
	return false;
}

static void check_paths(struct compile *x, const struct unit_container *c)
{
	if (c->timezone.value && (c->timezone.value[0] == '/' || climbs(c->timezone.value)))
		ERROR(CONTAINER, "Timezone", U_PATH, "write for example Europe/Berlin, or local",
		      "\"%s\" is no time zone", c->timezone.value);
	for (size_t i = 0; i < c->n_secrets; i++)
		if (c->secrets[i].env ? strpbrk(c->secrets[i].target, "= \t") != NULL
				      : climbs(c->secrets[i].target))
			ERROR(CONTAINER, "Secret", U_SECRET, NULL,
			      "\"%s\" is no target for a secret", c->secrets[i].target);
}

static void finish_container(struct compile *x)
{
	struct unit *u = compile_conv(x)->unit;
	struct unit_container *c = u->container;
	const struct ini_entry *rootfs = WRITTEN(CONTAINER, "Rootfs");

	default_name(x, &c->name, u->instance ? "systemd-%p_%i" : "systemd-%N");
	if (c->image.value && rootfs)
		ERROR(CONTAINER, "Image", U_CONFLICT, NULL, "both Image= and Rootfs= (line %u)",
		      rootfs->at.line);
	else if (!c->image.value && !rootfs && !WRITTEN(CONTAINER, "Image") &&
		 !compile_was_meant(x, "Image"))
		ERROR(CONTAINER, "Image", U_REQUIRED, "write Image=REGISTRY/NAME:TAG",
		      "no Image= in [Container]");
	else if (c->image.value && !strchr(c->image.value, '/') &&
		 !strstr(c->image.value, ".image"))
		WARNING(CONTAINER, "Image", U_IMAGE,
			"write REGISTRY/NAME, or localhost/NAME for an image of your own",
			"\"%s\" does not say which registry it comes from", c->image.value);
	if (c->environment_host == TRI_YES)
		ERROR(CONTAINER, "EnvironmentHost", U_REFUSED,
		      "write Environment= for what it needs",
		      "EnvironmentHost=true: PID 1 has no environment worth copying");
	if (c->reload_cmd.n && c->reload_signal.set)
		ERROR(CONTAINER, "ReloadSignal", U_CONFLICT, "write one of the two",
		      "both ReloadCmd= and ReloadSignal=");
	if (c->app_armor.value && strcmp(c->app_armor.value, "unconfined") != 0)
		ERROR(CONTAINER, "AppArmor", U_LATER, "leave it out, or write unconfined",
		      "AppArmor profiles are not supported yet");
	if (c->security_label_type.value || c->security_label_level.value)
		WARNING(CONTAINER,
			c->security_label_type.value ? "SecurityLabelType" : "SecurityLabelLevel",
			U_NO_EFFECT, NULL, "there is no SELinux here");
	if (c->seccomp_profile.value && c->seccomp_profile.value[0] != '/' &&
	    strcmp(c->seccomp_profile.value, "unconfined") != 0)
		ERROR(CONTAINER, "SeccompProfile", U_PATH, NULL,
		      "write an absolute path, or unconfined");
	if (pair_value(&c->log_opt, "path"))
		ERROR(CONTAINER, "LogOpt", U_REFUSED, NULL, "LogOpt=path=: logs are kept by orlop");
	if (WRITTEN(CONTAINER, "Image"))
		c->image_at = ini_at(WRITTEN(CONTAINER, "Image"), 0);
	if (WRITTEN(CONTAINER, "Pod"))
		c->pod_at = ini_at(WRITTEN(CONTAINER, "Pod"), 0);
	check_names(x, &c->host_name, &c->network_alias, c->networks, c->n_networks);
	check_paths(x, c);
	check_user(x, c);
	finish_networks(x, c);
	check_mounts(x, c->mounts, c->n_mounts);
	check_health(x, c);
	merge_limit(x, &u->exec->limits.memory_max, c->memory, "Memory", "MemoryMax");
	merge_limit(x, &u->exec->limits.tasks_max, c->pids_limit, "PidsLimit", "TasksMax");
}

/* --- the other kinds -------------------------------------------------------------------------- */

static void finish_volume(struct compile *x)
{
	struct unit_volume *v = compile_conv(x)->unit->volume;

	v->name = file_name(x, v->volume_name);
	if (v->type.value && !v->device.value)
		ERROR(VOLUME, "Type", U_CONFLICT, "write Device=", "Type= without Device=");
	if (v->options.value && !v->device.value)
		ERROR(VOLUME, "Options", U_CONFLICT, "write Device=", "Options= without Device=");
}

/* Device names have 15 characters: a longer network name is cut and told apart by a hash. */
static const char *bridge_name(struct arena *arena, const char *network)
{
	uint32_t hash = 2166136261u;

	if (strncmp(network, "systemd-", 8) == 0 && network[8])
		network += 8; /* says nothing */
	if (strlen(network) <= 12)
		return arena_fmt(arena, "br-%s", network);
	for (const char *s = network; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 16777619u;
	return arena_fmt(arena, "br-%.5s-%06x", network, hash & 0xffffff);
}

static bool device_name_valid(const char *s)
{
	return *s && strlen(s) <= 15 && !strpbrk(s, "/: \t") && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0;
}

static void check_driver(struct compile *x, const struct unit_network *n)
{
	const char *vlan = pair_value(&n->options, "vlan");
	bool child = n->driver.value && strcmp(n->driver.value, "bridge") != 0;
	int64_t tag;

	if (child && !pair_value(&n->options, "parent"))
		ERROR(NETWORK, "Driver", U_CONFLICT, "write Options=parent=DEVICE",
		      "Driver=%s needs a device of the host", n->driver.value);
	if (vlan && value_int(vlan, 1, 4094, &tag))
		ERROR(NETWORK, "Options", U_NUMBER, "write a number from 1 to 4094",
		      "\"%s\" is no VLAN", vlan);
	else if (vlan && child)
		ERROR(NETWORK, "Options", U_CONFLICT,
		      "write the VLAN's device as parent=", "vlan= is for bridges");
}

static void finish_network(struct compile *x)
{
	struct conv *c = compile_conv(x);
	struct unit_network *n = c->unit->network;

	n->name = file_name(x, n->network_name);
	if (n->gateway.n > n->subnet.n)
		ERROR(NETWORK, "Gateway", U_CONFLICT,
		      "write a Subnet= for each Gateway=", "more Gateway= than Subnet=");
	if (n->ip_range.n > n->subnet.n)
		ERROR(NETWORK, "IPRange", U_CONFLICT,
		      "write a Subnet= for each IPRange=", "more IPRange= than Subnet=");
	check_driver(x, n);
	if (n->interface_name.value && !device_name_valid(n->interface_name.value))
		ERROR(NETWORK, "InterfaceName", U_NAME, NULL,
		      "an interface has at most 15 characters, without / and :");
	if (value_choice(n->name.value, "host none bridge default podman " NETSPEC_DEFAULT_NAME) >=
	    0)
		ERROR(NETWORK, "NetworkName", U_NAME, NULL,
		      "\"%s\" is the name of a network that is built in", n->name.value);
	n->bridge = n->interface_name.value ? n->interface_name.value
					    : bridge_name(c->arena, n->name.value);
}

static void finish_pod(struct compile *x)
{
	struct unit_pod *p = compile_conv(x)->unit->pod;

	p->name = file_name(x, p->pod_name);
	check_names(x, &p->host_name, &p->network_alias, p->networks, p->n_networks);
	finish_joins(x, SECTION_POD, &p->networks, &p->n_networks, p->ports, p->n_ports);
	check_mounts(x, p->mounts, p->n_mounts);
}

static void finish_image(struct compile *x)
{
	struct unit_image *i = compile_conv(x)->unit->image;

	if (!i->image.value && !WRITTEN(IMAGE, "Image") && !compile_was_meant(x, "Image"))
		ERROR(IMAGE, "Image", U_REQUIRED, NULL, "no Image= in [Image]");
	if (i->creds.value)
		WARNING(IMAGE, "Creds", U_SECRET,
			"use AuthFile=", "whoever can read the unit can read the password");
}

static void finish_service(struct compile *x)
{
	struct unit_service *s = compile_conv(x)->unit->exec;
	bool oneshot = s->type.value && strcmp(s->type.value, "oneshot") == 0;

	if (s->exec_start.n == 0 && !WRITTEN(SERVICE, "ExecStart") &&
	    !compile_was_meant(x, "ExecStart"))
		ERROR(SERVICE, "ExecStart", U_REQUIRED, NULL, "no ExecStart= in [Service]");
	if (s->exec_start.n > 1 && !oneshot)
		ERROR(SERVICE, "ExecStart", U_CONFLICT, "write Type=oneshot",
		      "more than one ExecStart=");
	if (s->tty_path.value &&
	    (!s->standard_input.value || strncmp(s->standard_input.value, "tty", 3) != 0))
		WARNING(SERVICE, "TTYPath", U_NO_EFFECT, "write StandardInput=tty",
			"TTYPath= has no effect without it");
}

/* Zero is no limit of a cgroup under which anything could run; left alone it would pass for "not set". */
static void check_limits(struct compile *x, const struct unit_limits *limits)
{
	const struct {
		const char *key;
		struct number n;
	} rows[] = {
		{"MemoryMax", limits->memory_max},
		{"MemoryHigh", limits->memory_high},
		{"TasksMax", limits->tasks_max},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].n.set && rows[i].n.value == 0)
			ERROR(SERVICE, rows[i].key, U_SIZE, "write infinity for no limit",
			      "%s=0: nothing could run", rows[i].key);
}

void finish_unit(struct compile *x)
{
	static void (*const finish[UNIT_KIND__N])(struct compile *) = {
		[UNIT_CONTAINER] = finish_container, [UNIT_VOLUME] = finish_volume,
		[UNIT_NETWORK] = finish_network,     [UNIT_POD] = finish_pod,
		[UNIT_IMAGE] = finish_image,         [UNIT_SERVICE] = finish_service,
	};
	struct unit *u = compile_conv(x)->unit;

	if (u->default_instance.value && !strstr(u->name, "@"))
		WARNING(INSTALL, "DefaultInstance", U_TEMPLATE, NULL,
			"DefaultInstance= has no effect in a unit that is no template");
	check_limits(x, &u->exec->limits);
	if (finish[u->kind])
		finish[u->kind](x);
	finish_policy(x);
}
