/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"

#define NOBODY    65534
#define EMPTY_DIR PATH_TMP "/empty"

/* Memory: zstd may ask for a window of 128 MiB, JSON of 4 MiB for some 200. Time is there to end a job that runs
 * in circles, not to hurry one on a slow machine. */
static const struct {
	int what;
	rlim_t value;
} limits[] = {
	{RLIMIT_AS, 768u << 20}, {RLIMIT_CPU, 3600}, {RLIMIT_FSIZE, 0},
	{RLIMIT_NOFILE, 0},      {RLIMIT_NPROC, 0},  {RLIMIT_CORE, 0},
};

static const int allowed[] = {
	SCMP_SYS(read),   SCMP_SYS(write),         SCMP_SYS(readv),
	SCMP_SYS(writev), SCMP_SYS(pread64),       SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(brk),           SCMP_SYS(madvise),
	SCMP_SYS(exit),   SCMP_SYS(exit_group),    SCMP_SYS(rt_sigreturn),
	SCMP_SYS(futex),  SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigprocmask),
};

/* The filter as the kernel wants it, made once by the parent: the children inherit it. */
static struct sock_filter *filter;
static size_t filter_len;

static int export_filter(scmp_filter_ctx ctx, struct fail *f)
{
	_fd_
	int fd = memfd_create("filter", MFD_CLOEXEC);
	char *data;
	size_t len;
	int r;

	if (fd < 0)
		return fail_set(f, errno, "memfd_create");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return fail_set(f, -r, "export the system call filter");
	r = io_read_fd(fd, "filter", 1 << 20, &data, &len, f);
	if (r < 0)
		return r;
	filter = (struct sock_filter *)data; /* kept for the life of the process */
	filter_len = len / sizeof(*filter);
	return 0;
}

static int make_filter(struct fail *f)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = 0;

	if (!ctx)
		return fail_set(f, ENOMEM, "system call filter");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* libc's iconv, which libarchive asks about pax names, looks for its modules: there are none,
	 * names are bytes to us */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(openat), 0);
	/* memory may be had, code may not */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r < 0)
		r = fail_set(f, -r, "system call filter");
	else
		r = export_filter(ctx, f);
	seccomp_release(ctx);
	return r;
}

/* fds[i] becomes i; everything else is closed. */
static int place_fds(const int fds[JOB__N])
{
	int high[JOB__N];

	for (int i = 0; i < JOB__N; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, JOB__N);
		if (fds[i] >= 0 && high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < JOB__N; i++)
		if (high[i] < 0)
			close(i);
		else if (dup2(high[i], i) < 0)
			return -errno;
	return close_range(JOB__N, ~0u, 0) < 0 ? -errno : 0;
}

static int confine(pid_t parent)
{
	struct sock_fprog prog = {.len = (unsigned short)filter_len, .filter = filter};

	if (chroot(EMPTY_DIR) < 0 || chdir("/") < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit rl = {limits[i].value, limits[i].value};

		if (setrlimit((__rlimit_resource_t)limits[i].what, &rl) < 0)
			return -errno;
	}
	/* after the change of ids, which would have cleared it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		_exit(1);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ? -errno : 0;
}

__attribute__((noreturn)) static void child(const struct job *job, pid_t parent)
{
	static struct job_status st;
	int r;

	st.size = sizeof(st);
	st.job = job->number;
	signal(SIGPIPE, SIG_DFL); /* a pipeline ends from its end: no reader, no work */
	r = place_fds(job->fds);
	if (r == 0)
		r = confine(parent);
	if (r < 0)
		job_fail(&st, -r, "confining the %s: %s", job->name, strerror(-r));
	else
		r = job->run(job->arg, &st);
	if (r < 0 && st.code == 0)
		st.code = -r;
	_exit(write(JOB_STATUS, &st, sizeof(st)) == sizeof(st) ? 0 : 1);
}

pid_t sandbox_start(const struct job *job, struct fail *f)
{
	pid_t parent = getpid(), pid;

	if (!filter) {
		int r = io_mkdirs(EMPTY_DIR, 0700, f);

		if (r == 0)
			r = make_filter(f);
		if (r < 0)
			return fail_wrap(f, "sandbox");
		/* what lies in it nobody has put there; the sandboxed may look, not write */
		(void)chmod(EMPTY_DIR, 0555);
	}
	pid = fork();
	if (pid == 0)
		child(job, parent);
	return pid < 0 ? fail_set(f, errno, "fork for the %s", job->name) : pid;
}

int sandbox_wait(pid_t pid, const char *name, struct fail *f)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_set(f, errno, "wait for the %s", name);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return fail_set(f, EPERM, "the %s tried a forbidden system call and was killed",
				name);
	if (WIFSIGNALED(status))
		return fail_set(f, EIO, "the %s was killed by signal %d (%s)", name,
				WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status) ? fail_set(f, EIO, "the %s ended without a word", name) : 0;
}

int job_fail(struct job_status *st, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(st->text, sizeof(st->text), fmt, ap);
	va_end(ap);
	st->code = code;
	return -code;
}
