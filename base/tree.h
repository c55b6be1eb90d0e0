/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file or a folder with all that is below it, on its way through a pipe between two programs of ours, of which one
 * may be in the hands of a container: what comes is believed in nothing.
 *
 * The stream has no paths. A record (struct tree_record) is a name of one component, which is valid or the stream is
 * refused, and an entry: a folder, which the following records are in until a record that leaves it; a file, with
 * its bytes in pieces behind it; a link, with its target. The receiver holds each folder that it is in as an fd and
 * makes entries in it without following links, so there is nothing in a stream that leads anywhere else.
 * The last record says that it was the last: a stream that ends before it is no success.
 *
 * Files, folders and symbolic links are all there is. Devices, pipes and sockets are skipped and told of, and so is what
 * the kernel makes up (proc, sysfs, cgroup2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"

#define TREE_MAGIC 0x65657274u

enum tree_kind { TREE_FILE = 1, TREE_FOLDER, TREE_LINK, TREE_LEAVE, TREE_END };

struct tree_record {
	uint32_t magic;
	uint16_t kind;
	uint16_t name; /* bytes of the name behind the record; the first record has none */
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	uint32_t link; /* bytes of the link's target, behind the name */
	int64_t mtime; /* nanoseconds since 1970 */
};

/* A piece of a file: its length (uint32_t, at most TREE_PIECE), then the bytes; one of length 0 is the last. */
#define TREE_PIECE 65536u

/* Sends what `from` is. skipped hears of everything that is left out. 0 or -errno. */
int tree_send(int to, int from, void (*skipped)(const char *name, const char *why), struct fail *f);

struct tree_place {
	/* Opens what the first record is received into: a folder, made if it is not there, or a file to be written (and
	 * truncated). -errno: no. */
	int (*open)(void *ctx, bool folder, unsigned mode, struct fail *f);
	void *ctx;
	unsigned modes; /* which bits are kept */
	bool owners;    /* uid and gid are kept, too; else all that is made is ours */
};

int tree_receive(int from, const struct tree_place *place, struct fail *f);
