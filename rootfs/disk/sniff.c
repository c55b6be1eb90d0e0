/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/disk/sniff.h"

#include <string.h>

/* The ext superblock: where it lies, and the fields we ask for (Documentation/filesystems/ext4). */
enum {
	EXT_AT = 1024,
	EXT_SIZE = 1024,
	EXT_BLOCKS_LO = 0x04,
	EXT_LOG_BLOCK_SIZE = 0x18,
	EXT_MAGIC = 0x38,
	EXT_STATE = 0x3a,
	EXT_INCOMPAT = 0x60,
	EXT_LABEL = 0x78,
	EXT_LABEL_SIZE = 16,
	EXT_BLOCKS_HI = 0x150,

	EXT_STATE_VALID = 1,
	EXT_STATE_ERROR = 2,
	EXT_INCOMPAT_RECOVER = 0x04,
	EXT_INCOMPAT_64BIT = 0x80,
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static bool all_zero(const uint8_t *p, uint64_t len)
{
	/* A range is zero if its first byte is and each byte equals the next. */
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static bool blank(const uint8_t *disk, uint64_t size)
{
	if (size <= 2 * (uint64_t)SNIFF_EDGE + SNIFF_SAMPLES * (uint64_t)SNIFF_PAGE)
		return all_zero(disk, size);
	if (!all_zero(disk, SNIFF_EDGE) || !all_zero(disk + size - SNIFF_EDGE, SNIFF_EDGE))
		return false;
	uint64_t step = (size - 2 * (uint64_t)SNIFF_EDGE) / SNIFF_SAMPLES;

	for (uint64_t i = 0; i < SNIFF_SAMPLES; i++) {
		uint64_t at = (SNIFF_EDGE + i * step) / SNIFF_PAGE * SNIFF_PAGE;

		if (!all_zero(disk + at, SNIFF_PAGE))
			return false;
	}
	return true;
}

static bool ext(const uint8_t *disk, uint64_t size, struct sniff *ret)
{
	if (size < EXT_AT + EXT_SIZE)
		return false;
	const uint8_t *super = disk + EXT_AT;
	uint32_t log_block = le32(super + EXT_LOG_BLOCK_SIZE);

	if (le16(super + EXT_MAGIC) != 0xef53 || log_block > 6)
		return false;
	uint32_t incompat = le32(super + EXT_INCOMPAT);
	uint64_t blocks = le32(super + EXT_BLOCKS_LO);

	if (incompat & EXT_INCOMPAT_64BIT)
		blocks |= (uint64_t)le32(super + EXT_BLOCKS_HI) << 32;
	/* A count that does not fit into 64 bits of bytes is a lie; 0 never looks like a disk that grew. */
	unsigned int shift = 10 + log_block;

	ret->fs_size = blocks > UINT64_MAX >> shift ? 0 : blocks << shift;
	uint16_t state = le16(super + EXT_STATE);

	ret->clean = (state & EXT_STATE_VALID) && !(state & EXT_STATE_ERROR) &&
		     !(incompat & EXT_INCOMPAT_RECOVER);
	for (size_t i = 0; i < EXT_LABEL_SIZE && super[EXT_LABEL + i]; i++) {
		uint8_t c = super[EXT_LABEL + i];

		ret->label[i] = c > 0x20 && c < 0x7f ? (char)c : '?';
	}
	return true;
}

void sniff(const uint8_t *disk, uint64_t size, struct sniff *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (size >= sizeof(SNIFF_MARK) && memcmp(disk, SNIFF_MARK, sizeof(SNIFF_MARK)) == 0)
		ret->kind = SNIFF_HALF_MADE;
	else if (ext(disk, size, ret))
		ret->kind = SNIFF_EXT;
	else
		ret->kind = blank(disk, size) ? SNIFF_BLANK : SNIFF_FOREIGN;
}
