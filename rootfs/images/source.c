/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TAR_BLOCK 512u

static la_ssize_t more(struct archive *a, void *data, const void **ret)
{
	struct source *s = data;
	size_t want = sizeof(s->block);
	ssize_t n;

	if (!s->stream && s->left < want)
		want = (size_t)s->left;
	do
		n = s->stream ? read(JOB_IN, s->block, want)
			      : pread(JOB_IN, s->block, want, (off_t)s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(a, errno, "read: %s", strerror(errno));
		return -1;
	}
	if (n == 0 && s->stream && s->may_end && s->at % TAR_BLOCK) {
		n = (ssize_t)(TAR_BLOCK - s->at % TAR_BLOCK);
		memset(s->block, 0, (size_t)n);
	}
	s->at += (uint64_t)n;
	if (!s->stream)
		s->left -= (uint64_t)n;
	*ret = s->block;
	return n;
}

static la_int64_t skip(struct archive *a, void *data, la_int64_t request)
{
	struct source *s = data;
	uint64_t n = (uint64_t)request;

	(void)a;
	if (s->stream || request <= 0)
		return 0;
	if (n > s->left)
		n = s->left;
	s->at += n;
	s->left -= n;
	return (la_int64_t)n;
}

int source_open(struct source *s, struct archive *a, struct job_status *st)
{
	archive_read_set_read_callback(a, more);
	archive_read_set_skip_callback(a, skip);
	archive_read_set_callback_data(a, s);
	if (archive_read_open1(a) != ARCHIVE_OK)
		return source_fail(a, "open", st);
	return 0;
}

void source_drain(struct source *s)
{
	ssize_t n;

	do
		n = read(JOB_IN, s->block, sizeof(s->block));
	while (n > 0 || (n < 0 && errno == EINTR));
}

int source_fail(struct archive *a, const char *doing, struct job_status *st)
{
	const char *said = archive_error_string(a);

	return job_fail(st, EBADMSG, "%s: %s", doing, said ? said : "damaged");
}
