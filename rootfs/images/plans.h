/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the reading of an archive: archive.c has the file and its members, plan.c the list of images,
 * plan_oci.c and plan_docker.c one layout each. Not for others.
 */
#pragma once

#include "rootfs/images/archive.h"

#if defined(__x86_64__)
#define ARCH "amd64" /* as GOARCH has it */
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#error "which GOARCH is this?"
#endif

/* A member's bytes, NUL-terminated, the caller's. At most LIMIT_IMAGE_JSON. */
int archive_read_member(const struct archive_file *a, const struct member *m, char **ret,
			struct fail *f);

/* Reads a document into rows. digest: what its bytes must have, or NULL. */
int archive_document(const struct archive_file *a, const struct member *m, const char *digest,
		     enum doc_kind kind, struct buf *ret_rows, struct fail *f);

/* The member that holds a blob, its size checked. */
int archive_blob(const struct archive_file *a, const struct descriptor *d,
		 const struct member **ret, struct fail *f);

/* The document in a blob, its digest checked. */
int archive_blob_document(const struct archive_file *a, const struct descriptor *d,
			  enum doc_kind kind, struct buf *ret_rows, struct fail *f);

/* A new, empty plan at the end of the list. Pointers to others are void then. */
int plan_new(struct archive_file *a, struct image_plan **ret, struct fail *f);
struct image_plan *plan_find(struct archive_file *a, const char *id);

/* Makes n layer sources with the diff ids of the plan's config, whose counts are checked. */
int plan_set_layers(struct image_plan *p, size_t n, struct fail *f);

int plan_add_name(struct image_plan *p, const char *name, struct fail *f);

/* A name that the archive says; one that cannot be used is not worth the image and left out. */
int plan_add_said(struct archive_file *a, struct image_plan *p, const char *said, struct fail *f);

int plan_oci(struct archive_file *a, const struct member *index, struct fail *f);
int plan_docker(struct archive_file *a, const struct member *save, struct fail *f);
