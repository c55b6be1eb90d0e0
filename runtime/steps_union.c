/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays beside the root's: images as mounts, and volumes whose changes are thrown away (O). All of them are
 * mounted in the stage, out of layers that are there too, before the root is; attaching comes with the volumes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

int lower_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = run_clone_volume(arg[0], arg[1], f);
	struct stat st;
	int r = mount;

	if (r >= 0 && fstat(mount, &st) < 0)
		r = fail_set(f, errno, "stat");
	if (r >= 0 && !S_ISDIR(st.st_mode))
		r = fail_set(f, ENOTDIR, "the option O is for folders");
	if (r >= 0)
		r = run_put_in_stage(run, mount, arg[2], MOUNT_ATTR_RDONLY, f);
	return r < 0 && f ? fail_wrap(f, "%s \"%s\"", arg[0], arg[1]) : r;
}

/* The upper directory, as its ids are inside; its owner and mode are what the whole shows as its own. lower: name
 * of the uppermost layer in the stage. */
static int make_upper(struct run *run, const char *name, const char *lower, struct fail *f)
{
	static const char *const dirs[] = {"", "/upper", "/work"};
	char path[64];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "up/%s%s", name, dirs[i]);
		if (mkdirat(run->stage, path, 0755) < 0)
			return fail_set(f, errno, "mkdir(\"%s\")", path);
	}
	snprintf(path, sizeof(path), "up/%s/upper", name);
	if (fstatat(run->stage, lower, &st, 0) < 0)
		return fail_set(f, errno, "stat of the layer");
	/* an owner that has no name in the container is left out */
	if (fchownat(run->stage, path, st.st_uid, st.st_gid, 0) < 0 && errno != EINVAL &&
	    errno != EOVERFLOW)
		return fail_set(f, errno, "owner of the overlay");
	if (fchmodat(run->stage, path, st.st_mode & 07777, 0) < 0)
		return fail_set(f, errno, "mode of the overlay");
	return 0;
}

int union_apply(struct run *run, char *const *arg, struct fail *f)
{
	_buf_ struct buf options = {0};
	const char *name = arg[0];
	char top[16];
	int r = run_act_as_root(run, f);

	buf_fmt(&options, "lowerdir=%s", arg[1]);
	if (*arg[2]) {
		snprintf(top, sizeof(top), "%.*s", (int)strcspn(arg[1], ":"), arg[1]);
		if (r == 0)
			r = make_upper(run, name, top, f);
		buf_fmt(&options, ",upperdir=up/%s/upper,workdir=up/%s/work,volatile", name, name);
	}
	if (r < 0)
		return r;
	if (options.bad)
		return fail_set(f, ENOMEM, "mount options");
	if (mkdirat(run->stage, name, 0755) < 0)
		return fail_set(f, errno, "mkdir(\"%s\") in the stage", name);
	if (fchdir(run->stage) < 0)
		return fail_set(f, errno, "chdir to the stage");
	if (mount("overlay", name, "overlay", MS_NODEV, options.data) < 0)
		return fail_set(f, errno, "mount overlay%s",
				errno == EINVAL ? " (see the kernel log)" : "");
	return 0;
}

int attach_union_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = mnt_clone(run->stage, arg[0], false, f);

	return mount < 0 ? mount : run_attach(run, mount, arg[1], arg[2], f);
}
