/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit puts into the root: volumes, host directories, devices, tmpfs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "runtime/copyup.h"
#include "runtime/idmap.h"
#include "runtime/inroot.h"
#include "runtime/mnt.h"
#include "runtime/owner.h"
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

/* --- U ------------------------------------------------------------------------------------- */

/* Notes a volume for STEP_OWN: by then all is mounted, and the container's passwd can be read. Takes the fd. */
static int own_later(struct run *run, int mount, bool inside, const char *target, struct fail *f)
{
	struct owned *grown = reallocarray(run->owned, run->n_owned + 1, sizeof(*grown));

	if (!grown) {
		close(mount);
		return fail_set(f, ENOMEM, "volumes");
	}
	run->owned = grown;
	grown[run->n_owned++] = (struct owned){mount, inside, target};
	return 0;
}

/* Another view of a volume, as it is on disk, whoever the ids there belong to. place: its top on the host. */
static int own_on_disk(struct run *run, int place, bool mapped, const char *target, struct fail *f)
{
	int mount = mnt_clone(place, "", false, f);
	int r;

	if (mount < 0)
		return mount;
	r = mnt_propagation(mount, MS_PRIVATE, f);
	if (r < 0) {
		close(mount);
		return r;
	}
	return own_later(run, mount, mapped || !run->plan->mapped, target, f);
}

/* The same view as the container's, for what shows the host's ids to us. */
static int own_as_shown(struct run *run, int mount, const char *target, struct fail *f)
{
	int copy = fcntl(mount, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? fail_set(f, errno, "dup") : own_later(run, copy, false, target, f);
}

int own_apply(struct run *run, char *const *arg, struct fail *f)
{
	static struct passwd_user user; /* a kilobyte: not on this small stack */
	int64_t uid, gid;
	int r = run_find_user(run, arg[0], "", &user, f);

	if (r < 0)
		return r;
	uid = idmap_outside(arg[1], user.uid);
	gid = idmap_outside(arg[2], user.gid);
	if (uid < 0 || gid < 0)
		return fail_set(f, EINVAL, "user %u:%u is not in the user namespace", user.uid,
				user.gid);
	for (size_t i = 0; r == 0 && i < run->n_owned; i++) {
		const struct owned *o = &run->owned[i];

		r = owner_set(o->mount, o->inside ? user.uid : (uid_t)uid,
			      o->inside ? user.gid : (gid_t)gid, f);
		close(o->mount);
		if (r < 0 && f)
			r = fail_wrap(f, "giving the volume at \"%s\" to %u:%u", o->target,
				      user.uid, user.gid);
	}
	return r;
}

/* --- sources ------------------------------------------------------------------------------- */

/* Resolved once: an O_PATH fd of a volume's top on the host. */
static int open_volume(const char *type, const char *source, struct fail *f)
{
	char path[512];
	int fd;

	if (!strcmp(type, "bind"))
		snprintf(path, sizeof(path), "%s", source);
	else
		snprintf(path, sizeof(path), PATH_VOLUMES "/%s/data", source);
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", path) : fd;
}

int run_clone_volume(const char *type, const char *source, struct fail *f)
{
	_fd_
	int place = open_volume(type, source, f);

	return place < 0 ? place : mnt_clone(place, "", false, f);
}

/* A new directory beside the root's upper one: it goes as that does. */
static int open_anonymous(struct run *run, const char *name, struct fail *f)
{
	char path[64];

	snprintf(path, sizeof(path), "up/%s", name);
	if (mkdirat(run->stage, path, 0755) < 0)
		return fail_set(f, errno, "mkdir(\"%s\")", path);
	return mnt_clone(run->stage, path, false, f);
}

/* A detached mount of the source, with ids as the container sees them; still writable. */
static int open_source(struct run *run, char *const *arg, struct fail *f)
{
	const char *type = arg[0], *target = arg[2], *options = arg[3];
	bool bind = !strcmp(type, "bind"), recursive = is_recursive(type, options), mapped = false;
	_fd_
	int place = -1, mount = -1;
	int r;

	if (!strcmp(type, "anonymous")) {
		mount = open_anonymous(run, arg[1], f);
		r = mount < 0                  ? mount
		    : has_option(options, "U") ? own_as_shown(run, mount, target, f)
					       : 0;
		return r < 0 ? r : take_fd(&mount);
	}
	place = open_volume(type, arg[1], f);
	mount = place < 0 ? place : mnt_clone(place, "", recursive, f);
	if (mount < 0)
		return mount;
	if (run->plan->mapped) {
		r = mnt_attr(mount, 0, 0, run->userns, recursive, f);
		/* a host directory on a file system that cannot: its owners show as nobody */
		if (r < 0 && !(r == -EINVAL && bind && !has_option(options, "idmap")))
			return r;
		mapped = r == 0;
	}
	r = has_option(options, "U") ? own_on_disk(run, place, mapped, target, f) : 0;
	return r < 0 ? r : take_fd(&mount);
}

static int set_attr(int mount, const char *type, const char *options, struct fail *f)
{
	int r = mnt_attr(mount, volume_attr(options), 0, -1, is_recursive(type, options), f);

	return r < 0 ? r : mnt_propagation(mount, volume_propagation(options), f);
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
	/* what is written there by the steps to come must not land in a file of the kernel's */
	if (inroot_is_kernels(at))
		return fail_set(f, EINVAL,
				"\"%s\" leads into /proc or /sys: nothing is mounted there", path);
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

int run_attach(struct run *run, int mount, const char *path, const char *options, struct fail *f)
{
	_fd_
	int place = open_place(run, mount, path, f);
	int r = place;

	if (r >= 0)
		r = set_attr(mount, "", options, f);
	return r < 0 ? r : mnt_attach(mount, place, f);
}

int volume_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = open_source(run, arg, f), place = -1;
	int r = mount;

	if (r >= 0)
		r = place = open_place(run, mount, arg[2], f);
	if (r >= 0 && !strcmp(arg[0], "volume"))
		r = first_use(place, mount, arg[1], arg[3], f);
	if (r >= 0 && !strcmp(arg[0], "anonymous") && !has_option(arg[3], "nocopy"))
		r = copy_into(place, mount, f);
	if (r >= 0)
		r = set_attr(mount, arg[0], arg[3], f);
	if (r >= 0)
		r = mnt_attach(mount, place, f);
	return r < 0 && f
		       ? fail_wrap(f, "%s \"%s\"", arg[0], arg[strcmp(arg[0], "anonymous") ? 1 : 2])
		       : r;
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
	if (!has_option(arg[2], "U"))
		return 0;
	/* the kernel gives the file system that is there already: a view of it whose ids will not be mapped */
	mount = mnt_new(arg[1], options.data, 0, f);
	if (mount >= 0)
		return own_later(run, mount, true, arg[3], f);
	close(run->volumes[--run->n_volumes]);
	return f ? fail_wrap(f, "\"%s\"", arg[0]) : mount;
}

void device_volume_undo(struct run *run, char *const *arg)
{
	close(run->volumes[--run->n_volumes]);
	if (has_option(arg[2], "U"))
		close(run->owned[--run->n_owned].mount);
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

/* The copy has brought the owner and mode of the image's folder: what the unit said of them counts. */
static int keep_said(int mount, const struct stat *said, const char *words, struct fail *f)
{
	uid_t uid = has_option(words, "uid") ? said->st_uid : (uid_t)-1;
	gid_t gid = has_option(words, "gid") ? said->st_gid : (gid_t)-1;

	if (fchownat(mount, ".", uid, gid, 0) < 0 ||
	    (has_option(words, "mode") && fchmodat(mount, ".", said->st_mode & 07777, 0) < 0))
		return fail_set(f, errno, "owner and mode of the tmpfs");
	return 0;
}

/* Whether there is a folder at the path; where the next step makes one, there is nothing to copy. */
static bool has_folder(struct run *run, const char *path)
{
	_fd_
	int fd = inroot_open(run->root, path, O_PATH | O_DIRECTORY, 0, NULL);

	return fd >= 0;
}

int tmpfs_apply(struct run *run, char *const *arg, struct fail *f)
{
	bool copy = has_option(arg[3], "copy") && has_folder(run, arg[0]);
	_fd_
	int mount = mnt_new("tmpfs", arg[1], 0, f), place = -1;
	struct stat said;
	int r = mount;

	if (r >= 0 && fstat(mount, &said) < 0)
		r = fail_set(f, errno, "stat of the tmpfs");
	if (r >= 0 && has_option(arg[2], "U"))
		r = own_as_shown(run, mount, arg[0], f);
	if (r >= 0)
		r = place = open_place(run, mount, arg[0], f);
	if (r >= 0 && copy)
		r = copy_into(place, mount, f);
	if (r >= 0 && copy)
		r = keep_said(mount, &said, arg[3], f);
	if (r >= 0)
		r = mnt_attr(mount, mnt_attr_parse(arg[2]), 0, -1, false, f);
	return r < 0 ? r : mnt_attach(mount, place, f);
}
