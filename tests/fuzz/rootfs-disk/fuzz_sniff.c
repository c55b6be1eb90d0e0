/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are a disk; the answer is one of the kinds and its label is a string. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/disk/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own size: a read beyond the end is caught. */
	uint8_t *disk = malloc(size ? size : 1);
	struct sniff s;

	if (!disk)
		return 0;
	memcpy(disk, data, size);
	sniff(disk, size, &s);
	if (s.kind <= SNIFF_UNREADABLE || s.kind >= SNIFF__N ||
	    !memchr(s.label, 0, sizeof(s.label)))
		abort();
	free(disk);
	return 0;
}
