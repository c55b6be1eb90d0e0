/* SPDX-License-Identifier: Apache-2.0 */
#include "init/store_aide.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/words.h"
#include "init/packed.h"
#include "init/transient_disk.h"
#include "units/load.h"

#define DISABLED  PATH_STATE "/disabled"
#define ANSWER_FD 3

static int complain(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

/* --- single names in a folder, on the disk ---------------------------------------------------- */

static int sync_folder(const char *folder)
{
	_fd_
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	return fd < 0 || fsync(fd) < 0 ? complain(folder) : 0;
}

/* An empty file says it all by its name. */
static int add_name(const char *folder, const char *name)
{
	struct fail f = {0};
	_fd_
	int fd = -1;

	if (mkdir(folder, 0700) == 0 && sync_folder(PATH_STATE))
		return 1;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return complain(folder);
	if (io_replace_file(fd, name, "", 0, 0600, &f) == 0)
		return 0;
	fprintf(stderr, "%s\n", f.text);
	return 1;
}

/* Without being written out: see sync_folder(). */
static int drop_name(const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return unlink(path) == 0 || errno == ENOENT ? 0 : complain(path);
}

static int remove_name(const char *folder, const char *name)
{
	return drop_name(folder, name) || sync_folder(folder);
}

/* Out of the way: what is called tmp.* is removed by another child (aide.h), as trees take their time. */
static int put_aside(const char *folder, const char *name)
{
	static unsigned n;
	char from[PATH_MAX], to[PATH_MAX];
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	snprintf(from, sizeof(from), "%s%s%s", folder, name ? "/" : "", name ? name : "");
	snprintf(to, sizeof(to), PATH_STORE "/tmp.%lld.%09ld.%u", (long long)now.tv_sec,
		 now.tv_nsec, n++);
	return rename(from, to) == 0 || errno == ENOENT ? 0 : complain(from);
}

/* --- words ------------------------------------------------------------------------------------ */

static int answer_units(const struct buf *list, char **dirs)
{
	_buf_ struct buf units = {0};
	struct fail f = {0};
	int r = units_pack_dirs((const char *const *)dirs, &units, &f);

	if (r == 0)
		r = packed_write(ANSWER_FD, list, &units, &f);
	if (r < 0)
		fprintf(stderr, "%s\n", f.text);
	return r < 0;
}

static int do_units(char **args)
{
	return answer_units(&(struct buf){0}, args);
}

static int do_note(char **args)
{
	return add_name(PATH_TRANSIENT, args[0]) || answer_units(&(struct buf){0}, args + 1);
}

static int do_enable(char **args)
{
	return remove_name(DISABLED, args[0]);
}

static int do_disable(char **args)
{
	return add_name(DISABLED, args[0]);
}

/* What orlop-run had mounted for a unit is gone from there. */
static int drop_mounts(const char *unit)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PATH_TMP "/run/%s", unit);
	return rmdir(path) == 0 || errno == ENOENT ? 0 : complain(path);
}

/* The note goes last: until then the next boot does it all again. */
static int do_forget(char **args)
{
	int code = 0;

	for (char **volume = args + 1; *volume; volume++)
		code |= put_aside(PATH_VOLUMES, *volume);
	if (args[1])
		code |= sync_folder(PATH_VOLUMES);
	return code || drop_mounts(args[0]) || remove_name(DISABLED, args[0]) ||
	       remove_name(PATH_TRANSIENT, args[0]);
}

/* --- boot ------------------------------------------------------------------------------------- */

static const struct {
	const char *path;
	mode_t mode;
} folders[] = {
	{"/var/lib", 0755},        {PATH_STORE, 0700},   {PATH_IMAGES, 0755},
	{PATH_IMAGE_NAMES, 0755},  {PATH_LAYERS, 0755},  {PATH_VOLUMES, 0755},
	{PATH_UNITS_VAR, 0755},    {PATH_SECRETS, 0700}, {PATH_LOGS, 0700},
	{PATH_STATE, 0700},        {PATH_TMP, 0755},     {PATH_HOSTS, 0755},
	{PATH_UNITS_RUN, 0755},    {"/var/log", 0755},   {"/var/tmp", 01777},
	{"/var/lib/dhcpcd", 0755},
};

static bool make_folders(void)
{
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(folders[i].path, folders[i].mode) < 0 && errno != EEXIST) {
			complain(folders[i].path);
			return false; /* the rest would fail the same way */
		}
	return true;
}

static void for_each_name(const char *folder, void (*what)(const char *name, struct buf *list),
			  struct buf *list)
{
	_dir_ DIR *dir = opendir(folder);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			what(e->d_name, list);
}

/* Units that commands made are gone with the boot that had them. */
static void gone(const char *unit, struct buf *list)
{
	char service[NAME_MAX + 1];

	transient_service(unit, service, sizeof(service));
	if (put_aside(PATH_LOGS, service) | drop_name(PATH_UNITS_RUN, unit) | drop_mounts(unit) |
	    drop_name(DISABLED, unit))
		return;
	words_add(list, "gone");
	words_add(list, unit);
}

/* All of them together, as there may be hundreds and each sync takes its time. Their notes go last: until then the next
 * boot does it all again. */
static void all_gone(struct buf *list)
{
	struct words_iter it;
	const char *unit;

	for_each_name(PATH_TRANSIENT, gone, list);
	if (!list->len || list->bad || sync_folder(PATH_LOGS) | sync_folder(DISABLED))
		return;
	words_iter_init(&it, list->data, list->len);
	while (words_next(&it) && (unit = words_next(&it)))
		drop_name(PATH_TRANSIENT, unit);
	sync_folder(PATH_TRANSIENT);
}

static void disabled(const char *unit, struct buf *list)
{
	words_add(list, "disabled");
	words_add(list, unit);
}

static void last_shutdown(struct buf *list)
{
	struct stat st;

	if (stat(PATH_STATE "/clock", &st) < 0)
		return;
	words_add(list, "clock");
	buf_fmt(list, "%lld", (long long)st.st_mtim.tv_sec);
	buf_chr(list, '\0');
}

/* A disk that takes nothing is no reason not to read what is there. */
static int do_boot(char **args)
{
	_buf_ struct buf list = {0};

	put_aside(PATH_TMP, NULL);
	if (make_folders())
		all_gone(&list);
	for_each_name(DISABLED, disabled, &list);
	last_shutdown(&list);
	return answer_units(&list, args);
}

int store_aide(int argc, char **argv)
{
	static const struct {
		const char *word;
		int least; /* arguments */
		int (*run)(char **args);
	} rows[] = {
		{"boot", 0, do_boot},     {"units", 0, do_units},     {"note", 1, do_note},
		{"forget", 1, do_forget}, {"disable", 1, do_disable}, {"enable", 1, do_enable},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) && argc > 0; i++)
		if (!strcmp(rows[i].word, argv[0]))
			return argc > rows[i].least ? rows[i].run(argv + 1) : 2;
	return 2;
}
