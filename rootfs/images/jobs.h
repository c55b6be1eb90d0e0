/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs that run in the sandbox (rootfs/images/sandbox.h), and what each is given.
 *
 *     job_members   JOB_IN an uncompressed archive     JOB_OUT records: its members, with data offsets
 *     job_inflate   JOB_IN a file, of which a part     JOB_OUT that part without its gzip or zstd coat
 *     job_hash      JOB_IN a stream                    JOB_OUT the same stream; its digest in the status
 *     job_layer     JOB_IN a tar stream                JOB_OUT records with data
 *     job_document  JOB_IN a JSON document             JOB_OUT rows (rootfs/images/doc.h)
 *
 * A layer is read by inflate | hash | layer: what is hashed is what the tar reader gets, in a process
 * that does nothing else.
 */
#pragma once

#include "rootfs/images/sandbox.h"

struct range {
	uint64_t offset, len;
};

struct hash_arg {
	const char *like;   /* digest of the kind to make */
	uint64_t max_bytes; /* more is a bomb */
};

int job_members(const void *arg /* struct range: 0, size */, struct job_status *st);
int job_inflate(const void *arg /* struct range */, struct job_status *st);
int job_hash(const void *arg /* struct hash_arg */, struct job_status *st);
int job_layer(const void *arg /* NULL */, struct job_status *st);
int job_document(const void *arg /* const enum doc_kind */, struct job_status *st);

/* Writes all of it to JOB_OUT. 0 or -errno with st set. */
int job_put(const void *data, size_t len, struct job_status *st);
