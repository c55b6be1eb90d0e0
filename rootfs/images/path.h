/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of archive members: what they mean inside a layer, decided from the text alone.
 *
 * A normalised path is relative, has no "." or ".." or empty component, no trailing slash, and "" is
 * the layer's root. Whether a component is a symbolic link is not known here: the writer resolves
 * that, inside the layer (rootfs/images/tree.h).
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "base/limits.h"

/* Normalises a member's name. A leading '/' is dropped: it means the layer's root. Any ".." is refused
 * (-EINVAL), wherever it would lead: no writer of layers makes one. Empty: -EINVAL; too long or too
 * deep: -ENAMETOOLONG. */
int path_normalise(const char *raw, char ret[LIMIT_ENTRY_PATH + 1], struct fail *f);

enum path_mark {
	PATH_PLAIN,    /* an ordinary entry */
	PATH_WHITEOUT, /* removes *ret_name, beside it, from the layers below */
	PATH_OPAQUE,   /* the directory it lies in hides what the layers below have there */
	PATH_IGNORED,  /* bookkeeping of aufs: .wh..wh.* */
	PATH_BAD,      /* a whiteout of nothing, of "." or "..", or below a whiteout */
};

/* What a normalised path means by the whiteout rules of the OCI layer format. ret_name is set for
 * PATH_WHITEOUT: the name that goes, a pointer into path. */
enum path_mark path_mark(const char *path, const char **ret_name);

/* Splits a normalised path that is not the root: parent (may be "") and the last component. */
const char *path_split(const char *path, char ret_parent[LIMIT_ENTRY_PATH + 1]);

/* The last component of a normalised path. */
const char *path_base(const char *path);

/* Joins a directory inside the archive and a link found there, lexically; for links between members
 * of a docker-save archive ("../<id>/layer.tar"). Leaving the archive: -EINVAL. */
int path_join(const char *dir, const char *link, char ret[LIMIT_ENTRY_PATH + 1], struct fail *f);

/* The path for a message: control characters and non-ASCII bytes as \xHH, cut to fit. Returns ret. */
const char *path_show(const char *path, char ret[160]);
