/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

int privilege_lower(struct fail *f)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_set(f, errno, "no_new_privs");
	if (getuid() != 0)
		return 0;
	if (setegid(PRIVILEGE_UID) < 0 || seteuid(PRIVILEGE_UID) < 0)
		return fail_set(f, errno, "seteuid(%u)", PRIVILEGE_UID);
	return 0;
}

int privilege_raise(struct fail *f)
{
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
		return fail_set(f, errno, "seteuid(0)");
	return 0;
}

int privilege_drop(struct fail *f)
{
	if (privilege_raise(f) < 0)
		return -f->code;
	if (getuid() != 0)
		return 0;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return fail_set(f, errno, "drop capability %d", cap);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail_set(f, errno, "clear ambient capabilities");
	/* from root to somebody else in all three ids: the kernel empties the capability sets */
	if (setgroups(0, NULL) < 0 || setresgid(PRIVILEGE_UID, PRIVILEGE_UID, PRIVILEGE_UID) < 0 ||
	    setresuid(PRIVILEGE_UID, PRIVILEGE_UID, PRIVILEGE_UID) < 0)
		return fail_set(f, errno, "setresuid(%u)", PRIVILEGE_UID);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_set(f, errno, "no_new_privs");
	return 0;
}

int privilege_filter(struct fail *f)
{
	static const int calls[] = {
		SCMP_SYS(read),         SCMP_SYS(write),          SCMP_SYS(pread64),
		SCMP_SYS(tee),          SCMP_SYS(openat),         SCMP_SYS(close),
		SCMP_SYS(fstat),        SCMP_SYS(newfstatat),     SCMP_SYS(ftruncate),
		SCMP_SYS(lseek),        SCMP_SYS(renameat),       SCMP_SYS(renameat2),
		SCMP_SYS(unlinkat),     SCMP_SYS(mkdirat),        SCMP_SYS(getdents64),
		SCMP_SYS(epoll_wait),   SCMP_SYS(epoll_pwait),    SCMP_SYS(epoll_ctl),
		SCMP_SYS(recvmsg),      SCMP_SYS(fcntl),          SCMP_SYS(clock_gettime),
		SCMP_SYS(brk),          SCMP_SYS(mmap),           SCMP_SYS(munmap),
		SCMP_SYS(mremap),       SCMP_SYS(madvise),        SCMP_SYS(mprotect),
		SCMP_SYS(futex),        SCMP_SYS(getpid),         SCMP_SYS(gettid),
		SCMP_SYS(tgkill),       SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(exit_group),     SCMP_SYS(geteuid),
		SCMP_SYS(getuid),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(calls); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r < 0 ? fail_set(f, -r, "system call filter") : 0;
}
