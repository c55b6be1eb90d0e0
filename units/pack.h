/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input of a load as bytes: what units_pack_dirs() writes and units_load_packed() reads. Private to units/.
 *
 * Records are a key word and cells; a cell is its length as a word, the bytes, and a NUL, so that a text can be used
 * where it lies. "-" in place of a length is NULL. The last record is "end".
 */
#pragma once

#include "units/load.h"

/* Host and files. */
void pack_input(struct buf *out, const struct units_input *in);

/* One file that a unit names, as it was read: 0 or -errno. */
void pack_named(struct buf *out, const char *path, int result, const char *data, size_t len);

void pack_end(struct buf *out);
