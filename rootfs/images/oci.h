/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the documents of an archive ask for, from their rows: which manifest of an index, which blobs of
 * a manifest, which names. Pure; strings are borrowed from the rows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/store.h"
#include "rootfs/images/doc.h"

struct descriptor {
	const char *media, *digest;
	int64_t size; /* -1: not said */
	const char *url;
	const char *name; /* of an index entry: as its annotations say */
};

enum media {
	MEDIA_UNKNOWN,
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_SCHEMA1,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_FOREIGN, /* a layer that archives may leave out */
};

enum media oci_media(const char *type);

#define OCI_PICKS_MAX LIMIT_IMAGE_COUNT

struct picks {
	struct descriptor list[OCI_PICKS_MAX];
	size_t n;
};

/* Picks from an index what can run on `arch` (GOARCH). `top`: the index of an archive, which lists images that
 * differ in name, all wanted; else alternatives, of which one is wanted. Attestations and artifacts
 * are passed over. -ENOENT: nothing fits, with what there is. */
int oci_pick(const char *rows, size_t len, const char *arch, bool top, struct picks *ret,
	     struct fail *f);

struct manifest {
	struct descriptor config;
	struct descriptor layers[LIMIT_IMAGE_LAYERS];
	size_t n_layers;
};

int oci_manifest(const char *rows, size_t len, struct manifest *ret, struct fail *f);

struct config {
	const char *os, *arch;
	const char *diffs[LIMIT_IMAGE_LAYERS];
	size_t n_diffs;
};

/* The parts of a config that the import needs; counts are checked against each other and n_layers. */
int oci_config(const char *rows, size_t len, size_t n_layers, const char *arch, struct config *ret,
	       struct fail *f);

/*
 * The reference an image gets. `said` is the archive's annotation or tag: a whole reference, or only a
 * tag, which then gets the archive's file name in front ("hello.tar" and "latest": "hello:latest"); "" counts as
 * "latest". -EINVAL if nothing usable comes out.
 */
int oci_reference(const char *said, const char *file, char ret[STORE_REF_MAX + 1], struct fail *f);

/* What people write for "HOST/library/NAME:TAG", where HOST is a registry: "NAME:TAG". Tools that copy
 * images put the host and "library" in front of such names. NULL: it is no such name. */
const char *oci_short_name(const char *ref);
