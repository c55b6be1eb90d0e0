/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "runtime/plan_maker.h"
#include "runtime/pod.h"

#define SHM_DEFAULT (INT64_C(64) << 20)

/* --- the kernel's own ---------------------------------------------------------------------- */

struct plan_number plan_shm_options(const struct container_spec *s)
{
	struct plan_number t;

	snprintf(t.s, sizeof(t.s), "mode=1777,size=%" PRId64,
		 s->shm_size > 0 ? s->shm_size : SHM_DEFAULT);
	return t;
}

static void add_shm(struct maker *m)
{
	char path[512];

	if (plan_mounts_at(m->spec, "/dev/shm"))
		return;
	snprintf(path, sizeof(path), PATH_PODS "/%s/shm", m->spec->joins ? m->spec->joins : "");
	if (pod_is(m->spec->joins))
		plan_add(m, STEP_MOUNT, "bind", "/dev/shm", path, "nosuid,nodev,noexec");
	else
		plan_add(m, STEP_MOUNT, "tmpfs", "/dev/shm", plan_shm_options(m->spec).s,
			 "nosuid,nodev,noexec");
}

void add_kernel_mounts(struct maker *m)
{
	char pts[96];

	/* the helper's numbers are the host's: group 5 is the container's tty group */
	snprintf(pts, sizeof(pts), "newinstance,ptmxmode=0666,mode=0620,gid=%" PRId64, m->gid0 + 5);
	plan_add(m, STEP_MOUNT, "proc", "/proc", "", "nosuid,nodev,noexec");
	plan_add(m, STEP_MOUNT, "sysfs", "/sys", "", "ro,nosuid,nodev,noexec");
	plan_add(m, STEP_MOUNT, "cgroup2", "/sys/fs/cgroup", "", "ro,nosuid,nodev,noexec");
	plan_add(m, STEP_MOUNT, "tmpfs", "/dev", "mode=0755,size=65536k", "nosuid,noexec");
	plan_add(m, STEP_MOUNT, "devpts", "/dev/pts", pts, "nosuid,noexec");
	add_shm(m);
	plan_add(m, STEP_MOUNT, "mqueue", "/dev/mqueue", "", "nosuid,nodev,noexec");
}

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

void add_devices(struct maker *m)
{
	const struct container_spec *s = m->spec;

	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		ADD3(m, STEP_DEVICE, devices[i].path, devices[i].number, "0666");
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		ADD2(m, STEP_LINK, links[i].path, links[i].to);
	for (size_t i = 0; i < s->n_devices; i++)
		ADD3(m, STEP_HOST_DEVICE, s->devices[i].host, s->devices[i].container,
		     *s->devices[i].optional ? "no" : "yes");
}

/* --- the unit's ---------------------------------------------------------------------------- */

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static bool word_is(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(s, word, len);
}

bool plan_has_word(const char *list, const char *word)
{
	while (*list) {
		size_t len = strcspn(list, ",");

		if (word_is(list, len, word))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

/* Splits a tmpfs's options into what the file system takes and what the mount takes. Podman's defaults:
 * nosuid, nodev, noexec, and mode 1777. uid and gid are the container's. */
static void add_tmpfs(struct maker *m, const char *target, const char *options, const char *copy)
{
	_buf_ struct buf data = {0}, flags = {0};

	if (!strstr(options, "mode="))
		buf_str(&data, "mode=1777");
	for (const char *at = options; *at;) {
		size_t len = strcspn(at, ",");
		const char *comma = data.len ? "," : "";

		if (!strncmp(at, "uid=", 4))
			buf_fmt(&data, "%suid=%lld", comma, m->uid0 + strtoll(at + 4, NULL, 10));
		else if (!strncmp(at, "gid=", 4))
			buf_fmt(&data, "%sgid=%lld", comma, m->gid0 + strtoll(at + 4, NULL, 10));
		else if (memchr(at, '=', len))
			buf_fmt(&data, "%s%.*s", comma, (int)len, at);
		at += len + (at[len] == ',');
	}
	buf_str(&flags, plan_has_word(options, "ro") ? "ro" : "rw");
	buf_str(&flags, plan_has_word(options, "suid") ? "" : ",nosuid");
	buf_str(&flags, plan_has_word(options, "dev") ? "" : ",nodev");
	buf_str(&flags, plan_has_word(options, "exec") ? "" : ",noexec");
	buf_str(&flags, plan_has_word(options, "U") ? ",U" : "");
	m->plan->bad |= data.bad || flags.bad;
	plan_add(m, STEP_TMPFS, target, data.data, flags.data, copy);
}

/* What the image has at the place is copied, with the place's owner and mode; but what the unit says of those
 * stays. */
static void add_units_tmpfs(struct maker *m, const struct spec_mount *mount)
{
	static const char *const said[] = {"mode=", "uid=", "gid="};
	_buf_ struct buf copy = {0};

	buf_str(&copy, plan_has_word(mount->options, "notmpcopyup") ? "" : "copy");
	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		if (copy.len && strstr(mount->options, said[i]))
			buf_fmt(&copy, ",%.*s", (int)strlen(said[i]) - 1, said[i]);
	m->plan->bad |= copy.bad;
	add_tmpfs(m, mount->target, mount->options, copy.data ? copy.data : "");
}

bool plan_hears_host(const struct spec_mount *mount)
{
	static const char *const words[] = {"slave", "rslave", "shared", "rshared"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(mount->type, "bind") && plan_has_word(mount->options, words[i]))
			return true;
	return false;
}

bool plan_gives_volumes(const struct container_spec *s)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (plan_has_word(s->mounts[i].options, "U"))
			return true;
	return false;
}

/* Device=/dir, Type=none, Options=bind: as mount(8) and Docker have it. */
static bool is_bound(const struct spec_mount *mount)
{
	return !strcmp(mount->type, "device") && !strcmp(mount->fs_type, "none") &&
	       (plan_has_word(mount->fs_data, "bind") || plan_has_word(mount->fs_data, "rbind"));
}

static bool is_device(const struct spec_mount *mount)
{
	return !strcmp(mount->type, "device") && strcmp(mount->fs_type, "tmpfs") != 0 &&
	       !is_bound(mount);
}

/* The volume's options, then what the container says of its mount. */
static void join_options(const struct spec_mount *mount, struct buf *out)
{
	buf_fmt(out, "%s%s%s", mount->fs_data, *mount->fs_data && *mount->options ? "," : "",
		mount->options);
}

/* A file system of the volume's own: mounted by orlop-run, because within its cgroup the container may not open the
 * device, and attached in the container. */
void add_device_volume(struct maker *m, const struct spec_mount *mount)
{
	_buf_ struct buf options = {0};

	if (!is_device(mount))
		return;
	join_options(mount, &options);
	m->plan->bad |= options.bad;
	plan_add(m, STEP_DEVICE_VOLUME, mount->source, mount->fs_type,
		 options.data ? options.data : "",
		 plan_has_word(mount->options, "U") ? mount->target : NULL);
}

static void attach_device_volume(struct maker *m, const struct spec_mount *mount)
{
	const struct container_spec *s = m->spec;
	int64_t number = 0;

	for (const struct spec_mount *other = s->mounts; other != mount; other++)
		number += is_device(other);
	ADD2(m, STEP_ATTACH_VOLUME, plan_number(number).s, mount->target);
}

/* Memory is each container's own, and empty. */
static void add_memory_volume(struct maker *m, const struct spec_mount *mount)
{
	_buf_ struct buf options = {0};

	join_options(mount, &options);
	m->plan->bad |= options.bad;
	add_tmpfs(m, mount->target, options.data ? options.data : "", "");
}

static void add_bound_volume(struct maker *m, const struct spec_mount *mount)
{
	_buf_ struct buf options = {0};

	join_options(mount, &options);
	m->plan->bad |= options.bad;
	plan_add(m, STEP_VOLUME, "bind", mount->source, mount->target,
		 options.data ? options.data : "");
}

/* number: tells it from the unit's other mounts. */
static void add_one_mount(struct maker *m, const struct spec_mount *mount, size_t number)
{
	char name[24];

	snprintf(name, sizeof(name), "v%zu", number);
	if (!strcmp(mount->type, "tmpfs"))
		add_units_tmpfs(m, mount);
	else if (is_device(mount))
		attach_device_volume(m, mount);
	else if (is_bound(mount))
		add_bound_volume(m, mount);
	else if (!strcmp(mount->type, "device"))
		add_memory_volume(m, mount);
	else if (plan_is_union(mount))
		attach_union(m, number);
	else
		plan_add(m, STEP_VOLUME, mount->type,
			 strcmp(mount->type, "anonymous") ? mount->source : name, mount->target,
			 mount->options);
}

/* With a read-only root, programs still want to put their sockets and scratch files somewhere. */
static void add_read_only_tmpfs(struct maker *m)
{
	static const struct {
		const char *path, *options;
	} places[] = {{"/run", "mode=0755,exec"}, {"/tmp", "exec"}, {"/var/tmp", "exec"}};
	const struct container_spec *s = m->spec;

	for (size_t i = 0; s->read_only && s->read_only_tmpfs && i < ARRAY_LEN(places); i++)
		if (!plan_mounts_at(s, places[i].path))
			add_tmpfs(m, places[i].path, places[i].options, "copy");
}

/* The unit's mounts, and behind them what the image calls volumes: where the root is read-only, those are not. NULL:
 * there is none of that number; type NULL: nothing is to be done for it. */
static const struct spec_mount *mount_at(struct maker *m, size_t i, struct spec_mount *image_volume)
{
	const struct container_spec *s = m->spec;
	const struct strlist *more = &m->image->volumes;
	char *path;

	if (i < s->n_mounts)
		return &s->mounts[i];
	if (!s->read_only || i - s->n_mounts >= more->n)
		return NULL;
	path = more->items[i - s->n_mounts];
	*image_volume = (struct spec_mount){NULL, "", path, "", "", ""};
	if (plan_place_is_good(path) && !plan_mounts_at(s, path))
		image_volume->type = "anonymous";
	return image_volume;
}

/* Parents before children, whatever the unit's order: a mount made first must not be hidden by one made
 * later above it. Those of one depth stay in the unit's order. */
void add_volumes(struct maker *m)
{
	const struct spec_mount *mount;
	struct spec_mount own;
	size_t deepest = 0;

	add_read_only_tmpfs(m);
	for (size_t i = 0; (mount = mount_at(m, i, &own)); i++)
		if (depth(mount->target) > deepest)
			deepest = depth(mount->target);
	for (size_t d = 0; d <= deepest; d++)
		for (size_t i = 0; (mount = mount_at(m, i, &own)); i++)
			if (mount->type && depth(mount->target) == d)
				add_one_mount(m, mount, i);
}

/* --- masks --------------------------------------------------------------------------------- */

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
	"/sys/fs/selinux",
	"/sys/devices/virtual/powercap",
	"/sys/devices/system/cpu/cpu*/thermal_throttle",
};

static const char *const read_onlys[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static bool unmasked(const struct container_spec *s, const char *path)
{
	for (size_t i = 0; i < s->unmask.n; i++)
		if (!strcmp(s->unmask.items[i], "ALL") || plan_glob(s->unmask.items[i], path))
			return true;
	return false;
}

void add_masks(struct maker *m)
{
	const struct container_spec *s = m->spec;

	for (size_t i = 0; i < ARRAY_LEN(masks); i++)
		if (!unmasked(s, masks[i]))
			ADD1(m, STEP_MASK, masks[i]);
	for (size_t i = 0; i < s->mask.n; i++)
		ADD1(m, STEP_MASK, s->mask.items[i]);
	for (size_t i = 0; i < ARRAY_LEN(read_onlys); i++)
		if (!unmasked(s, read_onlys[i]))
			ADD1(m, STEP_READ_ONLY, read_onlys[i]);
}
