/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/disk/device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define SYS_BLOCK "/sys/class/block"

/* Device names that never are a disk somebody keeps data on. */
static const char *const not_disks[] = {"loop", "ram", "zram", "fd", "sr", "nbd", "mtdblock"};

static bool is_disk_name(const char *name)
{
	for (size_t i = 0; i < sizeof(not_disks) / sizeof(not_disks[0]); i++) {
		size_t len = strlen(not_disks[i]);

		if (strncmp(name, not_disks[i], len) == 0 && name[len] >= '0' && name[len] <= '9')
			return false;
	}
	return name[0] != '.';
}

/* A small number from a sysfs file; 0 where it is missing. */
static uint64_t attribute(int dir, const char *name)
{
	_fd_
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}

static bool has_partitions(int dir, const char *name)
{
	_dir_ DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t len = strlen(name);
	bool found = false;

	if (!d)
		return false;
	/* Partitions are folders inside the disk's, named after it: vda/vda1. */
	for (struct dirent *e; !found && (e = readdir(d));)
		found = strncmp(e->d_name, name, len) == 0;
	return found;
}

static bool describe(int sys, const char *name, struct disk *ret)
{
	_fd_
	int dir = openat(sys, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	if ((size_t)snprintf(ret->path, sizeof(ret->path), "/dev/%s", name) >= sizeof(ret->path))
		return false;
	/* sysfs counts in sectors of 512 bytes, whatever the disk's are. */
	ret->size = attribute(dir, "size") * 512;
	ret->read_only = attribute(dir, "ro") != 0;
	ret->partition = attribute(dir, "partition") != 0;
	ret->partitioned = has_partitions(dir, name);
	return ret->size > 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct disk *)a)->path, ((const struct disk *)b)->path);
}

int device_list(struct disk *disks, size_t max, size_t *ret_n, struct fail *f)
{
	size_t n = 0;
	_dir_ DIR *sys = opendir(SYS_BLOCK);

	if (!sys)
		return fail_set(f, errno, "opendir(\"%s\")", SYS_BLOCK);
	for (struct dirent *e; (e = readdir(sys));) {
		struct disk d;

		if (!is_disk_name(e->d_name) || !describe(dirfd(sys), e->d_name, &d))
			continue;
		if (n == max)
			return fail_set(f, E2BIG, "more than %zu block devices", max);
		disks[n++] = d;
	}
	qsort(disks, n, sizeof(*disks), by_path);
	*ret_n = n;
	return 0;
}
