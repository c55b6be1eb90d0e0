/* SPDX-License-Identifier: Apache-2.0 */
#include "init/packed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"

int packed_open(struct packed *packed, int fd, struct fail *f)
{
	struct stat st;
	const char *end;
	size_t head, list;

	*packed = (struct packed){0};
	if (fstat(fd, &st) < 0)
		return fail_set(f, errno, "units: stat");
	packed->size = (size_t)st.st_size;
	packed->map = packed->size ? mmap(NULL, packed->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (packed->map == MAP_FAILED) {
		packed->map = NULL;
		return fail_set(f, errno, "units: mmap");
	}
	end = packed->map ? memchr(packed->map, '\0', packed->size) : NULL;
	head = end ? (size_t)(end - (char *)packed->map) + 1 : 0;
	list = end ? strtoul(packed->map, NULL, 10) : 0;
	if (!end || list > packed->size - head) {
		packed_close(packed);
		return fail_set(f, EINVAL, "units: what was read is cut off");
	}
	packed->list = (char *)packed->map + head;
	packed->list_len = list;
	packed->units = packed->list + list;
	packed->units_len = packed->size - head - list;
	return 0;
}

void packed_close(struct packed *packed)
{
	if (packed->map)
		munmap(packed->map, packed->size);
	*packed = (struct packed){0};
}

int packed_write(int fd, const struct buf *list, const struct buf *units, struct fail *f)
{
	char head[24];
	int n = snprintf(head, sizeof(head), "%zu", list->len) + 1;

	if (list->bad || units->bad)
		return fail_set(f, ENOMEM, "units");
	if (io_write_all(fd, head, (size_t)n) < 0 || io_write_all(fd, list->data, list->len) < 0 ||
	    io_write_all(fd, units->data, units->len) < 0)
		return fail_set(f, errno, "units: write");
	return 0;
}
