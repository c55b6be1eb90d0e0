/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "rootfs/images/digest.h"
#include "rootfs/images/doc.h"
#include "rootfs/images/oci.h"
#include "rootfs/images/policy.h"

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"

static void media_types_are_known(void **state)
{
	(void)state;
	assert_int_equal(oci_media(MANIFEST), MEDIA_MANIFEST);
	assert_int_equal(oci_media("application/vnd.docker.distribution.manifest.list.v2+json"),
			 MEDIA_INDEX);
	assert_int_equal(oci_media("application/vnd.oci.image.layer.v1.tar+zstd"), MEDIA_LAYER);
	assert_int_equal(oci_media("application/vnd.oci.image.layer.v1.tar+"), MEDIA_UNKNOWN);
	assert_int_equal(oci_media(""), MEDIA_UNKNOWN);
}

static void add_index_entry(struct buf *b, const char *digest, const char *os, const char *arch,
			    const char *variant)
{
	const char *fields[ROW_FIELDS_MAX] = {
		[MF_MEDIA] = MANIFEST, [MF_DIGEST] = digest, [MF_SIZE] = "7",
		[MF_OS] = os,          [MF_ARCH] = arch,     [MF_VARIANT] = variant,
	};

	row_add(b, ROW_MANIFEST, fields);
}

static void the_oldest_variant_is_picked(void **state)
{
	struct picks picks;
	struct fail f;
	struct buf b = {0};

	(void)state;
	add_index_entry(&b, "one", "linux", "arm64", "");
	add_index_entry(&b, "three", "linux", "amd64", "v3");
	add_index_entry(&b, "two", "linux", "amd64", "v2");
	add_index_entry(&b, "unsaid", "", "", "");
	assert_int_equal(oci_pick(b.data, b.len, "amd64", false, &picks, &f), 0);
	assert_int_equal(picks.n, 1);
	assert_string_equal(picks.list[0].digest, "two");
	assert_int_equal(picks.list[0].size, 7);
	assert_int_equal(oci_pick(b.data, b.len, "riscv64", false, &picks, &f), 0);
	assert_string_equal(picks.list[0].digest, "unsaid");
	assert_int_equal(oci_pick(b.data, b.len, "amd64", true, &picks, &f), 0);
	assert_int_equal(picks.n, 3);
	buf_done(&b);
}

static void what_is_no_index_is_refused(void **state)
{
	static const char *const bad[] = {"manifest", "nonsense\0", "manifest\0a\0b\0"};
	struct picks picks;

	(void)state;
	assert_int_equal(oci_pick("manifest", 8, "amd64", true, &picks, NULL), -EINVAL);
	assert_int_equal(oci_pick(bad[1], 9, "amd64", true, &picks, NULL), -EINVAL);
	assert_int_equal(oci_pick(bad[2], 13, "amd64", true, &picks, NULL), -EINVAL);
	assert_int_equal(oci_pick("", 0, "amd64", true, &picks, NULL), -ENOENT);
}

static void references_are_made(void **state)
{
	static const struct {
		const char *said, *file, *want;
	} cases[] = {
		{"hello:1", "x.tar", "hello:1"},
		{"host.example/a/b:1", "x.tar", "host.example/a/b:1"},
		{"latest", "/a/b/Hello.tar.gz", "hello:latest"},
		{"", "hello.oci.tar", "hello:latest"},
		{"v1", "hello.tgz", "hello:v1"},
		{"bad tag", "hello.tar", NULL},
		{"", "...tar", NULL},
		{"../x:1", "hello.tar", NULL},
	};
	char ref[STORE_REF_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = oci_reference(cases[i].said, cases[i].file, ref, NULL);

		assert_int_equal(r < 0, cases[i].want == NULL);
		if (r == 0)
			assert_string_equal(ref, cases[i].want);
	}
	assert_string_equal(oci_short_name("host.example/library/x:1"), "x:1");
	assert_null(oci_short_name("host.example/library/x/y:1"));
	assert_null(oci_short_name("host.example/other/x:1"));
	assert_null(oci_short_name("local/library/x:1"));
	assert_null(oci_short_name("x:1"));
}

static void digests_are_checked(void **state)
{
	static const char hex[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	char text[DIGEST_MAX], want[DIGEST_MAX] = "sha256:";
	struct digest d;

	(void)state;
	strcat(want, hex);
	assert_int_equal(digest_check(want, NULL), 0);
	assert_string_equal(digest_hex(want), hex);
	assert_int_equal(digest_check("sha256:abc", NULL), -EINVAL);
	assert_int_equal(digest_check("md5:abc", NULL), -EINVAL);
	assert_int_equal(digest_check("", NULL), -EINVAL);
	digest_init(&d, NULL);
	digest_add(&d, "a", 1);
	digest_add(&d, "bc", 2);
	digest_end(&d, text);
	assert_string_equal(text, want);
	digest_init(&d, "sha512:");
	digest_end(&d, text);
	assert_int_equal(digest_check(text, NULL), 0);
}

static void attributes_are_on_a_list(void **state)
{
	static const char *const kept[] = {"security.capability", "user.x",
					   "system.posix_acl_access", "system.posix_acl_default"};
	static const char *const gone[] = {"trusted.overlay.opaque",
					   "security.selinux",
					   "user.",
					   "security.capability2",
					   "userx",
					   ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		assert_true(policy_xattr(kept[i]));
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		assert_false(policy_xattr(gone[i]));
}

static void every_kind_has_a_verdict(void **state)
{
	const char *why;

	(void)state;
	for (int kind = 0; kind < ENTRY__N; kind++) {
		enum verdict verdict = policy_kind((enum entry_kind)kind, &why);

		assert_int_equal(verdict == VERDICT_WRITE, !why);
	}
}

static void quotas_do_not_overflow(void **state)
{
	struct quota q = {.max_bytes = 100, .max_entries = 3};

	(void)state;
	assert_int_equal(quota_add(&q, 100, NULL), 0);
	assert_int_equal(quota_add(&q, 1, NULL), -EFBIG);
	assert_int_equal(quota_add(&q, UINT64_MAX, NULL), -EFBIG);
	assert_int_equal(quota_add(&q, 0, NULL), -EFBIG);
	assert_int_equal(quota_unpacked(0, 250, UINT64_MAX), 64u << 20);
	assert_int_equal(quota_unpacked(1u << 30, 250, 5), 5);
	assert_true(quota_unpacked(UINT64_MAX / 2, 250, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media_types_are_known),
		cmocka_unit_test(the_oldest_variant_is_picked),
		cmocka_unit_test(what_is_no_index_is_refused),
		cmocka_unit_test(references_are_made),
		cmocka_unit_test(digests_are_checked),
		cmocka_unit_test(attributes_are_on_a_list),
		cmocka_unit_test(every_kind_has_a_verdict),
		cmocka_unit_test(quotas_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
