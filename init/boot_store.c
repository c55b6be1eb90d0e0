/* SPDX-License-Identifier: Apache-2.0 */
#include "init/boot_store.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "init/aide.h"
#include "init/console.h"
#include "init/task.h"
#include "init/transient.h"

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

/* A rename takes no time, whatever is in it. */
static void put_tmp_aside(void)
{
	char aside[PATH_MAX];

	snprintf(aside, sizeof(aside), PATH_STORE "/tmp.%llu", (unsigned long long)loop_now());
	if (rename(PATH_TMP, aside) < 0 && errno != ENOENT)
		console_say("store: %s: %s", PATH_TMP, strerror(errno));
}

void boot_store_folders(void)
{
	put_tmp_aside();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(folders[i].path, folders[i].mode) < 0 && errno != EEXIST) {
			console_say("store: mkdir %s: %s", folders[i].path, strerror(errno));
			return; /* the rest would fail the same way */
		}
	transient_clean();
	aide_remove_leftovers();
}

/* --- preloaded archives ----------------------------------------------------------------------- */

static struct task preload;
static void (*preload_over)(bool ok);

static void preloaded(struct task *t, enum task_end end)
{
	(void)t;
	preload_over(end == TASK_OK);
}

static bool has_archives(void)
{
	_dir_ DIR *dir = opendir(PATH_PRELOAD);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			return true;
	return false;
}

void boot_preload(uint64_t timeout, void (*over)(bool ok))
{
	static const char *const argv[] = {PATH_IMAGE, "preload", NULL};
	struct fail f = {0};

	preload_over = over;
	if (!has_archives()) {
		over(true);
	} else if (task_start(&preload, "orlop-image", argv, NULL, 0, timeout, preloaded, &f) < 0) {
		console_say("images: %s", f.text);
		over(false);
	}
}
