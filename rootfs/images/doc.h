/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON documents of an image archive, reduced to rows of words.
 *
 * The reading of JSON (doc_read(), jansson) runs in the sandbox; what comes out of it is words
 * (base/words.h): rows, each the name of its kind followed by that kind's fixed number of fields, ""
 * where the document says nothing. doc_next() checks them again on the privileged side.
 */
#pragma once

#include "base/buf.h"
#include "base/fail.h"
#include "base/words.h"

enum doc_kind {
	DOC_INDEX,    /* OCI index.json or index blob, Docker manifest list */
	DOC_MANIFEST, /* OCI manifest, Docker schema 2 */
	DOC_SAVE,     /* manifest.json of docker-save */
	DOC_CONFIG,   /* image configuration */
	DOC__N
};

enum row_kind {
	ROW_MANIFEST, /* of an index: see enum manifest_field */
	ROW_CONFIG,   /* of a manifest: media type, digest, size, artifact type */
	ROW_LAYER,    /* of a manifest: media type, digest, size, first URL */
	ROW_IMAGE,    /* of manifest.json: path of the config; its tags and layers follow */
	ROW_TAG,      /* reference */
	ROW_PATH,     /* path of a layer */
	ROW_PLATFORM, /* of a config: os, architecture, variant */
	ROW_DIFF,     /* diff id */
	ROW_HISTORY,  /* number of entries, number of those that made a layer */
	ROW_ENTRYPOINT,
	ROW_CMD,
	ROW_ENV,
	ROW_USER,
	ROW_WORKDIR,
	ROW_STOPSIGNAL,
	ROW_VOLUME,
	ROW_PORT,
	ROW_LABEL, /* key, value */
	ROW__N
};

#define ROW_FIELDS_MAX 9

enum manifest_field {
	MF_MEDIA,
	MF_DIGEST,
	MF_SIZE,
	MF_OS,
	MF_ARCH,
	MF_VARIANT,
	MF_NAME,      /* the annotation with the image's full name, or with its reference */
	MF_REFERENCE, /* "vnd.docker.reference.type": an attestation, not an image */
	MF_ARTIFACT,  /* artifactType */
};

struct row {
	enum row_kind kind;
	const char *f[ROW_FIELDS_MAX]; /* borrowed */
};

/* Reads a document strictly: one JSON value and nothing behind it, no duplicate keys, no NUL in strings, no
 * wrong types. Appends rows to out. */
int doc_read(enum doc_kind kind, const char *text, size_t len, struct buf *out, struct fail *f);

void row_add(struct buf *out, enum row_kind kind, const char *const *fields);

/* 1 and *ret, 0 at the end, -EBADMSG if these are no rows. */
int row_next(struct words_iter *it, struct row *ret);

/* Seeds jansson's hash, which would open /dev/urandom in a sandbox that opens nothing. */
void doc_seed(void);
