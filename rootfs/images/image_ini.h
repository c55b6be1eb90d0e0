/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.ini: what a start needs of an image's config, as lines "Key=value" below [Image], repeated
 * for lists. Values are C-escaped: control characters, backslashes, ';' and spaces at the ends are \xHH
 * (\n and \t for the common ones), so that no value ever ends in a backslash or looks like a comment.
 * An empty value is an empty string (an argument may be one).
 *
 * What of a config cannot be used is left out with a note, except where leaving it out would make the
 * container more powerful than the image meant (User): that refuses the image.
 */
#pragma once

#include "base/buf.h"
#include "base/fail.h"
#include "base/limits.h"

#define IMAGE_INI_MAX (1u << 20) /* what the runtime reads */

typedef void note_fn(void *arg, const char *text);

/* Writes the file's text from a config's rows (rootfs/images/doc.h). layers: lowest first. */
int image_ini_write(struct buf *out, const char *id, const char *const *layers, size_t n_layers,
		    const char *rows, size_t rows_len, note_fn *note, void *note_arg,
		    struct fail *f);

/* Reads a text of image_ini_write() line by line: 1, *ret_key and *ret_value (unescaped) are valid until the
 * next call; 0 at the end; -EBADMSG. *at begins at 0; text must be NUL-terminated and is changed. */
int image_ini_next(char *text, size_t *at, char **ret_key, char **ret_value);
