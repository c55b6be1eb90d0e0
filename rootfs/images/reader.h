/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged side of the sandboxed jobs: starts them, reads what they say, and believes none of
 * it without looking.
 */
#pragma once

#include "base/buf.h"
#include "rootfs/images/doc.h"
#include "rootfs/images/jobs.h"
#include "rootfs/images/record.h"
#include "rootfs/images/writer.h"

struct member {
	char *path; /* normalised */
	char *link; /* of symbolic and hard links, else NULL */
	bool symbolic;
	bool regular;
	uint64_t offset, size; /* within the archive file */
};

struct members {
	struct member *list; /* sorted by path */
	size_t n;
};

/* Lists the members of an uncompressed archive. */
int reader_members(int file, uint64_t size, struct members *ret, struct fail *f);
void members_done(struct members *m);

/* Finds a regular member, through links between members. NULL: not there. */
const struct member *members_find(const struct members *m, const char *path);

/* Writes a gzip or zstd file's content to out, at most max bytes. */
int reader_inflate_to(int file, uint64_t size, int out, uint64_t max, struct fail *f);

/* Reads JSON into rows (words, the caller's). */
int reader_document(enum doc_kind kind, const void *text, size_t len, struct buf *ret_rows,
		    struct fail *f);

/* Feeds a layer to a writer. `like` is the diff id to expect; ret_digest is what it is. */
int reader_layer(int file, struct range part, const struct hash_arg *hash, struct writer *w,
		 char ret_digest[160], struct fail *f);
