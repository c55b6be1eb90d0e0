/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slave and shared: what the host mounts below a directory later is to be seen in the container too. The kernel
 * tells only of mounts that are shared, and PID 1 makes them private, as the kernel does by itself: nothing of
 * one container's is another's business. So the mounts that a volume is of are made shared when somebody asks.
 * That they stay: every container starts by closing its ears.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/mnt.h"
#include "runtime/run.h"

/* Undoes the octal escapes of /proc/self/mountinfo in place. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	*out = '\0';
}

static int mount_id(int fd, const char *path, uint64_t *ret, struct fail *f)
{
	struct statx st;

	if (statx(fd, path, AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return fail_set(f, errno, "statx(\"%s\")", path);
	*ret = st.stx_mnt_id;
	return 0;
}

static int share(const char *point, uint64_t id, struct fail *f)
{
	struct mount_attr attr = {.propagation = MS_SHARED};
	_fd_
	int fd = open(point, O_PATH | O_CLOEXEC);
	uint64_t found = 0;

	/* something else is mounted over it, or it has gone: nobody will mount anything in it */
	if (fd < 0 || mount_id(fd, "", &found, NULL) < 0 || found != id)
		return 0;
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return fail_set(f, errno, "making the mount at \"%s\" shared", point);
	return 0;
}

static bool is_below(const char *point, const char *top)
{
	size_t n = strlen(top);

	return !strcmp(top, "/") || (!strncmp(point, top, n) && point[n] == '/');
}

/* source: of a volume, existing. The mount it is in, and all that are in it. */
int spread_apply(struct run *run, char *const *arg, struct fail *f)
{
	_free_
	char *top = realpath(arg[0], NULL), *line = NULL;
	_file_ FILE *info = NULL;
	uint64_t id;
	size_t room = 0;
	int r;

	(void)run;
	if (!top)
		return fail_set(f, errno, "\"%s\"", arg[0]);
	r = mount_id(AT_FDCWD, top, &id, f);
	if (r < 0)
		return r;
	info = fopen("/proc/self/mountinfo", "re");
	if (!info)
		return fail_set(f, errno, "open(\"/proc/self/mountinfo\")");
	while (r == 0 && getline(&line, &room, info) > 0) {
		char *rest = NULL, *number = strtok_r(line, " ", &rest), *point;
		uint64_t other = number ? strtoull(number, NULL, 10) : 0;

		strtok_r(NULL, " ", &rest); /* parent, device, root */
		strtok_r(NULL, " ", &rest);
		strtok_r(NULL, " ", &rest);
		point = strtok_r(NULL, " ", &rest);
		if (!point || !rest || strstr(rest, " shared:"))
			continue;
		unescape(point);
		if (other == id || is_below(point, top))
			r = share(point, other, f);
	}
	return r;
}
