/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "runtime/caps.h"
#include "runtime/plan_maker.h"

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

static int check_target(const char *path, struct fail *f)
{
	if (!clean_path(path))
		return fail_set(f, EINVAL, "\"%s\" is no place for a mount", path);
	if (below(path, "/proc") || below(path, "/sys"))
		return fail_set(f, EINVAL, "\"%s\": nothing is mounted over the kernel's own files",
				path);
	return 0;
}

bool plan_place_is_good(const char *path)
{
	return check_target(path, NULL) == 0;
}

static int check_mounts(const struct container_spec *s, struct fail *f)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct spec_mount *mount = &s->mounts[i];
		int r = check_target(mount->target, f);

		if (r < 0)
			return r;
		if (!strcmp(mount->type, "volume") && !store_name_valid(mount->source))
			return fail_set(f, EINVAL, "\"%s\" is no name of a volume", mount->source);
		if (!strcmp(mount->type, "bind") && mount->source[0] != '/')
			return fail_set(f, EINVAL, "\"%s\" is not absolute", mount->source);
		if (!strcmp(mount->type, "device") && !strcmp(mount->fs_type, "none") &&
		    mount->source[0] != '/')
			return fail_set(f, EINVAL, "\"%s\" is not absolute", mount->source);
		if (!strcmp(mount->type, "device") && plan_is_union(mount))
			return fail_set(f, EINVAL,
					"\"%s\": O does not go with a volume of a device",
					mount->target);
	}
	return 0;
}

static int check_secrets(const struct container_spec *s, struct fail *f)
{
	for (size_t i = 0; i < s->n_secrets; i++) {
		const struct spec_secret *secret = &s->secrets[i];

		if (!store_name_valid(secret->name))
			return fail_set(f, EINVAL, "\"%s\" is no name of a secret", secret->name);
		if (!strcmp(secret->type, "mount") && *secret->target) {
			int r = check_target(secret->target, f);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int check_devices(const struct container_spec *s, struct fail *f)
{
	for (size_t i = 0; i < s->n_devices; i++)
		/* everything but /dev is mounted without devices */
		if (!clean_path(s->devices[i].host) || !clean_path(s->devices[i].container) ||
		    !below(s->devices[i].container, "/dev"))
			return fail_set(f, EINVAL, "AddDevice=%s:%s: a device is put below /dev",
					s->devices[i].host, s->devices[i].container);
	return 0;
}

/* "container:host:count" */
static bool parse_extent(const char *text, int64_t ret[3])
{
	for (int i = 0; i < 3; i++) {
		char *end;

		if (*text < '0' || *text > '9')
			return false;
		ret[i] = strtoll(text, &end, 10);
		if (*end != (i < 2 ? ':' : '\0') || ret[i] > UINT32_MAX)
			return false;
		text = end + 1;
	}
	return ret[2] > 0 && ret[0] + ret[2] <= UINT32_MAX && ret[1] + ret[2] <= UINT32_MAX;
}

/* The host id of container id 0. */
static int root_of(const struct strlist *map, const char *key, int64_t *ret, struct fail *f)
{
	for (size_t i = 0; i < map->n; i++) {
		int64_t extent[3];

		if (!parse_extent(map->items[i], extent))
			return fail_set(f, EINVAL, "%s=%s is not container:host:count", key,
					map->items[i]);
		if (extent[0] == 0)
			*ret = extent[1];
	}
	if (*ret < 0)
		return fail_set(f, EINVAL, "%s= has no host id for the container's root", key);
	return 0;
}

static int check_ids(struct maker *m, struct fail *f)
{
	const struct container_spec *s = m->spec;
	int r;

	m->mapped = !s->userns || strcmp(s->userns, "host");
	if (!m->mapped)
		return 0;
	m->uid0 = m->gid0 = s->ids_base;
	if (s->uid_map.n || s->gid_map.n) {
		m->uid0 = m->gid0 = -1;
		r = root_of(s->uid_map.n ? &s->uid_map : &s->gid_map, "UIDMap", &m->uid0, f);
		if (r == 0)
			r = root_of(s->gid_map.n ? &s->gid_map : &s->uid_map, "GIDMap", &m->gid0,
				    f);
		return r;
	}
	if (s->ids_base <= 0 || s->ids_count <= 0 || s->ids_count > UINT32_MAX ||
	    s->ids_base > UINT32_MAX - s->ids_count)
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

		const char *path = spec_net_path(name);

		if (path && *path != '/')
			return fail_set(f, EINVAL, "Network=%s is no absolute path", name);
		if (strcmp(name, "host") && strcmp(name, "none") && !path) {
			if (!store_name_valid(name))
				return fail_set(f, EINVAL, "\"%s\" is no name of a network", name);
			continue;
		}
		if (s->n_networks > 1)
			return fail_set(f, EINVAL, "Network=%s goes with no other network", name);
		m->net = path ? "ns" : name;
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
	if (s->joins && !store_name_valid(s->joins))
		return fail_set(f, EINVAL, "\"%s\" is no unit to join", s->joins);
	if (s->seccomp && strcmp(s->seccomp, "unconfined") && s->seccomp[0] != '/')
		return fail_set(f, EINVAL, "SeccompProfile=%s is no absolute path", s->seccomp);
	if (strlen(plan_hostname(s)) > 64)
		return fail_set(f, ENAMETOOLONG, "host name \"%s\": at most 64 characters",
				plan_hostname(s));
	if (image->layers.n == 0)
		return fail_set(f, EINVAL, "image \"%s\" has no layers", s->image ? s->image : "");
	return 0;
}

/* The host is where the container's default route leads to; of what somebody else has made, orlop does not know. */
static int check_hosts(const struct maker *m, struct fail *f)
{
	const struct strlist *hosts = &m->spec->add_hosts;
	bool path = !strcmp(m->net, "ns");

	for (size_t i = 0; i < hosts->n && (path || !strcmp(m->net, "none")); i++)
		if (strstr(hosts->items[i], ":host-gateway"))
			return fail_set(f, EINVAL, "AddHost=%s: %s", hosts->items[i],
					path ? "write the address that the host has in the "
					       "namespace of Network=ns:"
					     : "without a network there is no gateway");
	return 0;
}

int plan_check(struct maker *m, struct fail *f)
{
	int r = check_names(m->spec, m->image, f);

	if (r == 0)
		r = check_mounts(m->spec, f);
	if (r == 0)
		r = check_secrets(m->spec, f);
	if (r == 0)
		r = check_devices(m->spec, f);
	if (r == 0)
		r = check_ids(m, f);
	if (r == 0)
		r = check_networks(m, f);
	if (r == 0)
		r = check_hosts(m, f);
	if (r == 0)
		r = make_caps(m, f);
	return r;
}
