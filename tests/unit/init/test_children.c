/* SPDX-License-Identifier: Apache-2.0 */
/* Children that PID 1 did not make itself: adopted while they live, or after they were reaped. */
#include <linux/sched.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "init/children.h"

static struct {
	int times, code, status;
} first, second;

static pid_t second_pid;
static int second_pidfd;
static struct child second_child;

static void nothing(void)
{
}

/* pid 0: any. The child exits with 7, or stays until it is killed. */
static pid_t make(pid_t pid, bool stays, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.set_tid = pid ? (uintptr_t)&pid : 0,
		.set_tid_size = pid ? 1 : 0,
	};
	pid_t made = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (made)
		return made;
	while (stays)
		pause();
	_exit(7);
}

static void wait_for_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void second_ended(struct child *c, int code, int status)
{
	(void)c;
	second.times++;
	second.code = code;
	second.status = status;
}

/* As orlop-run's last report is read when orlop-run has ended. */
static void first_ended(struct child *c, int code, int status)
{
	(void)c;
	(void)code;
	(void)status;
	first.times++;
	children_adopt(&second_child, second_pid, second_pidfd, second_ended);
}

/* Nothing wakes PID 1 again: if it were told in the next pass only, that could be in an hour. */
static void reaped_and_adopted_in_the_same_pass(void **state)
{
	struct child c;
	pid_t pid;
	int pidfd;

	(void)state;
	second_pid = make(0, false, &second_pidfd); /* the elder one is reaped first */
	pid = make(0, false, &pidfd);
	assert_true(pid > 0 && second_pid > 0);
	children_add(&c, pid, pidfd, first_ended);
	wait_for_end(second_pid);
	wait_for_end(pid);
	children_reap(nothing);
	assert_int_equal(first.times, 1);
	assert_int_equal(second.times, 1);
	assert_int_equal(second.code, CLD_EXITED);
	assert_int_equal(second.status, 7);
}

static void one_whose_end_is_forgotten_was_killed(void **state)
{
	struct child c;
	int pidfd;
	pid_t pid = make(0, false, &pidfd);

	(void)state;
	second.times = 0;
	assert_int_equal(waitpid(pid, NULL, 0), pid); /* reaped behind its back */
	children_adopt(&c, pid, pidfd, second_ended);
	children_reap(nothing);
	assert_int_equal(second.times, 1);
	assert_int_equal(second.code, CLD_KILLED);
	assert_int_equal(second.status, SIGKILL);
}

#define CHECK(what)                                     \
	do {                                            \
		if (!(what)) {                          \
			fprintf(stderr, "%s\n", #what); \
			_exit(1);                       \
		}                                       \
	} while (0)

/* PID 1 of a namespace, where a pid can be had for the asking. */
static void live_with_an_old_pid(void)
{
	struct child c;
	int orphan, pidfd;
	siginfo_t info;

	CHECK(make(50, false, &orphan) == 50);
	CHECK(waitid(P_PID, 50, &info, WEXITED | WNOWAIT) == 0);
	children_reap(nothing);
	CHECK(make(50, true, &pidfd) == 50);
	second.times = 0;
	children_adopt(&c, 50, pidfd, second_ended);
	children_reap(nothing);
	CHECK(!second.times);
	CHECK(children_signal(&c, SIGTERM) == 0);
	CHECK(waitid(P_PID, 50, &info, WEXITED | WNOWAIT) == 0);
	children_reap(nothing);
	CHECK(second.times == 1 && second.code == CLD_KILLED && second.status == SIGTERM);
	_exit(0);
}

static void pids_come_round_again(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		pid_t inner;

		CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
		inner = fork();
		if (inner == 0)
			live_with_an_old_pid();
		CHECK(waitpid(inner, &status, 0) == inner);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reaped_and_adopted_in_the_same_pass),
		cmocka_unit_test(one_whose_end_is_forgotten_was_killed),
		cmocka_unit_test(pids_come_round_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
