/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_probe: looks around inside a container and prints one JSON object: ids, capabilities, seccomp,
 * fds, mounts, limits, and what happens when it tries what it should not be able to do.
 * run_probe key: whether there is the key that an earlier one has left in its session keyring; leaves it.
 * run_probe call ARCH NUMBER...: prints the errno of each system call made with senseless arguments.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/json_out.h"

static void file_text(struct json_out *j, const char *key, const char *path)
{
	_free_
	char *text = NULL;
	size_t len;

	if (io_read_file(AT_FDCWD, path, 1 << 20, &text, &len, NULL) < 0)
		json_null(j, key);
	else
		json_str(j, key, text);
}

/* 0 or the errno, of something that returned r. */
static void result(struct json_out *j, const char *key, long r)
{
	json_int(j, key, r < 0 ? errno : 0);
}

static void fds(struct json_out *j)
{
	_dir_ DIR *dir = opendir("/proc/self/fd");

	json_object(j, "fds");
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char target[256] = {0};

		if (e->d_name[0] == '.' || atoi(e->d_name) == dirfd(dir))
			continue;
		if (readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1) >= 0)
			json_str(j, e->d_name, target);
	}
	json_end(j);
}

static int write_to(const char *path)
{
	_fd_
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : (int)write(fd, "x", 1);
}

static void attempts(struct json_out *j)
{
	const char in[] = {'x', 0};
	int fd;

	json_object(j, "attempts");
	result(j, "mount_tmpfs", mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
	result(j, "mount_proc", mount("proc", "/mnt", "proc", 0, NULL));
	result(j, "mount_cgroup1", mount("cgroup", "/mnt", "cgroup", 0, NULL));
	result(j, "umount_mask", umount2("/sys/firmware", MNT_DETACH));
	result(j, "umount_proc_sys", umount2("/proc/sys", MNT_DETACH));
	result(j, "remount_proc_sys", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	result(j, "remount_root_ro", mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	result(j, "unshare_user", unshare(CLONE_NEWUSER));
	result(j, "unshare_mnt", unshare(CLONE_NEWNS));
	result(j, "mknod_disk", mknod("/disk", S_IFBLK | 0600, makedev(8, 0)));
	result(j, "mknod_null", mknod("/null", S_IFCHR | 0600, makedev(1, 3)));
	result(j, "write_core_pattern", write_to("/proc/sys/kernel/core_pattern"));
	result(j, "write_sysrq", write_to("/proc/sysrq-trigger"));
	result(j, "write_cgroup", write_to("/sys/fs/cgroup/cgroup.procs"));
	result(j, "write_sys", write_to("/sys/kernel/uevent_helper"));
	result(j, "sethostname", sethostname(in, 1));
	result(j, "bpf", syscall(SYS_bpf, 0, NULL, 0));
	result(j, "keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	result(j, "open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	result(j, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	result(j, "io_uring", syscall(425, 1, NULL));
	result(j, "clone3", syscall(SYS_clone3, NULL, 0));
	result(j, "userfaultfd", syscall(SYS_userfaultfd, 0));
	result(j, "kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	result(j, "reboot", reboot(RB_DISABLE_CAD));
	result(j, "vsock", socket(40, SOCK_STREAM, 0));
	result(j, "vsock_high_bits", syscall(SYS_socket, 0x100000028ul, SOCK_STREAM, 0));
	result(j, "tiocsti", ioctl(0, TIOCSTI, in));
	result(j, "tiocsti_high_bits", syscall(SYS_ioctl, 0, 0x100000000ul | TIOCSTI, in));
	result(j, "raw_socket", socket(AF_INET, SOCK_RAW, 1));
	result(j, "ping_socket", socket(AF_INET, SOCK_DGRAM, 1));
	result(j, "audit_socket", socket(AF_NETLINK, SOCK_RAW, 9));
	fd = open("/created", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	result(j, "create_in_root", fd);
	result(j, "chown_inside", chown("/created", 1000, 1000));
	result(j, "chown_outside", chown("/created", 65536, 65536));
	result(j, "personality", syscall(SYS_personality, 0x0400000));
	result(j, "setuid_zero", setuid(0));
	json_end(j);
}

static void ids(struct json_out *j)
{
	gid_t groups[300];
	int n = getgroups(300, groups);
	struct utsname u;
	char cwd[4096];

	json_int(j, "uid", getuid());
	json_int(j, "gid", getgid());
	json_array(j, "groups");
	for (int i = 0; i < n; i++)
		json_int(j, NULL, groups[i]);
	json_end(j);
	json_int(j, "pid", getpid());
	json_int(j, "sid", getsid(0));
	json_str(j, "cwd", getcwd(cwd, sizeof(cwd)));
	json_str(j, "hostname", uname(&u) == 0 ? u.nodename : NULL);
	json_int(j, "umask", umask(022));
}

static int probe(char **env)
{
	struct buf b = {0};
	struct json_out j;
	struct rlimit nofile;

	json_init(&j, &b);
	json_object(&j, NULL);
	fds(&j);
	ids(&j);
	json_array(&j, "env");
	for (; *env; env++)
		json_str(&j, NULL, *env);
	json_end(&j);
	getrlimit(RLIMIT_NOFILE, &nofile);
	json_int(&j, "nofile", (int64_t)nofile.rlim_cur);
	file_text(&j, "status", "/proc/self/status");
	file_text(&j, "mountinfo", "/proc/self/mountinfo");
	file_text(&j, "uid_map", "/proc/self/uid_map");
	file_text(&j, "cgroup", "/proc/self/cgroup");
	file_text(&j, "oom_score_adj", "/proc/self/oom_score_adj");
	file_text(&j, "kcore", "/proc/kcore");
	file_text(&j, "keys", "/proc/keys");
	file_text(&j, "port_start", "/proc/sys/net/ipv4/ip_unprivileged_port_start");
	attempts(&j);
	json_end(&j);
	printf("%s\n", b.data);
	return 0;
}

static long call(const char *arch, long number)
{
	long r;

#ifdef __x86_64__
	if (!strcmp(arch, "x86")) {
		__asm__ volatile("push %%rbx; mov $-1, %%ebx; int $0x80; pop %%rbx"
				 : "=a"(r)
				 : "a"(number), "c"(-1l), "d"(-1l), "S"(-1l), "D"(-1l)
				 : "memory", "r8", "r9", "r10", "r11");
		return (int)r;
	}
	if (!strcmp(arch, "x32"))
		number |= 0x40000000;
#else
	(void)arch;
#endif
	r = syscall(number, -1l, -1l, -1l, -1l, -1l, -1l);
	return r < 0 ? -errno : r;
}

/* Each call in a child of its own: some of them end it, some wait. */
static void try_call(const char *arch, long number)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(1);
		_exit((int)(-call(arch, number) & 0xff));
	}
	waitpid(pid, &status, 0);
	printf("%ld %d\n", number, WIFEXITED(status) ? WEXITSTATUS(status) : 1000);
}

static int key(void)
{
	static const char type[] = "user", name[] = "orlop-probe";
	long there = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, type, name, 0);
	long made = syscall(SYS_add_key, type, name, "x", 1, KEY_SPEC_SESSION_KEYRING);

	printf("%s\n", made < 0 ? "refused" : there < 0 ? "none" : "found");
	return made < 0 ? 1 : 0;
}

int main(int argc, char **argv, char **env)
{
	if (argc > 3 && !strcmp(argv[1], "call")) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		for (int i = 3; i < argc; i++)
			try_call(argv[2], atol(argv[i]));
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "key"))
		return key();
	return probe(env);
}
