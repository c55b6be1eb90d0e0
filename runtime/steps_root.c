/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system: layers and upper directory with mapped ids, overlaid; and the way into it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "runtime/mnt.h"
#include "runtime/run.h"
#include "runtime/scratch.h"

#define STAGE_ATTR (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Linux 6.1 takes no detached mount as an overlay's layer, so they are attached in a small tmpfs of this
 * mount namespace's own. It also has what masks are made of: an empty file and an empty directory. */
int stage_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int at = -1, file = -1;
	int r;

	if (mkdir(arg[0], 0700) < 0 && errno != EEXIST)
		return fail_set(f, errno, "mkdir(\"%s\")", arg[0]);
	at = open(arg[0], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return fail_set(f, errno, "open(\"%s\")", arg[0]);
	run->stage = mnt_new("tmpfs", "mode=0755,size=64k,nr_inodes=4096", 0, f);
	if (run->stage < 0)
		return run->stage;
	r = mnt_attach(run->stage, at, f);
	if (r < 0)
		return r;
	file = openat(run->stage, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	if (file < 0 || mkdirat(run->stage, "dir", 0555) < 0 ||
	    mkdirat(run->stage, "root", 0755) < 0 || mkdirat(run->stage, "secrets", 0700) < 0)
		return fail_set(f, errno, "filling the stage");
	return 0;
}

int run_put_in_stage(struct run *run, int mount, const char *name, uint64_t attr, struct fail *f)
{
	_fd_
	int at = -1;
	int r = mnt_attr(mount, attr, 0, run->plan->mapped ? run->userns : -1, false, f);

	if (r == 0 && run->hears_host)
		r = mnt_propagation(mount, MS_PRIVATE, f);
	if (r < 0)
		return r;
	if (mkdirat(run->stage, name, 0755) < 0)
		return fail_set(f, errno, "mkdir(\"%s\") in the stage", name);
	at = openat(run->stage, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return fail_set(f, errno, "open(\"%s\") in the stage", name);
	return mnt_attach(mount, at, f);
}

int layer_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[512];
	_fd_
	int mount = -1;
	int r;

	snprintf(path, sizeof(path), PATH_LAYERS "/%s/fs", arg[0]);
	mount = mnt_clone(AT_FDCWD, path, false, f);
	if (mount < 0)
		return mount;
	r = run_put_in_stage(run, mount, arg[1], MOUNT_ATTR_RDONLY, f);
	return r < 0 && f ? fail_wrap(f, "layer %.12s", arg[0]) : r;
}

int upper_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[512];
	_fd_
	int mount = -1;

	/* by path: an fd of orlop-run's mount namespace cannot be cloned in this one */
	snprintf(path, sizeof(path), SCRATCH "/%s/%s", run->spec->unit, run->scratch_name);
	mount = mnt_clone(AT_FDCWD, path, false, f);
	return mount < 0 ? mount : run_put_in_stage(run, mount, arg[0], 0, f);
}

int run_act_as_root(struct run *run, struct fail *f)
{
	cap_t caps;
	int r = 0;

	if (!run->plan->mapped)
		return 0;
	setfsgid(run->plan->gid0);
	setfsuid(run->plan->uid0);
	if ((uint32_t)setfsuid((uid_t)-1) != run->plan->uid0)
		return fail_set(f, EPERM, "setfsuid(%u)", run->plan->uid0);
	/* the kernel takes the file capabilities away with the fsuid */
	caps = cap_get_proc();
	if (!caps || cap_fill(caps, CAP_EFFECTIVE, CAP_PERMITTED) < 0 || cap_set_proc(caps) < 0)
		r = fail_set(f, errno, "capset");
	cap_free(caps);
	return r;
}

/* The merged root takes its mode and owner from the upper directory; they should be the image's. */
static int copy_root_mode(struct run *run, struct fail *f)
{
	char top[16];
	struct stat st;

	snprintf(top, sizeof(top), "%zu", run->image->layers.n - 1);
	if (fstatat(run->stage, top, &st, 0) < 0 ||
	    ((st.st_mode & 07777) != 0755 &&
	     fchmodat(run->scratch, "upper", st.st_mode & 07777, 0) < 0))
		return fail_set(f, errno, "mode of the root");
	return 0;
}

int overlay_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct statvfs st;
	int r = copy_root_mode(run, f);

	if (r == 0)
		r = run_act_as_root(run, f);
	if (r < 0)
		return r;
	if (fchdir(run->stage) < 0)
		return fail_set(f, errno, "chdir to the stage");
	if (mount("overlay", arg[0], "overlay", MS_NODEV, arg[1]) < 0)
		return fail_set(f, errno, "mount overlay%s",
				errno == EINVAL ? " (see the kernel log)" : "");
	run->root = open(arg[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->root < 0 || fstatvfs(run->root, &st) < 0)
		return fail_set(f, errno, "open the root");
	/* overlayfs that cannot write its work directory mounts all the same, and is read-only */
	if (st.f_flag & ST_RDONLY)
		return fail_set(f, EROFS, "the overlay cannot be written to");
	/* from here on everything cloned from the stage is read-only by birth */
	return mnt_attr(run->stage, STAGE_ATTR, 0, -1, false, f);
}

int root_read_only_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	return mnt_attr(run->root, MOUNT_ATTR_RDONLY, 0, -1, false, f);
}

int pivot_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	/* the old root is stacked on the new one's mount point, and goes with all that is in it */
	if (fchdir(run->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return fail_set(f, errno, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fail_set(f, errno, "leaving the old root");
	return 0;
}
