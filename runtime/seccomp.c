/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

static int read_filter(const char *dir, const char *key, struct seccomp_filter *ret, struct fail *f)
{
	char path[256];
	char *data;
	size_t len, n;
	struct filter_file *file;
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	r = io_read_file(AT_FDCWD, path, FILTER_FILE_MAX, &data, &len, f);
	if (r < 0)
		return r;
	file = (struct filter_file *)(void *)data;
	n = len < sizeof(*file) ? 0 : file->n;
	if (!n || n > BPF_MAXINSNS || file->magic != FILTER_MAGIC ||
	    len != sizeof(*file) + n * sizeof(struct sock_filter)) {
		free(data);
		return fail_set(f, EINVAL, "\"%s\" is no compiled filter", path);
	}
	ret->file = file;
	return 0;
}

/* Runs orlop-filter to its end; what it says on stderr is the reason of a failure. */
static int run_filter(const char *const *argv, int in, int out, struct fail *f)
{
	struct spawn s = {.argv = argv, .cgroup = -1, .fds = {in, out, -1}, .n_fds = 3};
	char text[256] = "";
	int says[2], pidfd, status;
	ssize_t n;
	pid_t pid;

	if (pipe2(says, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe");
	s.fds[2] = says[1];
	pid = spawn(&s, &pidfd, f);
	close(says[1]);
	if (pid < 0) {
		close(says[0]);
		return (int)pid;
	}
	n = read(says[0], text, sizeof(text) - 1);
	text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
	close(says[0]);
	close(pidfd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_set(f, errno, "wait for orlop-filter");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fail_set(f, 0, "%s", *text ? text : "orlop-filter was killed");
	return 0;
}

static int compile_default(uint64_t caps, struct fail *f)
{
	char hex[24];
	const char *const argv[] = {PATH_FILTER, "default", hex, SECCOMP_CACHE, NULL};

	snprintf(hex, sizeof(hex), "%" PRIx64, caps);
	return run_filter(argv, -1, -1, f);
}

/* The helper gets the profile and an empty file as its fds; the file has its name once it is complete. */
static int compile_profile(int profile, uint64_t caps, const char *key, struct fail *f)
{
	char hex[24], temporary[FILTER_KEY_MAX + 32];
	const char *const argv[] = {PATH_FILTER, "profile", hex, NULL};
	_fd_
	int dir = open(SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), out = -1;
	int r;

	snprintf(hex, sizeof(hex), "%" PRIx64, caps);
	snprintf(temporary, sizeof(temporary), ".%s.%d", key, (int)getpid());
	if (dir >= 0)
		out = openat(dir, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return fail_set(f, errno, "create(\"" SECCOMP_CACHE "/%s\")", temporary);
	r = run_filter(argv, profile, out, f);
	if (r == 0 && renameat(dir, temporary, dir, key) < 0)
		r = fail_set(f, errno, "rename(\"" SECCOMP_CACHE "/%s\")", temporary);
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

static int load_default(uint64_t caps, struct seccomp_filter *ret, struct fail *f)
{
	char key[FILTER_KEY_MAX];
	int r;

	filter_key(caps, key);
	r = read_filter(PATH_SECCOMP, key, ret, f);
	if (r == -ENOENT)
		r = read_filter(SECCOMP_CACHE, key, ret, f);
	if (r != -ENOENT)
		return r;
	r = io_mkdirs(SECCOMP_CACHE, 0700, f);
	if (r == 0)
		r = compile_default(caps, f);
	return r < 0 ? r : read_filter(SECCOMP_CACHE, key, ret, f);
}

/* An edited profile is another file, and so is another key. */
static int load_profile(const char *path, uint64_t caps, struct seccomp_filter *ret, struct fail *f)
{
	char key[FILTER_KEY_MAX];
	struct stat st;
	_fd_
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_set(f, errno, "SeccompProfile=%s", path);
	if (!S_ISREG(st.st_mode))
		return fail_set(f, EINVAL, "SeccompProfile=%s is no file", path);
	snprintf(key, sizeof(key), "file-%jx-%jx-%jx-%jx.%lx-%" PRIx64, (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino, (uintmax_t)st.st_size, (uintmax_t)st.st_ctim.tv_sec,
		 (unsigned long)st.st_ctim.tv_nsec, caps);
	r = read_filter(SECCOMP_CACHE, key, ret, f);
	if (r != -ENOENT)
		return r;
	r = io_mkdirs(SECCOMP_CACHE, 0700, f);
	if (r == 0)
		r = compile_profile(fd, caps, key, f);
	if (r < 0)
		return fail_wrap(f, "SeccompProfile=%s", path);
	return read_filter(SECCOMP_CACHE, key, ret, f);
}

int filter_load(const char *profile, uint64_t caps, struct seccomp_filter *ret, struct fail *f)
{
	return strcmp(profile, "default") ? load_profile(profile, caps, ret, f)
					  : load_default(caps, ret, f);
}

int filter_install(const struct seccomp_filter *filter, struct fail *f)
{
	struct filter_file *file = filter->file;
	struct sock_fprog prog;

	if (!file)
		return 0;
	prog = (struct sock_fprog){.len = (unsigned short)file->n, .filter = file->insns};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return fail_set(f, errno, "seccomp");
	return 0;
}
