/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image store on disk (layout: docs/architecture.md section 4). Beside what is said there:
 *
 *     images/.lock               flock: shared while something is made, exclusive while something is removed
 *     images/archives/<key>      lines "<id> <reference or ->": what an import of this archive made
 *     layers/<hex>/meta          words about the tree: bytes, entries, assumptions (writer.h)
 *     tmp/import-*               half made; its maker holds a flock on it
 *
 * A layer is named by its diff id, or, where its tree is only good on certain layers, by the chain id of the
 * OCI specification, the digest over them all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/store.h"
#include "rootfs/images/lower.h"

#define STORE_NAME_MAX (STORE_REF_MAX + 8) /* of a reference's file */

struct store {
	int images, names, archives, layers, tmp; /* directories */
	int lock;
};

enum store_lock { STORE_SHARED, STORE_EXCLUSIVE };

/* Makes what is missing and takes the lock. */
int store_open(struct store *s, enum store_lock how, struct fail *f);
void store_done(struct store *s);

struct layer_meta {
	uint64_t bytes, entries;
	struct buf assumes; /* words */
};

void layer_meta_write(struct buf *out, const struct layer_meta *m);
int layer_meta_read(const struct store *s, const char *hex, struct layer_meta *ret, struct fail *f);

/* Opens layers/<hex>/fs: its fd, -ENOENT if the layer is not there. */
int store_layer_open(const struct store *s, const char *hex, struct fail *f);

/* Image ids, or layer names, or names' files: every entry of a directory that is not hidden, sorted. */
struct names {
	char **list;
	size_t n;
};
int store_list(int dir, struct names *ret, struct fail *f);
void names_done(struct names *n);
bool names_have(const struct names *n, const char *name);

/* The image.ini of an id, NUL-terminated, the caller's. */
int store_image_text(const struct store *s, const char *id, char **ret, struct fail *f);

/* The layers an image.ini names. Adds to ret, which need not be empty. */
int store_image_layers(const struct store *s, const char *id, struct names *ret, struct fail *f);
int names_add(struct names *n, const char *name, struct fail *f);

/* The id a name's file points to. -ENOENT. */
int store_name_read(const struct store *s, const char *name, char ret_id[STORE_HEX_MAX + 1],
		    struct fail *f);

/* A reference as people type it, an id or at least 8 digits of one. */
int store_find(const struct store *s, const char *what, char ret_id[STORE_HEX_MAX + 1],
	       char ret_name[STORE_NAME_MAX] /* "" if found by id */, struct fail *f);

/* The reference a name's file stands for. */
void store_name_ref(const char *name, char ret_ref[STORE_NAME_MAX]);
