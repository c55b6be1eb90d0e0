/* SPDX-License-Identifier: Apache-2.0 */
#include "base/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/words.h"

int job_send(int sock, const char *const *words, const int *fds, size_t n_fds, struct fail *f)
{
	struct job_packet packet = {0};
	int sent[IO_FDS_MAX];
	size_t len = 0, n = 0;
	ssize_t r;

	for (; *words; words++) {
		size_t size = strlen(*words) + 1;

		if (size > sizeof(packet.words) - len)
			return fail_set(f, E2BIG, "a job of more than %u bytes", JOB_BYTES_MAX);
		memcpy(packet.words + len, *words, size);
		len += size;
	}
	for (size_t i = 0; i < n_fds && i < JOB_FD_MAX; i++) {
		if (fds[i] < 0)
			continue;
		if (n == ARRAY_LEN(sent))
			return fail_set(f, E2BIG, "a job of more than %d fds", IO_FDS_MAX);
		packet.fds |= 1u << i;
		sent[n++] = fds[i];
	}
	r = io_send_fds(sock, &packet, offsetof(struct job_packet, words) + len, sent, n);
	return r < 0 ? fail_set(f, (int)-r, "send a job") : 0;
}

static int split(struct job *job, size_t len, struct fail *f)
{
	struct words_iter it;
	const char *word;

	if (!words_valid(job->packet.words, len) ||
	    words_count(job->packet.words, len) > JOB_WORDS_MAX)
		return fail_set(f, EBADMSG, "a job that is none");
	words_iter_init(&it, job->packet.words, len);
	for (job->argc = 0; (word = words_next(&it)); job->argc++)
		job->argv[job->argc] = (char *)word;
	job->argv[job->argc] = NULL;
	return 0;
}

/* First all of them above every number that is asked for, so that none is overwritten before it was copied. */
static int place(uint32_t wanted, int *fds, size_t n, struct fail *f)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		int high = fcntl(fds[i], F_DUPFD_CLOEXEC, JOB_FD_MAX);

		if (high < 0)
			return fail_set(f, errno, "fds of a job");
		close(fds[i]);
		fds[i] = high;
	}
	for (int fd = 0; fd < JOB_FD_MAX; fd++) {
		if (!(wanted & 1u << fd))
			continue;
		if (at == n)
			return fail_set(f, EBADMSG, "a job with %zu of its fds", n);
		if (dup2(fds[at], fd) < 0)
			return fail_set(f, errno, "fds of a job");
		close(fds[at++]);
	}
	return 0;
}

int job_receive(int sock, struct job *job, struct fail *f)
{
	int fds[IO_FDS_MAX];
	size_t n;
	ssize_t len = io_recv_fds(sock, &job->packet, sizeof(job->packet), fds, &n);
	int r;

	if (len == 0)
		return 0;
	if (len < 0)
		return fail_set(f, (int)-len, "wait for a job");
	if ((size_t)len < offsetof(struct job_packet, words))
		return fail_set(f, EBADMSG, "a job of %zd bytes", len);
	r = place(job->packet.fds, fds, n, f);
	if (r == 0)
		r = split(job, (size_t)len - offsetof(struct job_packet, words), f);
	return r < 0 ? r : 1;
}
