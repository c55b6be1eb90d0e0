/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the child that reads /var writes for PID 1: the length of a list, the list (words), and the unit files of all
 * folders as units_pack_dirs() has them. PID 1 keeps the memfd of the units that are in force: a revival makes the same
 * units of it again, without a look at any disk, and whatever was edited meanwhile.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

struct packed {
	void *map;
	size_t size;
	const char *list, *units;
	size_t list_len, units_len;
};

int packed_open(struct packed *packed, int fd, struct fail *f);
void packed_close(struct packed *packed);

/* The child's side. */
int packed_write(int fd, const struct buf *list, const struct buf *units, struct fail *f);
