/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/disk/drivers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rootfs/disk/tool.h"

#define VIRTIO_DEVICES "/sys/bus/virtio/devices"
#define VIRTIO_ID_SCSI 8

static bool has_virtio(unsigned long id)
{
	_dir_ DIR *bus = opendir(VIRTIO_DEVICES);

	if (!bus)
		return false;
	for (struct dirent *e; (e = readdir(bus));) {
		_fd_
		int dir = openat(dirfd(bus), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		_fd_
		int fd = dir < 0 ? -1 : openat(dir, "device", O_RDONLY | O_CLOEXEC);
		char text[16] = "";

		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strtoul(text, NULL, 0) == id)
			return true;
	}
	return false;
}

int drivers_load(struct fail *f)
{
	/* In this order, the disks are there when modprobe returns: the kernel scans the bus while the
	 * first is loaded (scsi_mod.scan=sync on its command line) and waits for the disks' own probes
	 * at the end of loading the second. */
	const char *const controller[] = {"/sbin/modprobe", "virtio_scsi", NULL};
	const char *const disks[] = {"/sbin/modprobe", "sd_mod", NULL};

	if (!has_virtio(VIRTIO_ID_SCSI))
		return 0;
	if (tool_run(controller, 20, f) != 0 || tool_run(disks, 20, f) != 0)
		return fail_wrap(f, "drivers of the SCSI controller");
	return 0;
}
