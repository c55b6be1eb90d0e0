/* SPDX-License-Identifier: Apache-2.0 */
/* Which disk becomes /var. Every row of the table in rootfs/disk/decide.h, and what lies between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rootfs/disk/decide.h"

#define GIB (1ull << 30)

static struct disk disk(const char *path, enum sniff_kind kind, const char *label)
{
	struct disk d = {.size = GIB, .found = {.kind = kind, .fs_size = GIB, .clean = true}};

	snprintf(d.path, sizeof(d.path), "%s", path);
	snprintf(d.found.label, sizeof(d.found.label), "%s", label);
	return d;
}

static struct decision decide(const struct disk *disks, size_t n)
{
	struct decision d;

	disk_decide(disks, n, &d);
	return d;
}

static void no_disk_at_all_is_volatile(void **state)
{
	(void)state;
	struct decision d = decide(NULL, 0);

	assert_int_equal(d.verdict, VERDICT_VOLATILE);
	assert_string_equal(d.text, "no data disk");
}

static void the_labelled_disk_is_used_beside_others(void **state)
{
	(void)state;
	const struct disk disks[] = {
		disk("/dev/vda", SNIFF_FOREIGN, ""), disk("/dev/vdb", SNIFF_BLANK, ""),
		disk("/dev/vdc", SNIFF_EXT, DISK_LABEL), disk("/dev/vdd", SNIFF_EXT, "photos")};
	struct decision d = decide(disks, 4);

	assert_int_equal(d.verdict, VERDICT_USE);
	assert_ptr_equal(d.disk, &disks[2]);
	assert_false(d.check);
	assert_false(d.grow);
}

static void a_label_that_only_begins_alike_is_foreign(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_EXT, "orlop-data2")};

	assert_int_equal(decide(disks, 1).verdict, VERDICT_VOLATILE);
}

static void a_labelled_partition_is_used(void **state)
{
	(void)state;
	struct disk disks[] = {disk("/dev/vda", SNIFF_FOREIGN, ""),
			       disk("/dev/vda1", SNIFF_EXT, DISK_LABEL)};

	disks[0].partitioned = true;
	disks[1].partition = true;
	struct decision d = decide(disks, 2);

	assert_int_equal(d.verdict, VERDICT_USE);
	assert_ptr_equal(d.disk, &disks[1]);
}

static void two_labelled_disks_are_refused_and_both_named(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_EXT, DISK_LABEL),
				     disk("/dev/vdb", SNIFF_EXT, DISK_LABEL)};
	struct decision d = decide(disks, 2);

	assert_int_equal(d.verdict, VERDICT_REFUSED);
	assert_non_null(strstr(d.text, "/dev/vda, /dev/vdb"));
}

static void a_blank_disk_is_formatted(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_FOREIGN, ""),
				     disk("/dev/vdb", SNIFF_BLANK, "")};
	struct decision d = decide(disks, 2);

	assert_int_equal(d.verdict, VERDICT_FORMAT);
	assert_ptr_equal(d.disk, &disks[1]);
}

static void a_half_made_disk_is_formatted_again(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_HALF_MADE, "")};

	assert_int_equal(decide(disks, 1).verdict, VERDICT_FORMAT);
}

static void two_blank_disks_are_refused(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_BLANK, ""),
				     disk("/dev/vdb", SNIFF_BLANK, "")};

	assert_int_equal(decide(disks, 2).verdict, VERDICT_REFUSED);
}

static void a_disk_that_is_not_wholly_ours_is_never_formatted(void **state)
{
	(void)state;
	struct disk d;

	d = disk("/dev/vda1", SNIFF_BLANK, "");
	d.partition = true;
	assert_int_equal(decide(&d, 1).verdict, VERDICT_VOLATILE);
	d = disk("/dev/vda", SNIFF_BLANK, "");
	d.partitioned = true;
	assert_int_equal(decide(&d, 1).verdict, VERDICT_VOLATILE);
	d = disk("/dev/vda", SNIFF_BLANK, "");
	d.read_only = true;
	assert_int_equal(decide(&d, 1).verdict, VERDICT_VOLATILE);
	d = disk("/dev/vda", SNIFF_BLANK, "");
	d.size = DISK_MIN_SIZE - 512;
	assert_int_equal(decide(&d, 1).verdict, VERDICT_VOLATILE);
}

static void a_foreign_disk_is_left_alone_and_named(void **state)
{
	(void)state;
	const struct disk disks[] = {disk("/dev/vda", SNIFF_FOREIGN, "")};
	struct decision d = decide(disks, 1);

	assert_int_equal(d.verdict, VERDICT_VOLATILE);
	assert_null(d.disk);
	assert_non_null(strstr(d.text, "/dev/vda"));
}

static void an_unreadable_disk_may_be_the_one(void **state)
{
	(void)state;
	const struct disk alone[] = {disk("/dev/vda", SNIFF_UNREADABLE, ""),
				     disk("/dev/vdb", SNIFF_BLANK, "")};
	const struct disk beside[] = {disk("/dev/vda", SNIFF_UNREADABLE, ""),
				      disk("/dev/vdb", SNIFF_EXT, DISK_LABEL)};

	assert_int_equal(decide(alone, 2).verdict, VERDICT_REFUSED);
	assert_int_equal(decide(beside, 2).verdict, VERDICT_USE);
}

static void a_read_only_data_disk_is_refused(void **state)
{
	(void)state;
	struct disk d = disk("/dev/vda", SNIFF_EXT, DISK_LABEL);

	d.read_only = true;
	assert_int_equal(decide(&d, 1).verdict, VERDICT_REFUSED);
}

static void an_unclean_disk_is_checked_and_a_grown_one_grows(void **state)
{
	(void)state;
	struct disk d = disk("/dev/vda", SNIFF_EXT, DISK_LABEL);

	d.found.clean = false;
	assert_true(decide(&d, 1).check);
	d.size = GIB + (8u << 20);
	assert_true(decide(&d, 1).grow);
	d.size = GIB + (8u << 20) - 4096;
	assert_false(decide(&d, 1).grow);
	d.size = GIB / 2; /* a disk cut short: e2fsck and mount will say so */
	assert_false(decide(&d, 1).grow);
}

static void many_disks_do_not_overrun_the_text(void **state)
{
	(void)state;
	struct disk disks[DISK_MAX];

	for (size_t i = 0; i < DISK_MAX; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/dev/disk-with-a-long-name-%zu", i);
		disks[i] = disk(path, SNIFF_EXT, DISK_LABEL);
	}
	struct decision d = decide(disks, DISK_MAX);

	assert_int_equal(d.verdict, VERDICT_REFUSED);
	assert_true(strlen(d.text) < sizeof(d.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_disk_at_all_is_volatile),
		cmocka_unit_test(the_labelled_disk_is_used_beside_others),
		cmocka_unit_test(a_label_that_only_begins_alike_is_foreign),
		cmocka_unit_test(a_labelled_partition_is_used),
		cmocka_unit_test(two_labelled_disks_are_refused_and_both_named),
		cmocka_unit_test(a_blank_disk_is_formatted),
		cmocka_unit_test(a_half_made_disk_is_formatted_again),
		cmocka_unit_test(two_blank_disks_are_refused),
		cmocka_unit_test(a_disk_that_is_not_wholly_ours_is_never_formatted),
		cmocka_unit_test(a_foreign_disk_is_left_alone_and_named),
		cmocka_unit_test(an_unreadable_disk_may_be_the_one),
		cmocka_unit_test(a_read_only_data_disk_is_refused),
		cmocka_unit_test(an_unclean_disk_is_checked_and_a_grown_one_grows),
		cmocka_unit_test(many_disks_do_not_overrun_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
