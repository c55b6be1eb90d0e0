/* SPDX-License-Identifier: Apache-2.0 */
/* Single files in the container: of /etc, and secrets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "runtime/inroot.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

#define HOST_FILE_MAX (1u << 20)
#define SECRET_MAX    (512u << 10) /* Podman's limit is 512000 bytes */
#define FILE_ATTR     (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define ZONEINFO      "/usr/share/zoneinfo"

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

static int write_file(struct run *run, const char *path, const char *first, size_t first_len,
		      const char *text, struct fail *f)
{
	_fd_
	int parent = -1, fd = -1;
	const char *name;
	int r;

	parent = inroot_parent(run->root, path, &name, f);
	if (parent < 0)
		return parent;
	fd = fresh_file(parent, name, f);
	if (fd < 0)
		return fd;
	r = io_write_all(fd, first, first_len);
	if (r == 0)
		r = io_write_all(fd, text, strlen(text));
	return r < 0 ? fail_set(f, -r, "writing \"%s\"", path) : 0;
}

int file_apply(struct run *run, char *const *arg, struct fail *f)
{
	_free_
	char *host = NULL;
	size_t len = 0;
	int r = arg[2] ? io_read_file(AT_FDCWD, arg[2], HOST_FILE_MAX, &host, &len, f) : 0;

	if (r == -ENOENT && arg[3])
		r = io_read_file(AT_FDCWD, arg[3], HOST_FILE_MAX, &host, &len, f);
	if (r < 0 && r != -ENOENT)
		return r;
	return write_file(run, arg[0], host ? host : "", len, arg[1], f);
}

/* The gateway of the IPv4 default route, as text. The process is in the container's network. */
static int find_gateway(char ret[INET6_ADDRSTRLEN], struct fail *f)
{
	_free_
	char *routes = NULL;
	size_t len;
	int r = io_read_file(AT_FDCWD, "/proc/self/net/route", HOST_FILE_MAX, &routes, &len, f);
	char *save = NULL;

	if (r < 0)
		return r;
	for (char *l = strtok_r(routes, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct in_addr gateway;

		/* interface, destination, gateway: in hexadecimal, as they lie in memory */
		if (sscanf(l, "%*s 00000000 %8x", &gateway.s_addr) == 1 && gateway.s_addr)
			return inet_ntop(AF_INET, &gateway, ret, INET6_ADDRSTRLEN) ? 0 : -errno;
	}
	return fail_set(f, ENETUNREACH, "the container has no gateway to its host");
}

int host_gateway_apply(struct run *run, char *const *arg, struct fail *f)
{
	char gateway[INET6_ADDRSTRLEN];
	_fd_
	int fd = -1;
	int r = find_gateway(gateway, f);

	if (r < 0)
		return r;
	fd = inroot_open(run->root, arg[0], O_WRONLY | O_APPEND, RESOLVE_NO_SYMLINKS, f);
	if (fd < 0)
		return fd;
	return dprintf(fd, "%s%s\n", gateway, arg[1]) < 0
		       ? fail_set(f, errno, "writing \"%s\"", arg[0])
		       : 0;
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

/* Puts a detached mount of a file at path, read-only. */
static int cover(struct run *run, int mount, const char *path, struct fail *f)
{
	_fd_
	int parent = -1, at = -1;
	const char *name;
	int r = mnt_attr(mount, FILE_ATTR, 0, -1, false, f);

	if (r < 0)
		return r;
	parent = inroot_parent(run->root, path, &name, f);
	if (parent < 0)
		return parent;
	at = file_to_cover(parent, name, f);
	return at < 0 ? at : mnt_attach(mount, at, f);
}

int bind_file_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int mount = mnt_clone(AT_FDCWD, arg[0], false, f);

	if (mount == -ENOENT && arg[2])
		mount = mnt_clone(AT_FDCWD, arg[2], false, f);
	if (mount < 0)
		return mount == -ENOENT ? 0 : mount; /* no resolver, no name: the image's stays */
	return cover(run, mount, arg[1], f);
}

/* --- time zone ----------------------------------------------------------------------------- */

static int link_zone(struct run *run, const char *zone, struct fail *f)
{
	char target[256];
	const char *name;
	_fd_
	int parent = inroot_parent(run->root, "/etc/localtime", &name, f);

	if (parent < 0)
		return parent;
	snprintf(target, sizeof(target), ZONEINFO "/%s", zone);
	if ((unlinkat(parent, name, 0) < 0 && errno != ENOENT) ||
	    symlinkat(target, parent, name) < 0)
		return fail_set(f, errno, "linking /etc/localtime");
	return 0;
}

/* The image's own zone if it has it, else a copy of the host's. */
int timezone_apply(struct run *run, char *const *arg, struct fail *f)
{
	bool local = !strcmp(arg[0], "local");
	char path[256];
	_free_
	char *data = NULL;
	size_t len;
	int fd, r;

	snprintf(path, sizeof(path), ZONEINFO "/%s", arg[0]);
	fd = local ? -1 : inroot_open(run->root, path, O_PATH, 0, NULL);
	if (fd >= 0) {
		close(fd);
		return link_zone(run, arg[0], f);
	}
	r = io_read_file(AT_FDCWD, local ? "/etc/localtime" : path, HOST_FILE_MAX, &data, &len, f);
	if (r == -ENOENT && local)
		return 0;
	if (r == -ENOENT)
		return fail_set(f, ENOENT, "Timezone=%s: neither the image nor the host has it",
				arg[0]);
	return r < 0 ? r : write_file(run, "/etc/localtime", data, len, "", f);
}

/* --- secrets ------------------------------------------------------------------------------- */

/* ramfs, because it is never swapped; it holds what we write, and is read-only for the container. */
static int secrets_dir(struct run *run, struct fail *f)
{
	_fd_
	int mount = -1, at = -1;
	int r;

	if (run->secrets >= 0)
		return 0;
	at = openat(run->stage, "secrets", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return fail_set(f, errno, "open(\"secrets\") in the stage");
	mount = mnt_new("ramfs", "mode=0700", MOUNT_ATTR_NODEV, f);
	if (mount < 0)
		return mount;
	r = mnt_attach(mount, at, f);
	if (r == 0)
		run->secrets = take_fd(&mount);
	return r;
}

int secret_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[512];
	unsigned uid, gid;
	_free_
	char *data = NULL;
	_fd_
	int fd = -1, mount = -1;
	size_t len;
	int r = secrets_dir(run, f);

	if (r < 0)
		return r;
	if (sscanf(arg[2], "%u:%u", &uid, &gid) != 2)
		return fail_set(f, EINVAL, "secret \"%s\": owner \"%s\"", arg[0], arg[2]);
	snprintf(path, sizeof(path), PATH_SECRETS "/%s", arg[0]);
	r = io_read_file(AT_FDCWD, path, SECRET_MAX, &data, &len, f);
	if (r < 0)
		return r == -ENOENT ? fail_set(f, ENOENT, "there is no secret \"%s\"", arg[0]) : r;
	/* one secret may be mounted at two places with two owners: a file each */
	snprintf(path, sizeof(path), "%u", run->n_secrets++);
	fd = openat(run->secrets, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_set(f, errno, "secret \"%s\"", arg[0]);
	r = io_write_all(fd, data, len);
	explicit_bzero(data, len);
	if (r < 0 || fchown(fd, run->plan->uid0 + uid, run->plan->gid0 + gid) < 0 ||
	    fchmod(fd, (mode_t)strtoul(arg[3], NULL, 8) & 0777) < 0)
		return fail_set(f, r < 0 ? -r : errno, "secret \"%s\"", arg[0]);
	mount = mnt_clone(run->secrets, path, false, f);
	return mount < 0 ? mount : cover(run, mount, arg[1], f);
}
