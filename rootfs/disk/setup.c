/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/disk/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/disk/decide.h"
#include "rootfs/disk/device.h"
#include "rootfs/disk/drivers.h"
#include "rootfs/disk/probe.h"
#include "rootfs/disk/tool.h"

#define VAR "/var"

/* Below PID 1's patience for the whole (900 s), so that it hears the reason and not the silence. */
enum { CHECK_SECONDS = 700, MAKE_SECONDS = 120, GROW_SECONDS = 60, MODPROBE_SECONDS = 10 };

const char *const disk_state_names[] = {
	[DISK_PERSISTENT] = "persistent",
	[DISK_VOLATILE] = "volatile",
	[DISK_REFUSED] = "refused",
};

static int mark(const char *path, const char *text, struct fail *f)
{
	char sector[512] = "";
	_fd_
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_EXCL);

	strncpy(sector, text, sizeof(sector) - 1);
	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	if (pwrite(fd, sector, sizeof(sector), 0) != sizeof(sector) || fsync(fd) < 0)
		return fail_set(f, errno, "write(\"%s\")", path);
	return 0;
}

/* e2fsprogs' exit code as an error; what is in `allowed` (bits) counts as done. */
static int tool_ok(const char *const argv[], int seconds, int allowed, struct fail *f)
{
	int status = tool_run(argv, seconds, f);

	if (status < 0)
		return status;
	return status & ~allowed ? -EIO : 0;
}

/*
 * Journal and inode tables are not written now but by the kernel later (lazy): seconds against a
 * fraction of one. Nothing to discard, the disk is blank. Two per cent are reserved for root, which a
 * container's root is not: when containers have filled the disk, the host can still work. Errors make it
 * read-only rather than worse.
 */
static int format(const char *path, struct fail *f)
{
	const char *const argv[] = {"/usr/sbin/mke2fs",
				    "-q",
				    "-F",
				    "-t",
				    "ext4",
				    "-b",
				    "4096",
				    "-L",
				    DISK_LABEL,
				    "-m",
				    "2",
				    "-e",
				    "remount-ro",
				    "-E",
				    "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
				    path,
				    NULL};
	int r = mark(path, SNIFF_MARK, f);

	if (r == 0)
		r = tool_ok(argv, MAKE_SECONDS, 0, f);
	return r < 0 ? r : mark(path, "", f);
}

/* Repairs what can be repaired without a question. 1: it did; 2: a reboot is due, if it was the root
 * file system (it is not); anything else needs a person. */
static int check(const char *path, struct fail *f)
{
	const char *const argv[] = {"/usr/sbin/e2fsck", "-p", path, NULL};

	if (tool_ok(argv, CHECK_SECONDS, 1 | 2, f) < 0)
		return fail_wrap(f, "%s needs a repair by hand (e2fsck %s)", path, path);
	return 0;
}

static int mount_var(const char *path, unsigned long flags, const char *options, struct fail *f)
{
	if (mount(path, VAR, "ext4", MS_NOATIME | MS_NODEV | flags, options) < 0)
		return fail_set(f, errno, "mount(\"%s\", \"%s\")", path, VAR);
	return 0;
}

/* On the mounted file system: the kernel does it in journalled steps, so the power may go at any of them. */
static int grow(const char *path, struct fail *f)
{
	const char *const argv[] = {"/usr/sbin/resize2fs", path, NULL};

	return tool_ok(argv, GROW_SECONDS, 0, f);
}

static int use(const struct decision *d, bool read_only, struct disk_outcome *ret, struct fail *f)
{
	const char *path = d->disk->path;
	int r = 0;

	snprintf(ret->text, sizeof(ret->text), "%s",
		 read_only                      ? "read-only"
		 : d->verdict == VERDICT_FORMAT ? "new"
		 : d->check                     ? "checked after an unclean end"
						: "");
	if (read_only)
		return mount_var(path, MS_RDONLY, "", f);
	if (d->verdict == VERDICT_FORMAT)
		r = format(path, f);
	else if (d->check)
		r = check(path, f);
	if (r == 0)
		r = mount_var(path, 0, "errors=remount-ro", f);
	/* A smaller file system than could be is no reason to stop. */
	if (r == 0 && d->grow) {
		if (grow(path, f) < 0)
			snprintf(ret->text, sizeof(ret->text), "data disk %s, not grown: %.200s",
				 path, f->text);
		else
			snprintf(ret->text, sizeof(ret->text), "data disk %s, grown to its device",
				 path);
	}
	return r;
}

static int use_zram(struct disk_outcome *ret, struct fail *f)
{
	static const char path[] = "/dev/zram0";
	const char *const load[] = {"/sbin/modprobe", "zram", NULL};
	const char *const make[] = {"/usr/sbin/mke2fs",
				    "-q",
				    "-F",
				    "-t",
				    "ext4",
				    "-b",
				    "4096",
				    "-O",
				    "^has_journal",
				    "-m",
				    "2",
				    "-L",
				    "orlop-volatile",
				    "-E",
				    "nodiscard",
				    path,
				    NULL};
	struct sysinfo memory;
	char size[32];
	int r = 0;

	/* Its size is the cap: were it larger, writing could fail in the middle of a block device. */
	sysinfo(&memory);
	snprintf(size, sizeof(size), "%llu",
		 (unsigned long long)memory.totalram * memory.mem_unit / 2);
	if (access("/sys/block/zram0", F_OK) < 0)
		r = tool_ok(load, MODPROBE_SECONDS, 0, f);
	if (r == 0)
		r = io_write_file(AT_FDCWD, "/sys/block/zram0/disksize", size, f);
	if (r == 0)
		r = tool_ok(make, MAKE_SECONDS, 0, f);
	if (r == 0)
		r = mount_var(path, 0, "discard", f);
	if (r == 0)
		snprintf(ret->device, sizeof(ret->device), "%s", path);
	return r;
}

/* What the host's own programs expect below /var; the store has its own makers. */
static void make_folders(void)
{
	static const struct {
		const char *path;
		mode_t mode;
	} folders[] = {
		{VAR "/lib", 0755}, {VAR "/lib/orlop", 0700}, {VAR "/lib/dhcpcd", 0755},
		{VAR "/log", 0755}, {VAR "/tmp", 01777},
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(folders[i].path, 0700) == 0)
			chmod(folders[i].path, folders[i].mode);
}

static void decide(const struct disk_setup *how, struct disk *disks, struct decision *ret)
{
	struct fail f = {0};
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	if (how->no_disk) {
		ret->verdict = VERDICT_VOLATILE;
		snprintf(ret->text, sizeof(ret->text), "no data disk: orlop.disk=none");
		return;
	}
	if (drivers_load(&f) < 0 || device_list(disks, DISK_MAX, &n, &f) < 0 ||
	    probe_disks(disks, n, &f) < 0) {
		ret->verdict = VERDICT_REFUSED;
		snprintf(ret->text, sizeof(ret->text), "looking for the data disk: %.300s", f.text);
		return;
	}
	disk_decide(disks, n, ret);
	if (how->read_only && ret->verdict == VERDICT_FORMAT) {
		ret->verdict = VERDICT_VOLATILE;
		snprintf(ret->text, sizeof(ret->text), "rescue: the blank %.60s is not formatted",
			 ret->disk->path);
	}
}

void disk_setup(const struct disk_setup *how, struct disk_outcome *ret)
{
	static struct disk disks[DISK_MAX];
	struct decision d;
	struct fail f = {0};

	memset(ret, 0, sizeof(*ret));
	decide(how, disks, &d);
	if (d.verdict == VERDICT_USE || d.verdict == VERDICT_FORMAT) {
		if (use(&d, how->read_only, ret, &f) == 0) {
			ret->state = DISK_PERSISTENT;
			snprintf(ret->device, sizeof(ret->device), "%s", d.disk->path);
			if (!how->read_only)
				make_folders();
			return;
		}
		d.verdict = VERDICT_REFUSED;
		snprintf(d.text, sizeof(d.text), "%.60s: %.300s", d.disk->path, f.text);
	}
	ret->state = d.verdict == VERDICT_REFUSED ? DISK_REFUSED : DISK_VOLATILE;
	snprintf(ret->text, sizeof(ret->text), "%s", d.text);
	if (use_zram(ret, &f) < 0) {
		/* Not fit for containers, but good enough for a console. */
		ret->state = DISK_REFUSED;
		snprintf(ret->text, sizeof(ret->text), "%.170s; no memory disk either: %.170s",
			 d.text, f.text);
		if (mount("tmpfs", VAR, "tmpfs", MS_NODEV, "mode=0755,size=10%") == 0)
			snprintf(ret->device, sizeof(ret->device), "tmpfs");
	}
	make_folders();
}
