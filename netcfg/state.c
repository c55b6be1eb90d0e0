/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/store.h"

#define LOCK_PATH PATH_RUNDIR "/network.lock"

/* The specs of a whole host: 65,536 members of 200 bytes. */
#define SPEC_MAX (16u << 20)

static int load_spec(const char *path, struct net_spec *spec, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = io_read_file(AT_FDCWD, path, SPEC_MAX, &data, &len, f);

	if (r == -ENOENT)
		return fail_set(f, ENOENT, "orlop-net up has not run (%s)", path);
	return r < 0 ? r : netspec_decode(spec, data, len, f);
}

int state_load_spec(struct net_spec *spec, struct fail *f)
{
	return load_spec(PATH_NETSPEC, spec, f);
}

int state_load_want(struct net_spec *spec, struct fail *f)
{
	return load_spec(PATH_NETWANT, spec, f);
}

static int open_dir(struct fail *f)
{
	int fd = open(PATH_PORTS, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail_set(f, errno, "open(\"%s\")", PATH_PORTS) : fd;
}

static int load(int dir, const char *name, struct unit_state *s, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = io_read_file(dir, name, LIMIT_SPEC, &data, &len, f);

	*s = (struct unit_state){0};
	if (r == 0)
		r = unit_state_decode(s, data, len, f);
	if (r == 0 && !s->unit) {
		unit_state_done(s);
		r = fail_set(f, EBADMSG, "%s/%s", PATH_PORTS, name);
	}
	return r;
}

int state_load_unit(const char *unit, struct unit_state *s, struct fail *f)
{
	_fd_
	int dir = -1;

	if (!store_name_valid(unit))
		return fail_set(f, EINVAL, "not a unit's name: \"%.80s\"", unit);
	dir = open_dir(f);
	return dir < 0 ? dir : load(dir, unit, s, f);
}

/* Not io_replace_file(): the folder lives in memory and nothing outlives a power cut in it, so nothing
 * needs to be synced; the rename alone keeps readers from half a file. */
int state_save_unit(const struct unit_state *s, struct fail *f)
{
	_fd_
	int dir = -1, fd = -1;
	_buf_ struct buf b = {0};
	char tmp[LIMIT_UNIT_NAME + 8];
	int r;

	if (!store_name_valid(s->unit))
		return fail_set(f, EINVAL, "not a unit's name: \"%.80s\"", s->unit);
	unit_state_encode(s, &b);
	if (b.bad)
		return fail_set(f, ENOMEM, "state");
	r = io_mkdirs(PATH_PORTS, 0755, f);
	if (r < 0)
		return r;
	dir = open_dir(f);
	if (dir < 0)
		return dir;
	snprintf(tmp, sizeof(tmp), ".%s.tmp", s->unit);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_set(f, errno, "open(\"%s/%s\")", PATH_PORTS, tmp);
	r = io_write_all(fd, b.data, b.len);
	if (r < 0)
		return fail_set(f, -r, "write(\"%s/%s\")", PATH_PORTS, tmp);
	if (renameat(dir, tmp, dir, s->unit) < 0)
		return fail_set(f, errno, "rename(\"%s/%s\")", PATH_PORTS, tmp);
	return 0;
}

int state_remove_unit(const char *unit, struct fail *f)
{
	_fd_
	int dir = open_dir(f);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, unit, 0) < 0 && errno != ENOENT)
		return fail_set(f, errno, "unlink(\"%s/%s\")", PATH_PORTS, unit);
	return 0;
}

int state_each_unit(int (*each)(const struct unit_state *s, void *arg), void *arg, struct fail *f)
{
	_dir_ DIR *dir = opendir(PATH_PORTS);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : fail_set(f, errno, "opendir(\"%s\")", PATH_PORTS);
	while (r >= 0 && (e = readdir(dir))) {
		struct unit_state s;

		if (!store_name_valid(e->d_name) || load(dirfd(dir), e->d_name, &s, NULL) < 0)
			continue;
		r = each(&s, arg);
		unit_state_done(&s);
	}
	return r;
}

int state_lock(int how, struct fail *f)
{
	_fd_
	int fd = -1;
	int r = io_mkdirs(PATH_RUNDIR, 0755, f);

	if (r < 0)
		return r;
	fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", LOCK_PATH);
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return fail_set(f, errno, "lock(\"%s\")", LOCK_PATH);
	return take_fd(&fd);
}
