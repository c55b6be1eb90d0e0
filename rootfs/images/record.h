/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record stream: what a sandboxed reader tells the privileged writer about an archive.
 *
 * The reader parses foreign bytes and may have been taken over by them, so this format is bounded and
 * checked like anything else from outside: a record has a length of at most REC_MAX, strings end in
 * their one NUL, and what does not add up is REC_BAD. It carries no decisions: which path, mode or
 * attribute is acceptable is the writer's affair. Host byte order; both ends are one program.
 *
 *     ENTRY (DATA)* ENTRY ... END       an archive, in its order
 *     NOTE                              something a person may want to know, at any place
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum entry_kind {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK,
	ENTRY_FIFO,
	ENTRY_DEVICE, /* character or block */
	ENTRY_SOCKET,
	ENTRY_OTHER,
	ENTRY__N
};

struct xattr {
	const char *name;
	const void *value;
	size_t len;
};

#define ENTRY_XATTRS_MAX 64

struct entry {
	enum entry_kind kind;
	uint32_t mode; /* the twelve permission bits */
	uint64_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size;   /* ENTRY_FILE */
	uint64_t offset; /* where the data begins in an uncompressed archive */
	const char *path;
	const char *link; /* "" if none */
	struct xattr xattrs[ENTRY_XATTRS_MAX];
	size_t n_xattrs;
};

enum record_kind { REC_ENTRY = 1, REC_DATA, REC_NOTE, REC_END };

struct record {
	enum record_kind kind;
	struct entry entry; /* REC_ENTRY; strings point into the stream's bytes */
	uint64_t offset;    /* REC_DATA: within the file */
	const void *data;   /* REC_DATA */
	size_t len;         /* REC_DATA */
	const char *text;   /* REC_NOTE */
};

#define REC_DATA_MAX (256u << 10)
#define REC_MAX      (1u << 20) /* payload of the largest record */

void record_add_entry(struct buf *b, const struct entry *e);
void record_add_data_head(struct buf *b, uint64_t offset, size_t len); /* the len bytes follow */
void record_add_note(struct buf *b, const char *text);
void record_add_end(struct buf *b);

enum record_result {
	RECORD_NONE,  /* not complete yet */
	RECORD_READY, /* *ret is set, *ret_used bytes are its own */
	RECORD_BAD,   /* no sane reader writes this */
};

enum record_result record_parse(const char *data, size_t len, struct record *ret, size_t *ret_used);
