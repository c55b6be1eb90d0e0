/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-filter: compiles system call filters and leaves. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "filter/filter.h"

#define PROFILE_MAX (1u << 20)
#define NOBODY      65534

static int usage(FILE *to)
{
	fputs("usage: orlop-filter VERB ARGUMENT...\n\n"
	      "  default CAPS DIR   compile the default filter for these capabilities (hex) into DIR\n"
	      "  profile CAPS       compile the JSON profile on 0 into the empty file on 1\n",
	      to);
	return to == stdout ? 0 : 2;
}

static int complain(const struct fail *f)
{
	fprintf(stderr, "%s\n", f->text);
	return 1;
}

/* Into a file of another name first: two starts may do this at once, the last rename wins. */
static int compile_into(uint64_t caps, const char *dir, struct fail *f)
{
	char key[FILTER_KEY_MAX], temporary[FILTER_KEY_MAX + 32];
	_fd_
	int parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	int r;

	if (parent < 0)
		return fail_set(f, errno, "open(\"%s\")", dir);
	filter_key(caps, key);
	snprintf(temporary, sizeof(temporary), ".%s.%d", key, (int)getpid());
	fd = openat(parent, temporary, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail_set(f, errno, "create(\"%s/%s\")", dir, temporary);
	r = filter_compile(caps, fd, f);
	if (r == 0 && renameat(parent, temporary, parent, key) < 0)
		r = fail_set(f, errno, "rename(\"%s/%s\")", dir, temporary);
	if (r < 0)
		unlinkat(parent, temporary, 0);
	return r;
}

/* A profile comes from whoever wrote the unit, perhaps by way of the network. From here on this process is
 * nobody, has no fds but these three, and may call what computing and writing takes. */
static int confine(struct fail *f)
{
	static const char *const calls[] = {"read",       "pread64", "write",      "pwrite64",
					    "lseek",      "brk",     "mmap",       "munmap",
					    "mremap",     "fstat",   "newfstatat", "exit",
					    "exit_group", "futex",   "getrandom",  "memfd_create"};
	const struct rlimit memory = {256 << 20, 256 << 20}, cpu = {10, 10}, none = {0, 0};
	scmp_filter_ctx ctx;
	int r = 0;

	if (close_range(3, ~0u, 0) < 0 || setrlimit(RLIMIT_AS, &memory) < 0 ||
	    setrlimit(RLIMIT_CPU, &cpu) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0)
		return fail_set(f, errno, "limits");
	if (getuid() == 0 &&
	    (chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0 || setgroups(0, NULL) < 0 ||
	     setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return fail_set(f, errno, "becoming nobody");
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return fail_set(f, ENOMEM, "seccomp");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(calls); i++) {
		int number = seccomp_syscall_resolve_name(calls[i]);

		r = number == __NR_SCMP_ERROR ? 0
					      : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0);
	}
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? fail_set(f, -r, "confining the reader of profiles") : 0;
}

static int profile(uint64_t caps, struct fail *f)
{
	_free_
	char *json = NULL;
	struct utsname u;
	size_t len;
	int r;

	if (uname(&u) < 0)
		return fail_set(f, errno, "uname");
	r = confine(f);
	if (r == 0)
		r = io_read_fd(0, "profile", PROFILE_MAX, &json, &len, f);
	return r < 0 ? r : filter_compile_profile(json, len, caps, u.release, 1, f);
}

int main(int argc, char **argv)
{
	struct fail f = {0};
	uint64_t caps;
	char *end;

	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (argc < 3)
		return usage(stderr);
	caps = strtoull(argv[2], &end, 16);
	if (*end || end == argv[2])
		return usage(stderr);
	if (argc == 4 && !strcmp(argv[1], "default"))
		return compile_into(caps, argv[3], &f) < 0 ? complain(&f) : 0;
	if (argc == 3 && !strcmp(argv[1], "profile"))
		return profile(caps, &f) < 0 ? complain(&f) : 0;
	return usage(stderr);
}
