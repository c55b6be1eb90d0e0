/* SPDX-License-Identifier: Apache-2.0 */
#include "init/transient_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/console.h"
#include "init/shell.h"

static void path_in(const char *folder, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

static int write_text(const char *path, const char *text, struct fail *f)
{
	_fd_
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = strlen(text);

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	if (write(fd, text, len) != (ssize_t)len)
		return fail_set(f, errno ? errno : ENOSPC, "write(\"%s\")", path);
	return 0;
}

int transient_write_file(const char *unit, const char *text, struct fail *f)
{
	char half[PATH_MAX], whole[PATH_MAX];
	int r;

	path_in(PATH_UNITS_RUN, unit, whole);
	snprintf(half, sizeof(half), PATH_UNITS_RUN "/.%s.new", unit);
	r = write_text(half, text, f);
	if (r == 0 && rename(half, whole) < 0)
		r = fail_set(f, errno, "rename(\"%s\")", half);
	if (r < 0)
		unlink(half);
	return r;
}

void transient_remove_file(const char *unit)
{
	char path[PATH_MAX];

	path_in(PATH_UNITS_RUN, unit, path);
	if (unlink(path) < 0 && errno != ENOENT)
		console_say("%s: %s", path, strerror(errno));
}

void transient_service(const char *unit, char *ret, size_t size)
{
	const char *dot = strrchr(unit, '.');

	snprintf(ret, size, "%.*s", (int)(dot ? dot - unit : (ptrdiff_t)strlen(unit)), unit);
}

/* --- volumes ---------------------------------------------------------------------------------- */

/* The name of a volume that has no unit of its own. */
static const char *named_volume(const struct unit_mount *m)
{
	return !strcmp(m->type, "volume") && !m->unit ? m->source.value : NULL;
}

static bool uses(const struct unit *u, const char *volume)
{
	const struct unit_mount *mounts = u->container ? u->container->mounts
					  : u->pod     ? u->pod->mounts
						       : NULL;
	size_t n = u->container ? u->container->n_mounts : u->pod ? u->pod->n_mounts : 0;

	if (u->volume && !strcmp(u->volume->name.value, volume))
		return true;
	for (size_t i = 0; i < n; i++)
		if (named_volume(&mounts[i]) && !strcmp(named_volume(&mounts[i]), volume))
			return true;
	return false;
}

static bool used_by_others(const struct unit *but, const char *volume)
{
	const struct unit_set *set = shell_set();

	for (size_t i = 0; i < set->n; i++)
		if (set->units[i] != but && shell_known(set->units[i]) &&
		    uses(set->units[i], volume))
			return true;
	return false;
}

void transient_volumes(const char *unit, struct names *ret)
{
	const struct unit *u = unit_by_name(shell_set(), unit);

	for (size_t i = 0; u && u->container && i < u->container->n_mounts; i++) {
		const char *volume = named_volume(&u->container->mounts[i]);

		if (volume && *volume && !used_by_others(u, volume))
			(void)names_add(ret, volume);
	}
}
