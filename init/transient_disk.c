/* SPDX-License-Identifier: Apache-2.0 */
#include "init/transient_disk.h"

#include <dirent.h>
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
#include "init/aide.h"
#include "init/boot_jobs.h"
#include "init/console.h"
#include "init/intent.h"
#include "init/shell.h"
#include "init/transient.h"

static void path_in(const char *folder, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

static void remove_one(const char *folder, const char *name)
{
	char path[PATH_MAX];

	path_in(folder, name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		console_say("%s: %s", path, strerror(errno));
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
	char note[PATH_MAX], half[PATH_MAX], whole[PATH_MAX];
	int r;

	path_in(PATH_TRANSIENT, unit, note);
	path_in(PATH_UNITS_RUN, unit, whole);
	snprintf(half, sizeof(half), PATH_UNITS_RUN "/.%s.new", unit);
	if (mkdir(PATH_TRANSIENT, 0700) < 0 && errno != EEXIST)
		return fail_set(f, errno, "mkdir(\"" PATH_TRANSIENT "\")");
	r = write_text(note, "", f);
	if (r == 0)
		r = write_text(half, text, f);
	if (r == 0 && rename(half, whole) < 0)
		r = fail_set(f, errno, "rename(\"%s\")", half);
	if (r < 0)
		unlink(half);
	aide_sync(); /* the note; in a child */
	return r;
}

void transient_remove_file(const char *unit)
{
	remove_one(PATH_UNITS_RUN, unit);
}

void transient_remove_rest(const char *unit)
{
	char path[PATH_MAX];

	path_in(PATH_TMP "/run", unit, path);
	if (rmdir(path) < 0 && errno != ENOENT)
		console_say("%s: %s", path, strerror(errno));
	if (intent_disabled(unit))
		intent_save(unit, true);
	remove_one(PATH_TRANSIENT, unit);
}

bool transient_is(const char *unit)
{
	char path[PATH_MAX];

	path_in(PATH_TRANSIENT, unit, path);
	return access(path, F_OK) == 0;
}

void transient_service(const char *unit, char *ret, size_t size)
{
	const char *dot = strrchr(unit, '.');

	snprintf(ret, size, "%.*s", (int)(dot ? dot - unit : (ptrdiff_t)strlen(unit)), unit);
}

/* Out of the way: what is called tmp.* is removed by a child. */
static void put_aside(const char *folder, const char *name)
{
	static unsigned n;
	char from[PATH_MAX], to[PATH_MAX];

	path_in(folder, name, from);
	snprintf(to, sizeof(to), PATH_STORE "/tmp.%llu.%u", (unsigned long long)loop_now(), n++);
	if (rename(from, to) < 0 && errno != ENOENT)
		console_say("%s: %s", from, strerror(errno));
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

void transient_remove_volumes(const char *unit)
{
	const struct unit *u = unit_by_name(shell_set(), unit);

	for (size_t i = 0; u && u->container && i < u->container->n_mounts; i++) {
		const char *volume = named_volume(&u->container->mounts[i]);

		if (volume && *volume && !used_by_others(u, volume))
			put_aside(PATH_VOLUMES, volume);
	}
	aide_remove_leftovers();
}

/* --- the next boot ---------------------------------------------------------------------------- */

void transient_clean(void)
{
	_dir_ DIR *dir = opendir(PATH_TRANSIENT);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char service[NAME_MAX + 1];

		if (e->d_name[0] == '.')
			continue;
		transient_service(e->d_name, service, sizeof(service));
		put_aside(PATH_LOGS, service);
		boot_network_forget(e->d_name);
		transient_remove_file(e->d_name);
		transient_remove_rest(e->d_name);
	}
}
