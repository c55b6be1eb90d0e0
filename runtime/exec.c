/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-run exec: one more process in a container that runs, as the container's own first process was made:
 * same user, environment, capabilities and filter, in its cgroup, by its pidfd (so never, after a restart, in
 * somebody else's namespaces).
 *
 * Unlike at a start, there are processes in the container that are not ours and may be hostile. Until the
 * exec ours can be seen by them, so it is not dumpable, which closes /proc/<pid>/ to them; and the
 * program that they might reach as /proc/<pid>/exe lies on a read-only mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/started.h"
#include "base/wire.h"
#include "runtime/copy.h"
#include "runtime/environ.h"
#include "runtime/mnt.h"
#include "runtime/session.h"
#include "runtime/start.h"
#include "runtime/steps.h"

#define EXIT_OURS        125 /* orlop-run itself failed, as with docker and podman */
#define EXIT_NOT_ALLOWED 126
#define EXIT_NOT_FOUND   127

#define ALL_BUT_USER (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* Runs this program again from a read-only copy of its mount, unless it is on one already. */
static int protect_self(char **argv, struct fail *f)
{
	struct statvfs st;
	_fd_
	int self = -1;
	int r;

	if (statvfs("/proc/self/exe", &st) < 0)
		return fail_set(f, errno, "statvfs(\"/proc/self/exe\")");
	if (st.f_flag & ST_RDONLY)
		return 0;
	self = mnt_clone(AT_FDCWD, "/proc/self/exe", false, f);
	if (self < 0)
		return self;
	r = mnt_attr(self, MOUNT_ATTR_RDONLY, 0, -1, false, f);
	if (r < 0)
		return r;
	execveat(self, "", argv, environ, AT_EMPTY_PATH);
	return fail_set(f, errno, "exec of a read-only copy");
}

/* The spec that the container was started with; what to run now instead. */
static int load_spec(struct container_spec *spec, const char *unit, char **command, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = started_read(unit, STARTED_SPEC, &data, &len, f);

	if (r == 0)
		r = spec_decode(spec, data, len, f);
	if (r == 0)
		r = environ_read(spec, f);
	if (r < 0)
		return r;
	strlist_done(&spec->entrypoint);
	strlist_done(&spec->exec);
	spec->entrypoint_set = true;
	for (; *command; command++)
		if (strlist_add(&spec->exec, *command) < 0)
			return fail_set(f, ENOMEM, "exec");
	return 0;
}

/* -u, -w and -e: over what the unit says. */
struct wishes {
	char *user, *workdir;
	struct strlist env;
	struct copy copy; /* path set: it is about a file */
};

static int apply_wishes(struct container_spec *spec, const struct wishes *w, struct fail *f)
{
	char **const fields[] = {&spec->user, &spec->workdir};
	char *const values[] = {w->user, w->workdir};

	/* in a unit an empty User= is the image's, which may be root; who types it here means somebody else */
	if (w->user && !*w->user)
		return fail_set(f, 0, "the user is empty");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		char *copy = values[i] ? strdup(values[i]) : NULL;

		if (!values[i])
			continue;
		if (!copy)
			return fail_set(f, ENOMEM, "exec");
		free(*fields[i]);
		*fields[i] = copy;
	}
	for (size_t i = 0; i < w->env.n; i++)
		if (strlist_add(&spec->env, w->env.items[i]) < 0)
			return fail_set(f, ENOMEM, "exec");
	return 0;
}

/* fds of ours that are the host's /dev/null become the container's, so that none leads to a host mount. */
static void replace_null(int root)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;
		_fd_
		int null = -1;

		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		null = openat(root, "dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (null >= 0)
			dup2(null, fd);
		else
			close(fd);
	}
}

/* In the new process: into the container, then the steps that make a process what the unit wants. */
static int enter(struct run *run, struct session *session, struct fail *f)
{
	int r;

	if (setns(run->pidfd, ALL_BUT_USER) < 0)
		return fail_set(f, errno, "joining the container");
	run->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->root < 0)
		return fail_set(f, errno, "open(\"/\")");
	/* as the host's root still: what it makes is then given to the container's */
	r = session_enter(session, run->root, f);
	if (r == 0)
		r = run_own_output(run, f);
	if (r < 0)
		return r;
	if (run->plan->mapped && setns(run->pidfd, CLONE_NEWUSER) < 0)
		return fail_set(f, errno, "joining the user namespace");
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		return fail_set(f, errno, "becoming the container's root");
	/* changing ids has made it what the sysctl says */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail_set(f, errno, "PR_SET_DUMPABLE");
	replace_null(run->root);
	return 0;
}

static void __attribute__((noreturn)) be_the_process(struct run *run, struct session *session)
{
	struct fail f = {0};
	const char *step = "enter";
	int r = steps_apply_some(run, STEPS_EXEC_HOST, &step, &f);

	if (r == 0)
		r = enter(run, session, &f);
	if (r == 0)
		r = steps_apply_some(run, STEPS_EXEC, &step, &f);
	if (run->copy && !strcmp(step, "exec")) {
		dprintf(STDERR_FILENO, "orlop: %s\n", f.text);
		_exit(1);
	}
	dprintf(STDERR_FILENO, "orlop-run: %s: %s\n", step, f.text);
	if (strcmp(step, "exec"))
		_exit(EXIT_OURS);
	_exit(r == -ENOENT || r == -ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_ALLOWED);
}

/* Starts it in the container's pid namespace and cgroup, and waits for its end. */
static int run_it(struct run *run, struct session *session, struct fail *f)
{
	int alive
		[2]; /* nobody but this process can write to it, and it never does: it ends with this process */
	_fd_
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_PIDFD,
		.cgroup = (uint64_t)run->cgroup,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	int status;
	pid_t pid;

	if (setns(run->pidfd, CLONE_NEWPID) < 0)
		return fail_set(f, errno, "joining the container%s",
				errno == ESRCH ? " (it has ended)" : "");
	if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail_set(f, errno, "pipe");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return fail_set(f, errno, "clone3");
	if (pid == 0) {
		close(alive[1]);
		run->parent = alive[0];
		be_the_process(run, session);
	}
	/* the command's end of the pipes is the command's alone: the client sees when it is closed */
	for (int i = 0; i < 3; i++)
		if (session->on && session->theirs[i] >= 0)
			close(session->theirs[i]);
	status = session_wait(session, pid, pidfd, f);
	if (status < 0)
		return status;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int exec_in(const char *unit, char **command, const struct wishes *wishes,
		   struct session *session, char **argv, struct fail *f)
{
	struct container_spec spec = {0};
	struct image image = {0};
	struct plan plan = {0};
	struct run run = {
		.spec = &spec,
		.image = &image,
		.plan = &plan,
		.process = &plan.process,
		.pidfd = RUN_EXEC_PIDFD,
		.cgroup = RUN_EXEC_CGROUP,
		.userns = -1,
		.netns = -1,
		.root = -1,
		.uts = -1,
		.init = -1,
		.pod_lock = -1,
		.parent = -1,
		.tty = session->tty,
		.copy = wishes->copy.path ? &wishes->copy : NULL,
	};
	const char *step;
	int r = protect_self(argv, f);

	if (r == 0)
		r = load_spec(&spec, unit, command, f);
	if (r == 0)
		r = apply_wishes(&spec, wishes, f);
	if (r == 0)
		r = image_find_started(&image, unit, f);
	if (r == 0)
		r = plan_make(&plan, &spec, &image, NULL, f);
	if (r == 0)
		r = steps_apply_some(&run, STEPS_EXEC_HELPER, &step, f);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = fail_set(f, errno, "PR_SET_DUMPABLE");
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	if (r == 0)
		r = session_open(session, f);
	return r < 0 ? r : run_it(&run, session, f);
}

/* Options into *wishes and *session; *ret_unit: NULL = the first word. 0, or an exit code. */
static int read_options(int argc, char **argv, struct wishes *wishes, struct session *session,
			const char **ret_unit)
{
	int option;

	/* getopt takes argv[0] for the program: that is the verb here */
	optind = 1;
	while ((option = getopt(argc, argv, "+u:w:e:itF:U:S:")) != -1) {
		switch (option) {
		case 'u': wishes->user = optarg; break;
		case 'w': wishes->workdir = optarg; break;
		case 'e':
			if (strlist_add(&wishes->env, optarg) < 0)
				return EXIT_OURS;
			break;
		case 'i': session->input = true; break;
		case 't': session->tty = true; break;
		case 'F':
			session->on = true;
			session->client = RUN_EXEC_CLIENT;
			session->id = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'U': *ret_unit = optarg; break;
		case 'S':
			if (sscanf(optarg, "%ux%u", &session->rows, &session->columns) != 2)
				return 2;
			break;
		default: return 2;
		}
	}
	return session->tty && !session->on ? 2 : 0;
}

/* A name of one component, or NULL. */
static const char *component(const char *name)
{
	bool is = *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;

	return is ? name : NULL;
}

/* cp -F FRAME -U UNIT (read | write NAME MODE | send | receive NAME (plain | archive)) PATH, as the container's root. */
static bool read_copy(char **words, int n, struct copy *copy)
{
	static const struct {
		const char *word;
		int n;
		bool into, tree;
	} rows[] = {
		{"read", 2, false, false},
		{"write", 4, true, false},
		{"send", 2, false, true},
		{"receive", 4, true, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (n != rows[i].n || strcmp(rows[i].word, words[0]) != 0)
			continue;
		*copy = (struct copy){
			.path = words[n - 1], .into = rows[i].into, .tree = rows[i].tree};
		if (!copy->into)
			return true;
		copy->name = component(words[1]);
		copy->mode = (unsigned)strtoul(words[2], NULL, 8) & 0777;
		copy->archive = !strcmp(words[2], "archive");
		return true;
	}
	return false;
}

int verb_cp(int argc, char **argv)
{
	struct wishes wishes = {.user = "0:0", .workdir = "/"};
	struct session session = {0};
	struct fail f = {0};
	char **whole = argv - 1, **words;
	const char *unit = NULL;
	char *command[] = {"cp", NULL};
	int r = read_options(argc + 1, whole, &wishes, &session, &unit);
	int n = argc + 1 - optind;

	words = whole + optind;
	if (r || !unit || !session.on || n < 2 || !read_copy(words, n, &wishes.copy)) {
		session_end(&session, 2, "cp: a path is needed");
		return 2;
	}
	session.input = wishes.copy.into;
	r = exec_in(unit, command, &wishes, &session, whole - 1, &f);
	session_end(&session, r < 0 ? EXIT_OURS : r, r < 0 ? f.text : NULL);
	return r < 0 ? EXIT_OURS : r;
}

int verb_exec(int argc, char **argv)
{
	struct wishes wishes = {0};
	struct session session = {0};
	struct fail f = {0};
	char **whole = argv - 1; /* with the verb, as main() had them, for protect_self() */
	const char *unit = NULL;
	int r = read_options(argc + 1, whole, &wishes, &session, &unit);

	if (r == 0 && !unit)
		unit = whole[optind++];
	if (r == 0 && (!unit || optind > argc || !whole[optind]))
		r = 2;
	if (r) {
		session_end(&session, r, "exec: UNIT and a command are needed");
		return r;
	}
	r = exec_in(unit, whole + optind, &wishes, &session, whole - 1, &f);
	session_end(&session, r < 0 ? EXIT_OURS : r, r < 0 ? f.text : NULL);
	if (r >= 0)
		return r;
	fprintf(stderr, "orlop-run: %s\n", f.text);
	return EXIT_OURS;
}
