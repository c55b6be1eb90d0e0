/* SPDX-License-Identifier: Apache-2.0 */
/* What lies on a disk, told from its bytes: made-up ones here, and file systems that mke2fs makes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "rootfs/disk/sniff.h"

#define MIB ((uint64_t)1 << 20)
#define BIG (64 * MIB)

/* Zeros that cost no memory until written to. */
static uint8_t *zeros(uint64_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static enum sniff_kind kind_of(const uint8_t *disk, uint64_t size)
{
	struct sniff s;

	sniff(disk, size, &s);
	return s.kind;
}

static void zeros_are_blank_whatever_the_size(void **state)
{
	(void)state;
	const uint64_t sizes[] = {0,       1,   512,      1024, 2048, MIB, 2 * MIB, 2 * MIB + 512,
				  3 * MIB, BIG, BIG + 512};
	uint8_t *disk = zeros(BIG + MIB);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(kind_of(disk, sizes[i]), SNIFF_BLANK);
	munmap(disk, BIG + MIB);
}

static void one_byte_at_either_end_is_enough(void **state)
{
	(void)state;
	const uint64_t at[] = {0,       1,       511,       1023,    4095,      4096,
			       MIB / 2, MIB - 1, BIG - MIB, BIG - 1, BIG - 512, BIG - MIB + 1};
	uint8_t *disk = zeros(BIG);

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		disk[at[i]] = 1;
		assert_int_equal(kind_of(disk, BIG), SNIFF_FOREIGN);
		disk[at[i]] = 0;
	}
	assert_int_equal(kind_of(disk, BIG), SNIFF_BLANK);
	munmap(disk, BIG);
}

static void every_byte_of_a_small_disk_counts(void **state)
{
	(void)state;
	uint64_t size = 3 * MIB;
	uint8_t *disk = zeros(size);

	for (uint64_t at = 0; at < size; at += 77777) {
		disk[at] = 0x80;
		assert_int_equal(kind_of(disk, size), SNIFF_FOREIGN);
		disk[at] = 0;
	}
	munmap(disk, size);
}

static void data_in_the_middle_is_found_by_the_samples(void **state)
{
	(void)state;
	uint8_t *disk = zeros(BIG);

	/* Longer than the distance of two samples. */
	memset(disk + BIG / 2, 0xaa, BIG / SNIFF_SAMPLES + SNIFF_PAGE);
	assert_int_equal(kind_of(disk, BIG), SNIFF_FOREIGN);
	munmap(disk, BIG);
}

static void the_mark_tells_a_half_made_disk(void **state)
{
	(void)state;
	uint8_t *disk = zeros(BIG);

	memcpy(disk, SNIFF_MARK, sizeof(SNIFF_MARK));
	memset(disk + 5 * MIB, 0x11, 100);
	assert_int_equal(kind_of(disk, BIG), SNIFF_HALF_MADE);
	disk[3] ^= 1;
	assert_int_equal(kind_of(disk, BIG), SNIFF_FOREIGN);
	munmap(disk, BIG);
}

static void a_lying_superblock_is_survived(void **state)
{
	(void)state;
	uint8_t *disk = zeros(BIG);
	struct sniff s;

	memset(disk + 1024, 0xff, 1024);
	disk[1024 + 0x38] = 0x53;
	disk[1024 + 0x39] = 0xef;
	sniff(disk, BIG, &s);
	assert_int_equal(s.kind, SNIFF_FOREIGN); /* its block size cannot be */
	memset(disk + 1024 + 0x18, 0, 4);
	sniff(disk, BIG, &s);
	assert_int_equal(s.kind, SNIFF_EXT);
	assert_int_equal(s.fs_size, 0); /* 2^64 blocks do not fit */
	assert_string_equal(s.label, "????????????????");
	munmap(disk, BIG);
}

/* A real one, in a file: made, looked at, and damaged as a power cut would. */
static void what_mke2fs_makes_is_known(void **state)
{
	(void)state;
	char path[] = "/tmp/orlop-sniff-XXXXXX";
	int fd = mkstemp(path);
	char command[256];
	struct sniff s;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)BIG), 0);
	snprintf(command, sizeof(command),
		 "/sbin/mke2fs -q -F -t ext4 -L orlop-data %s 40M > /dev/null 2>&1", path);
	int made = system(command);
	uint8_t *disk = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	unlink(path);
	close(fd);
	if (made != 0)
		skip();
	assert_ptr_not_equal(disk, MAP_FAILED);
	sniff(disk, BIG, &s);
	assert_int_equal(s.kind, SNIFF_EXT);
	assert_string_equal(s.label, "orlop-data");
	assert_int_equal(s.fs_size, 40 * MIB);
	assert_true(s.clean);
	disk[1024 + 0x60] |= 4; /* needs_recovery */
	sniff(disk, BIG, &s);
	assert_false(s.clean);
	munmap(disk, BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_are_blank_whatever_the_size),
		cmocka_unit_test(one_byte_at_either_end_is_enough),
		cmocka_unit_test(every_byte_of_a_small_disk_counts),
		cmocka_unit_test(data_in_the_middle_is_found_by_the_samples),
		cmocka_unit_test(the_mark_tells_a_half_made_disk),
		cmocka_unit_test(a_lying_superblock_is_survived),
		cmocka_unit_test(what_mke2fs_makes_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
