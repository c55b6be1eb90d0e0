/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * What a container may call. Nothing here is looser than both Docker's and Podman's default: a call is
 * allowed if both allow it. Where they differ in how they refuse, ours is Podman's ENOSYS (a libc then
 * falls back), with EPERM for calls whose callers look for that.
 *
 * Rules with arguments are in compile.c: clone, socket, personality, ioctl.
 */
#include <linux/capability.h>

#include "filter/filter.h"

#define C(name) FILTER_CAP(name)

const struct filter_rule filter_rules[] = {
	/* files */
	{"access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3"
	 " faccessat faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat"
	 " fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr"
	 " fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat"
	 " getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1"
	 " inotify_rm_watch lchown lchown32 lgetxattr link linkat listxattr llistxattr _llseek"
	 " lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at"
	 " newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read"
	 " readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile"
	 " sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink symlinkat sync"
	 " sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat"
	 " utimensat_time64 utimes write writev fanotify_mark",
	 FILTER_ALLOW, 0, 0},
	/* waiting, asynchronous input and output (io_uring is not among them) */
	{"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait"
	 " epoll_wait_old eventfd eventfd2 io_cancel io_destroy io_getevents io_setup io_submit"
	 " _newselect pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select"
	 " signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime"
	 " timerfd_settime64",
	 FILTER_ALLOW, 0, 0},
	/* memory */
	{"brk madvise memfd_create mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync"
	 " munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages",
	 FILTER_ALLOW, 0, 0},
	/* processes */
	{"execve execveat exit exit_group fork vfork getegid getegid32 geteuid geteuid32 getgid"
	 " getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid"
	 " getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid getuid32"
	 " get_robust_list get_thread_area ioprio_get ioprio_set kill pidfd_open"
	 " pidfd_send_signal prctl prlimit64 restart_syscall rseq sched_getaffinity sched_getattr"
	 " sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler"
	 " sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr"
	 " sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_thread_area"
	 " set_tid_address setpgid setpriority setrlimit setsid tgkill times tkill ugetrlimit wait4"
	 " waitid waitpid getcpu arch_prctl modify_ldt",
	 FILTER_ALLOW, 0, 0},
	/* who one is: within the user namespace */
	{"capget capset setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups"
	 " setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid"
	 " setreuid32 setuid setuid32",
	 FILTER_ALLOW, 0, 0},
	/* signals, time, locks */
	{"alarm clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep"
	 " clock_nanosleep_time64 futex futex_time64 getitimer gettimeofday nanosleep pause"
	 " rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend"
	 " rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo setitimer sigaltstack sigreturn"
	 " time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64"
	 " timer_settime timer_settime64 adjtimex clock_adjtime clock_adjtime64",
	 FILTER_ALLOW, 0, 0},
	/* sockets (socket itself: by its arguments) and System V and POSIX ipc */
	{"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom"
	 " recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown"
	 " socketcall socketpair ipc mq_getsetattr mq_notify mq_open mq_timedreceive"
	 " mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv"
	 " msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget",
	 FILTER_ALLOW, 0, 0},
	{"getrandom sysinfo uname", FILTER_ALLOW, 0, 0},

	/* with a capability that the unit has added */
	{"open_by_handle_at", FILTER_ALLOW, C(DAC_READ_SEARCH), 0},
	{"fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr"
	 " move_mount open_tree quotactl setdomainname sethostname setns umount umount2 unshare"
	 " clone clone3",
	 FILTER_ALLOW, C(SYS_ADMIN), 0},
	{"bpf", FILTER_ALLOW, C(SYS_ADMIN) | C(BPF), 0},
	{"perf_event_open", FILTER_ALLOW, C(SYS_ADMIN) | C(PERFMON), 0},
	{"syslog", FILTER_ALLOW, C(SYS_ADMIN) | C(SYSLOG), 0},
	{"reboot", FILTER_ALLOW, C(SYS_BOOT), 0},
	{"chroot", FILTER_ALLOW, C(SYS_CHROOT), 0},
	{"delete_module init_module finit_module", FILTER_ALLOW, C(SYS_MODULE), 0},
	{"acct", FILTER_ALLOW, C(SYS_PACCT), 0},
	{"kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace", FILTER_ALLOW,
	 C(SYS_PTRACE), 0},
	{"iopl ioperm", FILTER_ALLOW, C(SYS_RAWIO), 0},
	{"settimeofday stime clock_settime clock_settime64", FILTER_ALLOW, C(SYS_TIME), 0},
	{"vhangup", FILTER_ALLOW, C(SYS_TTY_CONFIG), 0},
	{"get_mempolicy mbind set_mempolicy", FILTER_ALLOW, C(SYS_NICE), 0},

	/* "you may not", where programs ask for it or a fallback would be worse */
	{"bdflush io_pgetevents kexec_file_load kexec_load membarrier migrate_pages move_pages"
	 " nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname pciconfig_iobase"
	 " pciconfig_read pciconfig_write sgetmask ssetmask swapoff swapon sysfs uselib userfaultfd"
	 " ustat vm86 vm86old vmsplice pivot_root add_key keyctl request_key",
	 FILTER_EPERM, 0, 0},
	{"open_by_handle_at", FILTER_EPERM, 0, C(DAC_READ_SEARCH)},
	{"bpf", FILTER_EPERM, 0, C(SYS_ADMIN) | C(BPF)},
	{"perf_event_open", FILTER_EPERM, 0, C(SYS_ADMIN) | C(PERFMON)},
	{"fanotify_init lookup_dcookie mount quotactl setdomainname sethostname setns umount umount2"
	 " unshare",
	 FILTER_EPERM, 0, C(SYS_ADMIN)},
	{"syslog", FILTER_EPERM, 0, C(SYS_ADMIN) | C(SYSLOG)},
	{"reboot", FILTER_EPERM, 0, C(SYS_BOOT)},
	{"chroot", FILTER_EPERM, 0, C(SYS_CHROOT)},
	{"delete_module init_module finit_module", FILTER_EPERM, 0, C(SYS_MODULE)},
	{"acct", FILTER_EPERM, 0, C(SYS_PACCT)},
	{"kcmp process_madvise process_vm_readv process_vm_writev ptrace", FILTER_EPERM, 0,
	 C(SYS_PTRACE)},
	{"iopl ioperm", FILTER_EPERM, 0, C(SYS_RAWIO)},
	{"settimeofday stime clock_settime clock_settime64", FILTER_EPERM, 0, C(SYS_TIME)},
	{"vhangup", FILTER_EPERM, 0, C(SYS_TTY_CONFIG)},
	{"get_mempolicy mbind set_mempolicy", FILTER_EPERM, 0, C(SYS_NICE)},
	{0},
};

uint64_t filter_relevant_caps(void)
{
	uint64_t mask = 0;

	for (const struct filter_rule *r = filter_rules; r->names; r++)
		mask |= r->with | r->without;
	return mask;
}
