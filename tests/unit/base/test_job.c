/* SPDX-License-Identifier: Apache-2.0 */
/* job: words and fds to somebody who waits, for real, in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/job.h"

/* 0: the job is as it was sent, with 3 and 9 the same pipe's ends crosswise. */
static int worker(int sock)
{
	struct job job;
	struct stat a, b;
	char c = 0;

	if (job_receive(sock, &job, NULL) != 1)
		return 1;
	if (job.argc != 3 || strcmp(job.argv[0], "start") || strcmp(job.argv[1], "") ||
	    strcmp(job.argv[2], "web.container") || job.argv[3])
		return 2;
	if (write(9, "x", 1) != 1 || read(3, &c, 1) != 1 || c != 'x')
		return 3;
	if (fstat(3, &a) < 0 || fstat(9, &b) < 0 || a.st_ino != b.st_ino)
		return 4;
	if (fcntl(3, F_GETFD) != 0 || fcntl(9, F_GETFD) != 0)
		return 5; /* for whom it execs, if it does */
	for (int fd = 10; fd < 100; fd++)
		if (fd != sock && fcntl(fd, F_GETFD) >= 0)
			return 6;
	return job_receive(sock, &job, NULL) == 0 ? 0 : 7;
}

static void words_and_fds_arrive(void **state)
{
	const char *const words[] = {"start", "", "web.container", NULL};
	int fds[] = {[3] = -1, [9] = -1};
	int pair[2], ends[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		fds[i] = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int sock = fcntl(pair[1], F_DUPFD_CLOEXEC, 100);

		for (int fd = 3; fd < 100; fd++)
			close(fd);
		_exit(worker(sock));
	}
	close(pair[1]);
	fds[3] = ends[0];
	fds[9] = ends[1];
	assert_int_equal(job_send(pair[0], words, fds, 10, NULL), 0);
	shutdown(pair[0], SHUT_WR);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* nobody waits any more */
	assert_int_equal(job_send(pair[0], words, fds, 10, NULL), -EPIPE);
	close(pair[0]);
	close(ends[0]);
	close(ends[1]);
}

static void what_does_not_fit_is_not_sent(void **state)
{
	static char big[JOB_BYTES_MAX + 1];
	const char *const words[] = {big, NULL}, *const few[] = {"a", NULL};
	int fds[IO_FDS_MAX + 1], pair[2];
	struct job_packet none = {0};
	struct job job;

	(void)state;
	memset(big, 'x', JOB_BYTES_MAX - 1);
	for (size_t i = 0; i < IO_FDS_MAX + 1; i++)
		fds[i] = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(job_send(pair[0], words, NULL, 0, NULL), 0); /* just fits */
	assert_int_equal(job_receive(pair[1], &job, NULL), 1);
	assert_int_equal(strlen(job.argv[0]), JOB_BYTES_MAX - 1);
	big[JOB_BYTES_MAX - 1] = 'x';
	assert_int_equal(job_send(pair[0], words, NULL, 0, NULL), -E2BIG);
	assert_int_equal(job_send(pair[0], few, fds, IO_FDS_MAX + 1, NULL), -E2BIG);
	/* foreign packets are refused: too short, no words, fds announced that are not there */
	send(pair[0], "x", 1, 0);
	assert_int_equal(job_receive(pair[1], &job, NULL), -EBADMSG);
	memcpy(none.words, "abc", 3);
	send(pair[0], &none, offsetof(struct job_packet, words) + 3, 0);
	assert_int_equal(job_receive(pair[1], &job, NULL), -EBADMSG);
	none.fds = 1u << 9;
	send(pair[0], &none, offsetof(struct job_packet, words) + 4, 0);
	assert_int_equal(job_receive(pair[1], &job, NULL), -EBADMSG);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_fds_arrive),
		cmocka_unit_test(what_does_not_fit_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
