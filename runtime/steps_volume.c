/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit puts into the root: volumes, host directories, tmpfs, and the files of /etc. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
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

/* A detached mount of the source with the attributes that the unit wants. */
static int open_source(struct run *run, const char *type, const char *source, const char *options,
		       struct fail *f)
{
	bool bind = !strcmp(type, "bind");
	bool recursive = bind && !has_option(options, "bind");
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
	if (run->mapped) {
		r = mnt_attr(mount, 0, 0, run->userns, recursive, f);
		/* a host directory on a file system that cannot: its owners show as nobody */
		if (r < 0 && !(r == -EINVAL && bind && !has_option(options, "idmap")))
			return r;
	}
	r = mnt_attr(mount, volume_attr(options), 0, -1, recursive, f);
	if (r == 0)
		r = mnt_propagation(mount, volume_propagation(options), f);
	return r < 0 ? r : take_fd(&mount);
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

static int attach_at(struct run *run, int mount, const char *path, struct fail *f)
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
	return r < 0 ? r : mnt_attach(mount, at, f);
}

int volume_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = open_source(run, arg[0], arg[1], arg[3], f);
	int r;

	r = mount < 0 ? mount : attach_at(run, mount, arg[2], f);
	return r < 0 && f ? fail_wrap(f, "%s \"%s\"", arg[0], arg[1]) : r;
}

int tmpfs_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = mnt_new("tmpfs", arg[1], mnt_attr_parse(arg[2]), f);

	return mount < 0 ? mount : attach_at(run, mount, arg[0], f);
}

/* --- files --------------------------------------------------------------------------------- */

/* Makes name in parent a new, empty regular file; whatever stood there (a link to the host's files, as
 * an image may have it) is replaced, not followed. */
static int fresh_file(int parent, const char *name, struct fail *f)
{
	int fd;

	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return fail_set(f, errno, "replacing \"%s\"", name);
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? fail_set(f, errno, "making \"%s\"", name) : fd;
}

int file_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int parent = -1, fd = -1;
	const char *name;
	int r;

	parent = inroot_parent(run->root, arg[0], &name, f);
	if (parent < 0)
		return parent;
	fd = fresh_file(parent, name, f);
	if (fd < 0)
		return fd;
	r = io_write_all(fd, arg[1], strlen(arg[1]));
	return r < 0 ? fail_set(f, -r, "writing \"%s\"", arg[0]) : 0;
}

static int file_to_cover(int parent, const char *name, struct fail *f)
{
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) {
		fd = fresh_file(parent, name, f);
		if (fd < 0)
			return fd;
		close(fd);
	}
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", name) : fd;
}

int bind_file_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = mnt_clone(AT_FDCWD, arg[0], false, f), parent = -1, at = -1;
	const char *name;
	int r;

	if (mount < 0)
		return mount == -ENOENT ? 0 : mount; /* no resolver, no name: the image's stays */
	r = mnt_attr(mount,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		     0, -1, false, f);
	if (r < 0)
		return r;
	parent = inroot_parent(run->root, arg[1], &name, f);
	if (parent < 0)
		return parent;
	at = file_to_cover(parent, name, f);
	return at < 0 ? at : mnt_attach(mount, at, f);
}
