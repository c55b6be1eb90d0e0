/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image archive, opened: what images it holds and where their pieces are. Nothing is written here
 * and nothing is unpacked; every JSON document has been checked against its digest before it is read.
 */
#pragma once

#include "rootfs/images/digest.h"
#include "rootfs/images/oci.h"
#include "rootfs/images/reader.h"

struct layer_source {
	struct range part;       /* of the archive file */
	char digest[DIGEST_MAX]; /* of these bytes; "" if the archive does not say */
	char diff[DIGEST_MAX];   /* of the unpacked tar */
};

struct image_plan {
	char id[STORE_HEX_MAX + 1]; /* hex of the config's digest */
	struct buf config;          /* rows */
	struct layer_source *layers;
	size_t n_layers;
	char **names; /* checked references */
	size_t n_names;
};

struct archive_file {
	const char *path; /* as given */
	int fd;
	uint64_t size;
	struct members members;
	/* sha256 hex of what determines the outcome of an import, or "" if that cannot be told without
	 * reading everything */
	char key[STORE_HEX_MAX + 1];
	struct image_plan *plans;
	size_t n_plans;
};

/* Opens the file, unpacks it to an unlinked temporary if it is compressed as a whole, lists its members and computes
 * the key. name: what --name said, or NULL. */
int archive_open(struct archive_file *a, const char *path, const char *name, struct fail *f);

/* Reads the documents: fills plans. name: the reference for the one image in it, or NULL. */
int archive_plan(struct archive_file *a, const char *name, struct fail *f);

void archive_done(struct archive_file *a);

/* Checks a part of the file against a digest. */
int archive_check(const struct archive_file *a, struct range part, const char *digest,
		  struct fail *f);
