/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define CGROUP_DEPTH_MAX \
	64 /* a container may nest cgroups where it is allowed to; not without end */

#define BLOCK_DEVICES "/sys/dev/block"

const char *const cg_unit_controllers[] = {"cpu", "memory", "pids", "io", "cpuset", NULL};

/* rmdir of name and, deepest first, of the cgroups below it. */
static int remove_nested(int parent, const char *name, int depth)
{
	_dir_ DIR *list = NULL;
	struct dirent *e;
	int fd;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY || depth <= 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	list = fdopendir(fd);
	if (!list) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(list)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			int r = remove_nested(fd, e->d_name, depth - 1);

			if (r < 0)
				return r;
		}
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int cg_remove(int parent, const char *name, struct fail *f)
{
	int r = remove_nested(parent, name, CGROUP_DEPTH_MAX);

	return r < 0 ? fail_set(f, -r, "rmdir(cgroup \"%s\")", name) : 0;
}

int cg_fresh(int parent, const char *name, struct fail *f)
{
	int r = cg_remove(parent, name, f);
	int fd;

	if (r < 0)
		return r;
	if (mkdirat(parent, name, 0755) < 0)
		return fail_set(f, errno, "mkdir(cgroup \"%s\")", name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "open(cgroup \"%s\")", name) : fd;
}

int cg_kill(int cg, struct fail *f)
{
	return io_write_file(cg, "cgroup.kill", "1", f);
}

int cg_open_events(int cg, struct fail *f)
{
	int fd = openat(cg, "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail_set(f, errno, "open(\"cgroup.events\")") : fd;
}

int cg_populated(int events_fd)
{
	char text[256];
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
	const char *at;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	at = strstr(text, "populated ");
	return at ? at[strlen("populated ")] == '1' : -EBADMSG;
}

/* "254:0", of sysfs, which has a disk's parts as folders in the disk's. */
static int disk_of(const struct stat *st, char *ret, size_t size, struct fail *f)
{
	dev_t dev = S_ISBLK(st->st_mode) ? st->st_rdev : st->st_dev;
	char path[80];
	_free_
	char *text = NULL;
	size_t len;
	int r;

	if (major(dev) == 0)
		return fail_set(f, 0, "it is on no disk: name the disk itself");
	snprintf(ret, size, "%u:%u", major(dev), minor(dev));
	snprintf(path, sizeof(path), BLOCK_DEVICES "/%s/partition", ret);
	if (access(path, F_OK) < 0)
		return 0;
	snprintf(path, sizeof(path), BLOCK_DEVICES "/%s/../dev", ret);
	r = io_read_file(AT_FDCWD, path, 4096, &text, &len, f);
	if (r == 0)
		snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
	return r;
}

int cg_io_max(int cg, const struct stat *st, const char *limit, struct fail *f)
{
	char disk[32], line[96];
	int r = disk_of(st, disk, sizeof(disk), f);

	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "%s %s", disk, limit);
	r = io_write_file(cg, "io.max", line, f);
	if (r == -ENOENT)
		return fail_set(f, 0, "this kernel limits no disks: it has no io.max");
	if (r == -ENODEV)
		return fail_set(f, 0, "the device %s takes no limits", disk);
	return r;
}

int cg_enable(int cg, const char *const *controllers)
{
	int missing = 0;

	for (; *controllers; controllers++) {
		char word[32];

		snprintf(word, sizeof(word), "+%s", *controllers);
		missing += io_write_file(cg, "cgroup.subtree_control", word, NULL) < 0;
	}
	return missing;
}
