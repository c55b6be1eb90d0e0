/* SPDX-License-Identifier: Apache-2.0 */
/* spawn and cgroup: a child has exactly the fds, signals and cgroup it is meant to have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

/* What /bin/sh -c script printed on fd `fd_out`, and its wait status. */
static int run_shell(const char *script, struct spawn s, size_t fd_out, char *out, size_t out_size)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	_fd_
	int pidfd = -1;
	int pipefd[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	s.argv = argv;
	if (s.n_fds <= fd_out)
		s.n_fds = fd_out + 1;
	s.fds[fd_out] = pipefd[1];
	pid = spawn(&s, &pidfd, NULL);
	close(pipefd[1]);
	assert_true(pid > 0);
	while ((n = read(pipefd[0], out + used, out_size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(pipefd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static const struct spawn plain = {.cgroup = -1, .fds = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}};

static void output_and_exit_code_arrive(void **state)
{
	char out[200];
	int status = run_shell("echo hello; pwd; umask; exit 7", plain, 1, out, sizeof(out));

	(void)state;
	assert_string_equal(out, "hello\n/\n0022\n");
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void the_child_has_no_other_fds(void **state)
{
	_fd_
	int leaky = open("/dev/null", O_RDONLY);
	_fd_
	__attribute__((unused)) int high = fcntl(leaky, F_DUPFD, 200);
	char out[2000];

	(void)state;
	/* ls itself has the directory open: its own fd is one more */
	run_shell("ls -l /proc/self/fd", plain, 1, out, sizeof(out));
	assert_non_null(strstr(out, " 0 -> /dev/null"));
	assert_non_null(strstr(out, " 2 -> /dev/null"));
	assert_null(strstr(out, " 200 -> "));
	assert_null(strstr(out, " 4 -> "));
}

/* Every permutation must survive: a target may be the source of another. */
static void fds_that_overlap_are_put_in_their_places(void **state)
{
	struct spawn s = plain;
	int fds[4];
	char out[200], script[300];

	(void)state;
	for (int i = 0; i < 4; i++) {
		char text[2] = {(char)('a' + i), '\0'};
		int fd = io_sealed_memfd("x", text, 1, NULL);

		/* the fds 3..6 and 10 themselves, wherever they were */
		fds[i] = fd;
	}
	s.n_fds = 7;
	s.fds[3] = fds[3];
	s.fds[4] = fds[2];
	s.fds[5] = fds[1];
	s.fds[6] = fds[0];
	snprintf(script, sizeof(script),
		 "for i in 3 4 5 6; do head -c 1 /proc/self/fd/$i; done; ls /proc/self/fd | wc -l");
	run_shell(script, s, 1, out, sizeof(out));
	assert_string_equal(out, "dcba8\n"); /* 0-2, 3-6 and the one of ls */
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

/* A mask of /proc/self/status. libc's own signals, 32 and 33, stay as whoever started the test left them. */
static unsigned long long signal_set(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	assert_non_null(line);
	return strtoull(line + strlen(name), NULL, 16) & ~(3ull << 31);
}

static void signals_are_as_a_program_expects_them(void **state)
{
	char out[4000];
	sigset_t all, old;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	run_shell("exec cat /proc/self/status", plain, 1, out, sizeof(out));
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	assert_true(signal_set(out, "SigBlk:\t") == 0);
	assert_true(signal_set(out, "SigIgn:\t") == 0);
}

static void a_program_may_be_told_before_it_listens(void **state)
{
	struct spawn s = plain;
	char out[200];
	int status;

	(void)state;
	status = run_shell("kill -HUP $$; exit 7", s, 1, out, sizeof(out));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	s.hup_ignored = true;
	status = run_shell("kill -HUP $$; exit 7", s, 1, out, sizeof(out));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void a_failed_exec_is_an_error_of_spawn(void **state)
{
	static const char *const argv[] = {"/no/such/program", NULL};
	struct spawn s = plain;
	struct fail f = {0};
	int pidfd = -1;

	(void)state;
	s.argv = argv;
	assert_int_equal(spawn(&s, &pidfd, &f), -ENOENT);
	assert_non_null(strstr(f.text, "/no/such/program: exec: No such file"));
	assert_int_equal(pidfd, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD); /* it was reaped */
	s.cwd = "/no/such/folder";
	assert_int_equal(spawn(&s, &pidfd, &f), -ENOENT);
	assert_non_null(strstr(f.text, "chdir"));
}

static void the_pidfd_tells_of_the_end(void **state)
{
	static const char *const argv[] = {"/bin/sleep", "100", NULL};
	struct spawn s = plain;
	_fd_
	int pidfd = -1;
	struct pollfd p;
	pid_t pid;

	(void)state;
	s.argv = argv;
	pid = spawn(&s, &pidfd, NULL);
	assert_true(pid > 0 && pidfd >= 0);
	assert_int_equal(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	p = (struct pollfd){.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void another_user_has_no_groups(void **state)
{
	struct spawn s = plain;
	char out[200];

	(void)state;
	if (getuid() != 0)
		skip();
	s.uid = 4711;
	s.gid = 4712;
	run_shell("id -u; id -g; id -G", s, 1, out, sizeof(out));
	assert_string_equal(out, "4711\n4712\n4712\n");
}

/* The root of the cgroup v2 tree, whether or not this machine has it mounted; -1 without the right to. */
static int cgroup_root(void)
{
	_fd_
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static void a_cgroup_is_fresh_killed_and_removed(void **state)
{
	static const char *const argv[] = {"/bin/sleep", "100", NULL};
	_fd_
	int root = cgroup_root();
	_fd_
	int cg = -1, events = -1, pidfd = -1;
	struct spawn s = plain;
	struct pollfd p;
	char name[64];
	pid_t pid;

	(void)state;
	if (root < 0)
		skip();
	snprintf(name, sizeof(name), "orlop-unit-test-%d", getpid());
	cg = cg_fresh(root, name, NULL);
	if (cg == -EPERM || cg == -EACCES || cg == -EROFS)
		skip();
	assert_true(cg >= 0);
	events = cg_open_events(cg, NULL);
	assert_int_equal(cg_populated(events), 0);
	s.argv = argv;
	s.cgroup = cg;
	pid = spawn(&s, &pidfd, NULL);
	assert_true(pid > 0);
	assert_int_equal(cg_populated(events), 1);
	assert_int_equal(cg_remove(root, name, NULL), -EBUSY);
	assert_int_equal(cg_fresh(root, name, NULL), -EBUSY);
	assert_int_equal(cg_kill(cg, NULL), 0);
	p = (struct pollfd){.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 500 && cg_populated(events) != 0; i++)
		usleep(1000);
	/* cgroups that the unit made below its own go with it */
	assert_int_equal(mkdirat(cg, "nested", 0755), 0);
	assert_int_equal(mkdirat(cg, "nested/more", 0755), 0);
	assert_int_equal(cg_remove(root, name, NULL), 0);
	assert_int_equal(faccessat(root, name, F_OK, 0), -1);
	assert_int_equal(cg_remove(root, name, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_exit_code_arrive),
		cmocka_unit_test(the_child_has_no_other_fds),
		cmocka_unit_test(fds_that_overlap_are_put_in_their_places),
		cmocka_unit_test(signals_are_as_a_program_expects_them),
		cmocka_unit_test(a_program_may_be_told_before_it_listens),
		cmocka_unit_test(a_failed_exec_is_an_error_of_spawn),
		cmocka_unit_test(the_pidfd_tells_of_the_end),
		cmocka_unit_test(another_user_has_no_groups),
		cmocka_unit_test(a_cgroup_is_fresh_killed_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
