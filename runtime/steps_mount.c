/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own file systems, devices, and what of them is hidden or made read-only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/inroot.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

/* No symbolic link may stand in the way of /proc, /dev or /sys: all that is done there later trusts
 * that they are what was mounted here. */
static int mount_point(struct run *run, const char *path, struct fail *f)
{
	int fd;

	/* in the tmpfs of ours that is there already nobody has put links */
	if (run->dev >= 0 && !strncmp(path, "/dev/", 5) && !strchr(path + 5, '/')) {
		if (mkdirat(run->dev, path + 5, 0755) < 0 && errno != EEXIST)
			return fail_set(f, errno, "mkdir(\"%s\")", path);
		fd = openat(run->dev, path + 5, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? fail_set(f, errno, "open(\"%s\")", path) : fd;
	}
	fd = inroot_open(run->root, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS, f);
	if (fd == -ENOENT) {
		fd = inroot_mkdirs(run->root, path, f);
		if (fd < 0)
			return fd;
		close(fd);
		fd = inroot_open(run->root, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS, f);
	}
	return fd == -ELOOP ? fail_set(f, ELOOP, "the image has a link at \"%s\"", path) : fd;
}

int mount_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = -1, at = -1;
	int r;

	at = mount_point(run, arg[1], f);
	if (at < 0)
		return at;
	mount = !strcmp(arg[0], "bind") ? mnt_clone(AT_FDCWD, arg[2], false, f)
					: mnt_new(arg[0], arg[2], mnt_attr_parse(arg[3]), f);
	if (mount < 0)
		return mount;
	r = mnt_attach(mount, at, f);
	if (r == 0 && !strcmp(arg[1], "/dev"))
		run->dev = take_fd(&mount);
	return r;
}

/* --- /dev ---------------------------------------------------------------------------------- */

int device_apply(struct run *run, char *const *arg, struct fail *f)
{
	unsigned major, minor;
	mode_t mode = (mode_t)strtoul(arg[2], NULL, 8) | S_IFCHR;
	const char *number = arg[1];

	if (*number == 'b') {
		mode = (mode & ~(mode_t)S_IFMT) | S_IFBLK;
		number++;
	}
	if (sscanf(number, "%u:%u", &major, &minor) != 2)
		return fail_set(f, EINVAL, "device number \"%s\"", arg[1]);
	if (mknodat(run->dev, arg[0] + strlen("/dev/"), mode, makedev(major, minor)) < 0)
		return fail_set(f, errno, "mknod(\"%s\")", arg[0]);
	return 0;
}

int link_apply(struct run *run, char *const *arg, struct fail *f)
{
	if (symlinkat(arg[1], run->dev, arg[0] + strlen("/dev/")) < 0)
		return fail_set(f, errno, "symlink(\"%s\")", arg[0]);
	return 0;
}

/* --- masks --------------------------------------------------------------------------------- */

/* A path that is not there needs no hiding. */
static bool absent(int error)
{
	return error == -ENOENT || error == -ENOTDIR;
}

static int mask_one(struct run *run, const char *path, struct fail *f)
{
	_fd_
	int at = inroot_open(run->root, path, O_PATH, 0, f), mount = -1;
	struct stat st;

	if (at < 0)
		return absent(at) ? 0 : at;
	if (fstat(at, &st) < 0)
		return fail_set(f, errno, "stat(\"%s\")", path);
	/* the stage's mount is read-only, and so are its copies */
	mount = mnt_clone(run->stage, S_ISDIR(st.st_mode) ? "dir" : "file", false, f);
	return mount < 0 ? mount : mnt_attach(mount, at, f);
}

/* One star, at the end of a component: every directory whose name begins so. */
static int mask_each(struct run *run, const char *pattern, const char *star, struct fail *f)
{
	_dir_ DIR *dir = NULL;
	char path[512];
	const char *name = star;
	int parent, r = 0;

	while (name > pattern && name[-1] != '/')
		name--;
	snprintf(path, sizeof(path), "%.*s", (int)(name - pattern), pattern);
	parent = inroot_open(run->root, path, O_RDONLY | O_DIRECTORY, 0, f);
	if (parent < 0)
		return absent(parent) ? 0 : parent;
	dir = fdopendir(parent);
	if (!dir) {
		close(parent);
		return fail_set(f, ENOMEM, "reading \"%s\"", path);
	}
	for (struct dirent *e; r == 0 && (e = readdir(dir));) {
		if (e->d_name[0] == '.' || e->d_type != DT_DIR ||
		    strncmp(e->d_name, name, (size_t)(star - name)) != 0)
			continue;
		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)(name - pattern), pattern,
			     e->d_name, star + 1) < (int)sizeof(path))
			r = mask_one(run, path, f);
	}
	return r;
}

int mask_apply(struct run *run, char *const *arg, struct fail *f)
{
	const char *star = strchr(arg[0], '*');

	return star ? mask_each(run, arg[0], star, f) : mask_one(run, arg[0], f);
}

int read_only_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int at = inroot_open(run->root, arg[0], O_PATH, 0, f), mount = -1;
	int r;

	if (at < 0)
		return absent(at) ? 0 : at;
	mount = mnt_clone(at, "", true, f);
	if (mount < 0)
		return mount;
	r = mnt_attr(mount, MOUNT_ATTR_RDONLY, 0, -1, true, f);
	return r < 0 ? r : mnt_attach(mount, at, f);
}
