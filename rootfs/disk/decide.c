/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/disk/decide.h"

#include <stdio.h>
#include <string.h>

/* A file system may end a little before its device: less than this is no reason to grow. */
#define GROW_MIN (8u << 20)

static bool is_labelled(const struct disk *d)
{
	return d->found.kind == SNIFF_EXT && strcmp(d->found.label, DISK_LABEL) == 0;
}

static bool is_blank(const struct disk *d)
{
	bool empty = d->found.kind == SNIFF_BLANK || d->found.kind == SNIFF_HALF_MADE;

	return empty && !d->partition && !d->partitioned && !d->read_only &&
	       d->size >= DISK_MIN_SIZE;
}

static bool is_unreadable(const struct disk *d)
{
	return !d->partition && d->found.kind == SNIFF_UNREADABLE;
}

static bool is_foreign(const struct disk *d)
{
	return !d->partition && !is_labelled(d) && !is_blank(d);
}

/* How many disks fit, the first of them, and the names of all: "/dev/vda, /dev/vdb". */
static size_t pick(const struct disk *disks, size_t n, bool (*fits)(const struct disk *),
		   const struct disk **ret_first, char *names, size_t names_size)
{
	size_t count = 0, len = 0;

	names[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!fits(&disks[i]))
			continue;
		if (count++ == 0)
			*ret_first = &disks[i];
		int put = snprintf(names + len, names_size - len, "%s%s", count > 1 ? ", " : "",
				   disks[i].path);

		if (put > 0 && (size_t)put < names_size - len)
			len += (size_t)put;
	}
	return count;
}

static void use(const struct disk *d, struct decision *ret)
{
	ret->disk = d;
	if (d->read_only) {
		ret->verdict = VERDICT_REFUSED;
		snprintf(ret->text, sizeof(ret->text), "the data disk %s is read-only", d->path);
		return;
	}
	ret->verdict = VERDICT_USE;
	ret->check = !d->found.clean;
	ret->grow = d->found.fs_size != 0 && d->size > d->found.fs_size &&
		    d->size - d->found.fs_size >= GROW_MIN;
	snprintf(ret->text, sizeof(ret->text), "data disk %s", d->path);
}

void disk_decide(const struct disk *disks, size_t n, struct decision *ret)
{
	const struct disk *first = NULL;
	char names[200];

	memset(ret, 0, sizeof(*ret));
	size_t labelled = pick(disks, n, is_labelled, &first, names, sizeof(names));

	if (labelled == 1) {
		use(first, ret);
		return;
	}
	if (labelled > 1) {
		ret->verdict = VERDICT_REFUSED;
		snprintf(ret->text, sizeof(ret->text),
			 "%zu disks are labelled " DISK_LABEL
			 ": %s; detach all but one, or rename: "
			 "tune2fs -L NAME DISK",
			 labelled, names);
		return;
	}
	if (pick(disks, n, is_unreadable, &first, names, sizeof(names)) > 0) {
		ret->verdict = VERDICT_REFUSED;
		snprintf(ret->text, sizeof(ret->text),
			 "cannot be read, and may be the data disk: %s", names);
		return;
	}
	size_t blank = pick(disks, n, is_blank, &first, names, sizeof(names));

	if (blank == 1) {
		ret->verdict = VERDICT_FORMAT;
		ret->disk = first;
		snprintf(ret->text, sizeof(ret->text),
			 "%s is blank: formatting it as the data disk", first->path);
		return;
	}
	if (blank > 1) {
		ret->verdict = VERDICT_REFUSED;
		snprintf(
			ret->text, sizeof(ret->text),
			"%zu disks are blank: %s; attach one, or choose: mke2fs -t ext4 -L " DISK_LABEL
			" DISK",
			blank, names);
		return;
	}
	ret->verdict = VERDICT_VOLATILE;
	if (pick(disks, n, is_foreign, &first, names, sizeof(names)) > 0)
		snprintf(ret->text, sizeof(ret->text),
			 "no data disk: left alone, neither blank nor labelled " DISK_LABEL ": %s",
			 names);
	else
		snprintf(ret->text, sizeof(ret->text), "no data disk");
}
