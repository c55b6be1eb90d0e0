/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/boot.h"
#include "init/console.h"

#define MODULES_LIST PATH_LIBEXEC "/modules.list"

static void load(const char *path)
{
	_fd_
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		/* ENODEV is a driver whose hardware is not there */
		if (errno != ENODEV)
			console_say("module %s: %s", path, strerror(errno));
}

void boot_modules(void)
{
	_free_
	char *list = NULL;
	char *rest, *line;
	struct fail f = {0};
	size_t len;

	if (io_read_file(AT_FDCWD, MODULES_LIST, 1 << 20, &list, &len, &f) < 0) {
		if (f.code != ENOENT) /* everything built in */
			console_say("modules: %s", f.text);
		return;
	}
	rest = list;
	while ((line = strsep(&rest, "\n")))
		if (line[0] && line[0] != '#')
			load(line);
}
