/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/boot.h"
#include "init/console.h"

#define NEW_ROOT "/orlop-root"

void boot_enter_root(void)
{
	struct stat st;
	const char *step = "stat";

	if (stat(NEW_ROOT, &st) < 0)
		return;
	/* A bind, not a copy: the pages are in the initramfs already (measured: no time, no memory). */
	if (step = "bind", mount(NEW_ROOT, NEW_ROOT, NULL, MS_BIND | MS_REC, NULL) < 0)
		goto failed;
	if (step = "read-only",
	    mount(NULL, NEW_ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) < 0)
		goto failed;
	if (step = "chdir", chdir(NEW_ROOT) < 0)
		goto failed;
	if (step = "move", mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		goto failed;
	if (step = "chroot", chroot(".") < 0)
		goto failed;
	if (chdir("/") == 0)
		return;
failed:
	console_say("root: %s of " NEW_ROOT ": %s, going on without", step, strerror(errno));
}
