/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit puts into the root: volumes, host directories, devices, tmpfs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "runtime/copyup.h"
#include "runtime/inroot.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

static bool has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	while (*options) {
		size_t len = strcspn(options, ",");

		if (len == n && !memcmp(options, name, n))
			return true;
		options += len + (options[len] == ',');
	}
	return false;
}

/* The number of "name=N" among the options; -1 = there is none. */
static int64_t option_number(const char *options, const char *name)
{
	size_t n = strlen(name);

	for (; *options; options += strspn(options, ",")) {
		if (!strncmp(options, name, n) && options[n] == '=')
			return strtoll(options + n + 1, NULL, 10);
		options += strcspn(options, ",");
	}
	return -1;
}

/* Podman's defaults: nosuid and nodev unless the unit says otherwise. */
static uint64_t volume_attr(const char *options)
{
	uint64_t attr = mnt_attr_parse(options);

	if (!has_option(options, "suid"))
		attr |= MOUNT_ATTR_NOSUID;
	if (!has_option(options, "dev"))
		attr |= MOUNT_ATTR_NODEV;
	return attr;
}

static uint64_t volume_propagation(const char *options)
{
	if (has_option(options, "shared") || has_option(options, "rshared"))
		return MS_SHARED;
	if (has_option(options, "slave") || has_option(options, "rslave"))
		return MS_SLAVE;
	return MS_PRIVATE;
}

static bool is_recursive(const char *type, const char *options)
{
	return !strcmp(type, "bind") && !has_option(options, "bind");
}

/* A detached mount of the source, with ids as the container sees them; still writable. */
static int open_source(struct run *run, const char *type, const char *source, const char *options,
		       struct fail *f)
{
	bool bind = !strcmp(type, "bind");
	bool recursive = is_recursive(type, options);
	char path[512];
	_fd_
	int mount = -1;
	int r;

	if (bind)
		snprintf(path, sizeof(path), "%s", source);
	else
		snprintf(path, sizeof(path), PATH_VOLUMES "/%s/data", source);
	mount = mnt_clone(AT_FDCWD, path, recursive, f);
	if (mount < 0)
		return mount;
	if (run->plan->mapped) {
		r = mnt_attr(mount, 0, 0, run->userns, recursive, f);
		/* a host directory on a file system that cannot: its owners show as nobody */
		if (r < 0 && !(r == -EINVAL && bind && !has_option(options, "idmap")))
			return r;
	}
	return take_fd(&mount);
}

static int set_attr(int mount, const char *type, const char *options, struct fail *f)
{
	int r = mnt_attr(mount, volume_attr(options), 0, -1, is_recursive(type, options), f);

	return r < 0 ? r : mnt_propagation(mount, volume_propagation(options), f);
}

/* By a link in the image, or in a volume mounted before, a target may turn out to be one of the kernel's
 * own file systems: what is written there by the steps to come must not land in a file of the image's. */
static int check_target(int at, const char *path, struct fail *f)
{
	struct statfs fs;

	if (fstatfs(at, &fs) < 0)
		return fail_set(f, errno, "statfs(\"%s\")", path);
	if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC ||
	    fs.f_type == CGROUP2_SUPER_MAGIC)
		return fail_set(f, EINVAL,
				"\"%s\" leads into /proc or /sys: nothing is mounted there", path);
	return 0;
}

static int check_not_root(struct run *run, int at, const char *path, struct fail *f)
{
	struct stat a, b;

	if (fstat(at, &a) < 0 || fstat(run->root, &b) < 0)
		return fail_set(f, errno, "stat(\"%s\")", path);
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return fail_set(f, EINVAL, "\"%s\" leads to the container's root", path);
	return 0;
}

/* Where a source goes: an fd of the place, checked. */
static int open_place(struct run *run, int mount, const char *path, struct fail *f)
{
	_fd_
	int at = -1;
	struct stat st;
	int r;

	if (fstat(mount, &st) < 0)
		return fail_set(f, errno, "stat of the source");
	at = S_ISDIR(st.st_mode) ? inroot_mkdirs(run->root, path, f)
				 : inroot_mkfile(run->root, path, f);
	if (at < 0)
		return at;
	r = check_target(at, path, f);
	if (r == 0)
		r = check_not_root(run, at, path, f);
	return r < 0 ? r : take_fd(&at);
}

/* Copies what the image has at the place into the (detached) mount. */
static int copy_into(int place, int mount, struct fail *f)
{
	_fd_
	int from = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), to = -1;

	if (from < 0)
		return errno == ENOTDIR ? 0 : fail_set(f, errno, "reading the image's folder");
	to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return fail_set(f, errno, "opening the mount");
	return copyup(from, to, f);
}

static int copy_anew(int dir, int place, int mount, struct fail *f)
{
	_fd_
	int data = openat(dir, "data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (data < 0)
		return fail_set(f, errno, "opening the volume");
	r = io_empty_dir(data, f);
	if (r == 0)
		r = copy_into(place, mount, f);
	if (r == 0 && syncfs(data) < 0)
		r = fail_set(f, errno, "syncfs");
	return r;
}

/* A volume's first use: it gets what the image has there, once. The marker `new` (steps_host.c) stays
 * until that is complete and on disk, so that a copy cut short by power is begun again; the lock keeps
 * two containers that start at once from doing it both. */
static int first_use(int place, int mount, const char *name, const char *options, struct fail *f)
{
	char path[512];
	_fd_
	int dir = -1;
	int r;

	snprintf(path, sizeof(path), PATH_VOLUMES "/%s", name);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	if (faccessat(dir, VOLUME_NEW, F_OK, 0) < 0)
		return 0;
	if (flock(dir, LOCK_EX) < 0)
		return fail_set(f, errno, "lock \"%s\"", path);
	if (faccessat(dir, VOLUME_NEW, F_OK, 0) < 0)
		return 0;
	r = has_option(options, "nocopy") ? 0 : copy_anew(dir, place, mount, f);
	/* on disk as containers see them */
	if (r == 0 && fchownat(dir, "data", (uid_t)option_number(options, "uid"),
			       (gid_t)option_number(options, "gid"), 0) < 0)
		r = fail_set(f, errno, "owner of \"%s\"", path);
	if (r == 0 && unlinkat(dir, VOLUME_NEW, 0) < 0)
		r = fail_set(f, errno, "unlink(\"%s/" VOLUME_NEW "\")", path);
	return r;
}

int volume_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = open_source(run, arg[0], arg[1], arg[3], f), place = -1;
	int r = mount;

	if (r >= 0)
		r = place = open_place(run, mount, arg[2], f);
	if (r >= 0 && !strcmp(arg[0], "volume"))
		r = first_use(place, mount, arg[1], arg[3], f);
	if (r >= 0)
		r = set_attr(mount, arg[0], arg[3], f);
	if (r >= 0)
		r = mnt_attach(mount, place, f);
	return r < 0 && f ? fail_wrap(f, "%s \"%s\"", arg[0], arg[1]) : r;
}

/* What is said of the mount, not to the file system: volume_attr() reads it. */
static bool is_of_mount(const char *word)
{
	static const char *const words[] = {"rw",   "suid",   "dev", "exec",  "atime",   "relatime",
					    "copy", "nocopy", "U",   "idmap", "defaults"};

	if (mnt_attr_parse(word))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* "source=..." and the options that are the file system's. */
static void device_options(struct buf *out, const char *device, const char *options)
{
	char word[256];

	buf_fmt(out, "source=%s", device);
	for (; *options; options += strspn(options, ",")) {
		size_t len = strcspn(options, ",");

		snprintf(word, sizeof(word), "%.*s", (int)len, options);
		if (len && !is_of_mount(word))
			buf_fmt(out, ",%.*s", (int)len, options);
		options += len;
	}
}

/* In orlop-run. */
int device_volume_apply(struct run *run, char *const *arg, struct fail *f)
{
	_buf_ struct buf options = {0};
	int mount;

	if (run->n_volumes == DEVICE_VOLUMES_MAX)
		return fail_set(f, E2BIG, "more than %d volumes with devices", DEVICE_VOLUMES_MAX);
	if (arg[0][0] == '/' && access(arg[0], F_OK) < 0)
		return fail_set(f, errno, "the volume's device \"%s\"", arg[0]);
	device_options(&options, arg[0], arg[2]);
	if (options.bad)
		return fail_set(f, ENOMEM, "mount options");
	mount = mnt_new(arg[1], options.data, volume_attr(arg[2]), f);
	if (mount < 0)
		return f ? fail_wrap(f, "\"%s\"", arg[0]) : mount;
	run->volumes[run->n_volumes++] = mount;
	return 0;
}

void device_volume_undo(struct run *run, char *const *arg)
{
	(void)arg;
	close(run->volumes[--run->n_volumes]);
}

int attach_volume_apply(struct run *run, char *const *arg, struct fail *f)
{
	int mount = run->volumes[atoi(arg[0])];
	_fd_
	int place = -1;
	int r = run->plan->mapped ? mnt_attr(mount, 0, 0, run->userns, false, f) : 0;

	if (r == 0)
		r = place = open_place(run, mount, arg[1], f);
	return r < 0 ? r : mnt_attach(mount, place, f);
}

int tmpfs_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = mnt_new("tmpfs", arg[1], 0, f), place = -1;
	int r = mount;

	if (r >= 0)
		r = place = open_place(run, mount, arg[0], f);
	if (r >= 0 && !strcmp(arg[3], "copy"))
		r = copy_into(place, mount, f);
	if (r >= 0)
		r = mnt_attr(mount, mnt_attr_parse(arg[2]), 0, -1, false, f);
	return r < 0 ? r : mnt_attach(mount, place, f);
}
