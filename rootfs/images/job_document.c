/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "rootfs/images/doc.h"
#include "rootfs/images/jobs.h"

int job_document(const void *arg, struct job_status *st)
{
	const enum doc_kind *kind = arg;
	_free_
	char *text = malloc(LIMIT_IMAGE_JSON + 1);
	struct buf out = {0};
	struct fail f = {0};
	size_t len = 0;
	ssize_t n;

	if (!text)
		return job_fail(st, ENOMEM, "no memory");
	while (len <= LIMIT_IMAGE_JSON &&
	       (n = read(JOB_IN, text + len, LIMIT_IMAGE_JSON + 1 - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return job_fail(st, errno, "read");
		len += n > 0 ? (size_t)n : 0;
	}
	if (doc_read(*kind, text, len, &out, &f) < 0)
		return job_fail(st, f.code, "%s", f.text);
	return job_put(out.data, out.len, st);
}
