/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-disk: the data disk.
 *
 *	orlop-disk setup    at boot, by PID 1: find, check or make it, mount it on /var. Writes three words
 *	                    to fd 3: state (persistent, volatile, refused), device, text. Exits 0
 *	                    however it ended; another code means that there is no answer.
 *	orlop-disk list     what it sees on each disk, and what it would do. Changes nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/words.h"
#include "rootfs/disk/decide.h"
#include "rootfs/disk/device.h"
#include "rootfs/disk/probe.h"
#include "rootfs/disk/setup.h"

#define ANSWER_FD 3

/* Whether the kernel command line has this word. */
static bool kernel_word(const char *word)
{
	char line[4096] = "";
	_fd_
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		return false;
	for (char *save, *w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (strcmp(w, word) == 0)
			return true;
	return false;
}

static int setup(void)
{
	const struct disk_setup how = {
		.read_only = kernel_word("orlop.rescue"),
		.no_disk = kernel_word("orlop.disk=none"),
	};
	struct disk_outcome outcome;
	_buf_ struct buf answer = {0};

	disk_setup(&how, &outcome);
	words_add(&answer, disk_state_names[outcome.state]);
	words_add(&answer, outcome.device);
	words_add(&answer, outcome.text);
	return io_write_all(ANSWER_FD, answer.data, answer.len) < 0;
}

static int list(void)
{
	static const char *const kinds[] = {
		[SNIFF_UNREADABLE] = "unreadable", [SNIFF_BLANK] = "blank",
		[SNIFF_HALF_MADE] = "half made",   [SNIFF_EXT] = "ext file system",
		[SNIFF_FOREIGN] = "other data",
	};
	static struct disk disks[DISK_MAX];
	struct decision d;
	struct fail f = {0};
	size_t n = 0;

	if (device_list(disks, DISK_MAX, &n, &f) < 0 || probe_disks(disks, n, &f) < 0) {
		fprintf(stderr, "orlop-disk: %s\n", f.text);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		printf("%-16s %8llu MiB  %s%s%s%s\n", disks[i].path,
		       (unsigned long long)(disks[i].size >> 20), kinds[disks[i].found.kind],
		       disks[i].found.label[0] ? ", label " : "", disks[i].found.label,
		       disks[i].partitioned ? ", has partitions" : "");
	disk_decide(disks, n, &d);
	printf("%s\n", d.text);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "setup") == 0)
		return setup();
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	fprintf(stderr, "usage: orlop-disk setup|list\n");
	return 2;
}
