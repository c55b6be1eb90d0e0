/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "init/boot.h"
#include "init/console.h"

struct mount_row {
	const char *type, *target;
	unsigned long flags;
	const char *options;
	const char *fallback; /* options for a kernel that does not know the first ones */
};

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* /dev holds no setuid file and needs devices; /run and /tmp are bounded, so that nobody fills the memory. */
static const struct mount_row rows[] = {
	{"proc", "/proc", PLAIN, NULL, NULL},
	{"sysfs", "/sys", PLAIN, NULL, NULL},
	{"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755", NULL},
	{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666", NULL},
	{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777,size=25%", NULL},
	{"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755,size=20%", NULL},
	{"tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777,size=25%", NULL},
	{"cgroup2", "/sys/fs/cgroup", PLAIN, "nsdelegate,memory_recursiveprot", "nsdelegate"},
};

void boot_mounts(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mount_row *m = &rows[i];

		/* those below another mount are not there yet; in the read-only root they are */
		mkdir(m->target, 0755);
		if (mount(m->type, m->target, m->type, m->flags, m->options) == 0)
			continue;
		if (errno == EINVAL && m->fallback &&
		    mount(m->type, m->target, m->type, m->flags, m->fallback) == 0)
			continue;
		if (errno != EBUSY) /* an initramfs tool may have mounted it */
			console_say("mount %s: %s", m->target, strerror(errno));
	}
	/* The kernel's answer to "who sees a new mount" decides where container mounts go: nowhere. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		console_say("private mounts: %s", strerror(errno));
}
