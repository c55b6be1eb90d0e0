/* SPDX-License-Identifier: Apache-2.0 */
/* The process itself: limits, who it is, what it may do, and the exec. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/rlimit.h"
#include "runtime/caps.h"
#include "runtime/copy.h"
#include "runtime/inroot.h"
#include "runtime/run.h"
#include "runtime/seccomp.h"
#include "runtime/session.h"

/* --- as the host's root -------------------------------------------------------------------- */

int keyring_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)run;
	(void)arg;
	/* else keys are shared by all containers that have the same host uid */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return fail_set(f, errno, "a session keyring of its own");
	return 0;
}

int rlimit_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct rlimit limit = {rlimit_value(arg[1]), rlimit_value(arg[2])};
	int resource = rlimit_resource(arg[0]);

	(void)run;
	if (resource < 0)
		return fail_set(f, EINVAL, "\"%s\" is no resource limit", arg[0]);
	if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
		return 0;
	/* a host that gave up CAP_SYS_RESOURCE keeps what it has, unless the unit wants it */
	if (errno == EPERM && !strcmp(arg[3], "no"))
		return 0;
	return fail_set(f, errno, "rlimit %s=%s:%s", arg[0], arg[1], arg[2]);
}

int oom_score_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)run;
	return io_write_file(AT_FDCWD, "/proc/self/oom_score_adj", arg[0], f);
}

int sysctl_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[256];
	_fd_
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/%s", arg[0]);
	fd = inroot_open(run->root, path, O_WRONLY, RESOLVE_NO_SYMLINKS, f);
	if (fd < 0)
		return fd;
	if (write(fd, arg[1], strlen(arg[1])) < 0)
		return fail_set(f, errno, "sysctl %s=%s", arg[0], arg[1]);
	return 0;
}

int run_own_output(struct run *run, struct fail *f)
{
	for (int fd = 1; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return fail_set(f, errno, "stat of output");
		if (run->tty) /* the group stays the terminals' */
			st.st_mode = 0;
		if (run->tty && fchown(fd, run->plan->uid0, (gid_t)-1) < 0)
			return fail_set(f, errno, "chown of the terminal");
		if ((S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
		    fchown(fd, run->plan->uid0, run->plan->gid0) < 0)
			return fail_set(f, errno, "chown of output");
	}
	return 0;
}

/* Input is the container's own /dev/null, so that no fd leads to a host mount. */
int stdio_apply(struct run *run, char *const *arg, struct fail *f)
{
	_fd_
	int null = openat(run->dev, "null", O_RDWR | O_CLOEXEC);

	(void)arg;
	if (null < 0 || dup2(null, 0) < 0)
		return fail_set(f, errno, "open(\"/dev/null\")");
	if (run->session && session_enter(run->session, run->root, f) < 0)
		return -f->code;
	return run_own_output(run, f);
}

/* --- as the container's root --------------------------------------------------------------- */

/* An image's file as text; one that is not there is empty. */
static int read_text(struct run *run, const char *path, char **ret, struct fail *f)
{
	_fd_
	int fd = inroot_open(run->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, f);
	size_t len;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		*ret = strdup("");
		return *ret ? 0 : fail_set(f, ENOMEM, "reading \"%s\"", path);
	}
	/* STEP_OWN asks as the host's root, for whom there are things to be read in /proc */
	if (fd >= 0 && inroot_is_kernels(fd))
		return fail_set(f, EINVAL, "\"%s\" leads into /proc or /sys", path);
	return fd < 0 ? fd : io_read_fd(fd, path, PASSWD_FILE_MAX, ret, &len, f);
}

static int set_home(struct run *run, struct fail *f)
{
	char home[PASSWD_HOME_MAX + 8];

	if (env_get(&run->process->env, "HOME"))
		return 0;
	snprintf(home, sizeof(home), "HOME=%s", run->user.home);
	return env_set(&run->process->env, home) < 0 ? fail_set(f, ENOMEM, "HOME") : 0;
}

int run_find_user(struct run *run, const char *user, const char *groups, struct passwd_user *ret,
		  struct fail *f)
{
	_free_
	char *passwd = NULL, *group = NULL;
	int r = read_text(run, "/etc/passwd", &passwd, f);

	if (r == 0)
		r = read_text(run, "/etc/group", &group, f);
	return r < 0 ? r : passwd_resolve(user, groups, passwd, group, ret, f);
}

int user_apply(struct run *run, char *const *arg, struct fail *f)
{
	int r = run_find_user(run, arg[0], arg[1] ? arg[1] : "", &run->user, f);

	if (r == 0)
		r = set_home(run, f);
	if (r < 0)
		return r;
	/* as the user's own, it can be opened again by /dev/stdout */
	for (int fd = run->tty ? 0 : 1; run->user.uid && fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 &&
		    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || run->tty) &&
		    fchown(fd, run->user.uid, (gid_t)-1) < 0)
			return fail_set(f, errno, "user %u", run->user.uid);
	}
	return 0;
}

int workdir_apply(struct run *run, char *const *arg, struct fail *f)
{
	char cwd[PATH_MAX];
	_fd_
	int fd = inroot_mkdirs(run->root, arg[0], f);

	if (fd < 0)
		return fd;
	if (fchdir(fd) < 0)
		return fail_set(f, errno, "chdir(\"%s\")", arg[0]);
	/* a directory outside the root has no path in it: "(unreachable)..." */
	if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		return fail_set(f, EINVAL, "working directory \"%s\" is not in the container",
				arg[0]);
	return 0;
}

int bounding_apply(struct run *run, char *const *arg, struct fail *f)
{
	uint64_t mask;
	int r = caps_parse(arg[0], &mask);

	(void)run;
	if (r < 0)
		return fail_set(f, -r, "capabilities \"%s\"", arg[0]);
	for (int n = 0; n < (int)cap_max_bits(); n++)
		if ((n > CAPS_LAST || !(mask & CAPS_BIT(n))) &&
		    prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
			return fail_set(f, errno, "dropping capability %d from the bounding set",
					n);
	return 0;
}

int no_new_privs_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)run;
	(void)arg;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_set(f, errno, "no_new_privs");
	return 0;
}

/* Becomes the user and keeps, until STEP_CAPS, the capabilities that loading a filter takes. */
int ids_apply(struct run *run, char *const *arg, struct fail *f)
{
	const struct passwd_user *u = &run->user;
	cap_t caps;
	int r = 0;

	(void)arg;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail_set(f, errno, "keepcaps");
	if (setgroups(u->n_groups, u->groups) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
	    setresuid(u->uid, u->uid, u->uid) < 0)
		return fail_set(f, errno, "becoming user %u:%u%s", u->uid, u->gid,
				errno == EINVAL ? " (an id is not in the user namespace)" : "");
	caps = cap_get_proc();
	if (!caps || cap_fill(caps, CAP_EFFECTIVE, CAP_PERMITTED) < 0 || cap_set_proc(caps) < 0)
		r = fail_set(f, errno, "capset");
	cap_free(caps);
	if (r == 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		r = fail_set(f, errno, "keepcaps");
	return r;
}

int seccomp_apply(struct run *run, char *const *arg, struct fail *f)
{
	(void)arg;
	return filter_install(&run->filter, f);
}

static int set_caps(uint64_t mask, uint64_t ambient, struct fail *f)
{
	cap_t caps = cap_init();
	int r = 0;

	if (!caps)
		return fail_set(f, ENOMEM, "capabilities");
	for (int n = 0; n <= CAPS_LAST; n++) {
		cap_value_t v = n;

		if (((mask | ambient) & CAPS_BIT(n)) &&
		    (cap_set_flag(caps, CAP_PERMITTED, 1, &v, CAP_SET) < 0 ||
		     cap_set_flag(caps, CAP_EFFECTIVE, 1, &v, CAP_SET) < 0))
			r = fail_set(f, errno, "capability %s", caps_name(n));
		if ((ambient & CAPS_BIT(n)) &&
		    cap_set_flag(caps, CAP_INHERITABLE, 1, &v, CAP_SET) < 0)
			r = fail_set(f, errno, "capability %s", caps_name(n));
	}
	if (r == 0 && cap_set_proc(caps) < 0)
		r = fail_set(f, errno, "capset");
	cap_free(caps);
	for (int n = 0; r == 0 && n <= CAPS_LAST; n++)
		if ((ambient & CAPS_BIT(n)) && cap_set_ambient(n, CAP_SET) < 0)
			r = fail_set(f, errno, "ambient capability %s", caps_name(n));
	return r;
}

/* Root gets the set; another user only what the unit names, as ambient, so that it outlives the exec. */
int caps_apply(struct run *run, char *const *arg, struct fail *f)
{
	uint64_t mask, ambient;

	if (caps_parse(arg[0], &mask) < 0 || caps_parse(arg[1], &ambient) < 0)
		return fail_set(f, EINVAL, "capabilities \"%s\", \"%s\"", arg[0], arg[1]);
	return run->user.uid == 0 ? set_caps(mask, 0, f) : set_caps(0, ambient, f);
}

/* --- exec ---------------------------------------------------------------------------------- */

static int try_exec(const char *path, const struct process *p)
{
	execve(path, p->argv.items, p->env.items);
	return -errno;
}

/* As execvp would, but by the container's PATH. */
static int search(struct run *run)
{
	const struct process *p = run->process;
	const char *dirs = env_get(&p->env, "PATH");
	const char *name = p->argv.items[0];
	int worst = -ENOENT;

	if (strchr(name, '/'))
		return try_exec(name, p);
	for (const char *at = dirs ? dirs : "";; at++) {
		size_t len = strcspn(at, ":");
		char path[PATH_MAX];
		int r;

		snprintf(path, sizeof(path), "%.*s/%s", len ? (int)len : 1, len ? at : ".", name);
		r = try_exec(path, p);
		if (r != -ENOENT && r != -ENOTDIR)
			worst = r;
		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
			return r;
		at += len;
		if (!*at)
			return worst;
	}
}

/* Who kills orlop-run exec kills the command. Last, because a change of ids takes it away; so orlop-run may have been
 * killed before, and then nobody will tell the kernel. */
static int die_with_parent(struct run *run, struct fail *f)
{
	char byte;

	if (run->parent < 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail_set(f, errno, "PR_SET_PDEATHSIG");
	if (read(run->parent, &byte, 1) == 0)
		_exit(1);
	return 0;
}

int exec_apply(struct run *run, char *const *arg, struct fail *f)
{
	const struct process *p = run->process;
	int error, r;

	(void)arg;
	umask(0022);
	setsid();
	if (run->tty && ioctl(0, TIOCSCTTY, 0) < 0)
		return fail_set(f, errno, "TIOCSCTTY");
	r = die_with_parent(run, f);
	if (r < 0)
		return r;
	if (run->copy) {
		r = copy_file(run, run->copy, f);
		if (r == 0)
			_exit(0);
		return r;
	}
	r = run->init < 0 ? 0 : run_exec_below_init(run, search, &error, f);
	if (r < 0)
		return r;
	if (run->init < 0)
		error = search(run);
	return fail_set(f, -error, "exec \"%s\"%s", p->argv.items[0],
			error == -ENOENT && strchr(p->argv.items[0], '/')
				? " (it, its interpreter or its loader is not in the image)"
				: "");
}
