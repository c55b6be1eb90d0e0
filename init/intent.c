/* SPDX-License-Identifier: Apache-2.0 */
#include "init/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "init/aide.h"
#include "init/console.h"

#define DISABLED PATH_STATE "/disabled"

static void path_of(const char *unit, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, DISABLED "/%s", unit);
}

void intent_save(const char *unit, bool enabled)
{
	char path[PATH_MAX];
	int fd;

	path_of(unit, path);
	if (enabled) {
		if (unlink(path) < 0 && errno != ENOENT)
			console_say("%s: enable: %s", unit, strerror(errno));
	} else {
		mkdir(DISABLED, 0700);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			console_say("%s: disable: %s", unit, strerror(errno));
		else
			close(fd);
	}
	aide_sync(); /* in a child: a disk may take its time */
}

bool intent_disabled(const char *unit)
{
	char path[PATH_MAX];

	path_of(unit, path);
	return access(path, F_OK) == 0;
}
