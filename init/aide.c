/* SPDX-License-Identifier: Apache-2.0 */
#include "init/aide.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/condition.h"
#include "init/console.h"
#include "init/store_aide.h"

#define REMOVE_TIME (3600 * NSEC_PER_SEC)

static struct task remove_task;
static bool remove_again;

static void removed(struct task *t, enum task_end end)
{
	(void)t;
	(void)end;
	if (remove_again)
		aide_remove_leftovers();
}

void aide_remove_leftovers(void)
{
	static const char *const argv[] = {PATH_INIT, "--aide", "remove", NULL};
	struct fail f = {0};

	remove_again = task_runs(&remove_task);
	if (remove_again)
		return;
	if (task_start(&remove_task, "clean up", argv, NULL, 0, REMOVE_TIME, removed, &f) < 0)
		console_say("clean up: %s", f.text);
}

int aide_leave(struct task *task, uint64_t timeout, void (*over)(struct task *, enum task_end),
	       struct fail *f)
{
	static const char *const argv[] = {PATH_INIT, "--aide", "leave", NULL};

	return task_start(task, "unmount", argv, NULL, 0, timeout, over, f);
}

/* --- in the child ----------------------------------------------------------------------------- */

static int do_remove(void)
{
	_dir_ DIR *dir = opendir(PATH_STORE);
	struct dirent *e;
	int code = 0;

	while (dir && (e = readdir(dir))) {
		struct fail f = {0};

		if (strncmp(e->d_name, "tmp.", 4) != 0)
			continue;
		if (io_remove_tree(dirfd(dir), e->d_name, &f) < 0) {
			fprintf(stderr, "%s\n", f.text);
			code = 1;
		}
	}
	return code;
}

/* Time of the last shutdown, for the clock at the next boot (boot_clock_floor). */
static void save_clock(void)
{
	_fd_
	int fd = open(PATH_STATE "/clock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		futimens(fd, NULL);
}

/* Read-only first: whoever cannot be killed keeps the file system alive in a mount namespace of its own, and an unmount
 * alone would not even write out its journal then. */
static int leave_var(void)
{
	if (mount(NULL, "/var", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0) {
		umount2("/var", MNT_DETACH);
		return 0;
	}
	if (errno == EINVAL || errno == ENOENT) /* is no mount */
		return 0;
	fprintf(stderr, "/var: %s, everything read-only instead\n", strerror(errno));
	/* something that cannot be killed writes to it: the kernel makes everything read-only by force */
	return io_write_file(AT_FDCWD, "/proc/sysrq-trigger", "u", NULL) < 0;
}

/* Our own first: what else is mounted may hang. */
static int do_leave(void)
{
	int code;

	save_clock();
	code = leave_var();
	sync();
	return code;
}

static int copy_bytes(int from, int to)
{
	char block[65536];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0)
		if (io_write_all(to, block, (size_t)n) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

static int do_copy(char **args)
{
	char *slash = strrchr(args[1], '/');
	_fd_
	int from = open(args[0], O_RDONLY | O_CLOEXEC);
	_fd_
	int to = -1;

	if (from < 0 || !slash) {
		fprintf(stderr, "%s: %s\n", args[0], strerror(errno));
		return 1;
	}
	*slash = '\0';
	mkdir(args[1], 0700);
	*slash = '/';
	unlink(args[1]);
	to = open(args[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (to >= 0 && copy_bytes(from, to) == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", args[1], strerror(errno));
	return 1;
}

int aide_main(int argc, char **argv)
{
	static const struct {
		const char *word;
		int (*run)(void);
	} rows[] = {{"remove", do_remove}, {"leave", do_leave}, {"conditions", condition_main}};

	if (argc > 1 && !strcmp(argv[0], "store"))
		return store_aide(argc - 1, argv + 1);

	for (size_t i = 0; i < ARRAY_LEN(rows) && argc == 1; i++)
		if (!strcmp(rows[i].word, argv[0]))
			return rows[i].run();
	return argc == 3 && !strcmp(argv[0], "copy") ? do_copy(argv + 1) : 2;
}
