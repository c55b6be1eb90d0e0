/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "rootfs/images/path.h"

static void paths_are_normalised(void **state)
{
	static const struct {
		const char *raw, *want;
	} cases[] = {
		{"a/b", "a/b"},
		{"/a//b/", "a/b"},
		{"./a/./b", "a/b"},
		{".", ""},
		{"./", ""},
		{"/", ""},
		{"a", "a"},
		{"..a/b..", "..a/b.."},
		{"a\nb", "a\nb"},
		{"...", "..."},
		{"\xff\xfe", "\xff\xfe"},
	};
	char path[LIMIT_ENTRY_PATH + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(path_normalise(cases[i].raw, path, NULL), 0);
		assert_string_equal(path, cases[i].want);
	}
}

static void paths_that_climb_are_refused(void **state)
{
	static const char *const cases[] = {"..", "../x", "a/../../x", "a/../b", "/..", "a/..", ""};
	char path[LIMIT_ENTRY_PATH + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(path_normalise(cases[i], path, NULL), -EINVAL);
}

static void lengths_have_limits(void **state)
{
	char raw[2 * LIMIT_ENTRY_PATH], path[LIMIT_ENTRY_PATH + 1];

	(void)state;
	memset(raw, 'n', sizeof(raw));
	raw[255] = '\0';
	assert_int_equal(path_normalise(raw, path, NULL), 0);
	raw[255] = 'n';
	raw[256] = '\0';
	assert_int_equal(path_normalise(raw, path, NULL), -ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = i % 2 ? '/' : 'd';
	raw[2 * LIMIT_ENTRY_DEPTH] = '\0';
	assert_int_equal(path_normalise(raw, path, NULL), 0);
	raw[2 * LIMIT_ENTRY_DEPTH] = 'd';
	raw[2 * LIMIT_ENTRY_DEPTH + 1] = '\0';
	assert_int_equal(path_normalise(raw, path, NULL), -ENAMETOOLONG);
}

static void whiteouts_are_recognised(void **state)
{
	static const struct {
		const char *path;
		enum path_mark mark;
		const char *name;
	} cases[] = {
		{"a/b", PATH_PLAIN, NULL},
		{"a/.wh.b", PATH_WHITEOUT, "b"},
		{".wh.b", PATH_WHITEOUT, "b"},
		{"a/.wh..b", PATH_WHITEOUT, ".b"},
		{"a/.wh..wh..opq", PATH_OPAQUE, NULL},
		{".wh..wh..opq", PATH_OPAQUE, NULL},
		{".wh..wh.aufs", PATH_IGNORED, NULL},
		{".wh..wh.plnk/1.2", PATH_IGNORED, NULL},
		{".wh..wh..opq/x", PATH_IGNORED, NULL},
		{"a/.wh.", PATH_BAD, NULL},
		{"a/.wh..", PATH_BAD, NULL},
		{"a/.wh...", PATH_BAD, NULL},
		{".wh./x", PATH_BAD, NULL},
		{".wh.d/x", PATH_BAD, NULL},
		{".wh", PATH_PLAIN, NULL},
		{"x.wh.y", PATH_PLAIN, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = NULL;

		assert_int_equal(path_mark(cases[i].path, &name), cases[i].mark);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
	}
}

static void links_between_members_stay_inside(void **state)
{
	char path[LIMIT_ENTRY_PATH + 1];

	(void)state;
	assert_int_equal(path_join("abc", "../def/layer.tar", path, NULL), 0);
	assert_string_equal(path, "def/layer.tar");
	assert_int_equal(path_join("a/b", "/c", path, NULL), 0);
	assert_string_equal(path, "c");
	assert_int_equal(path_join("", "x", path, NULL), 0);
	assert_string_equal(path, "x");
	assert_int_equal(path_join("a", "../../x", path, NULL), -EINVAL);
}

static void shown_paths_are_harmless(void **state)
{
	char shown[160], longest[1000];

	(void)state;
	assert_string_equal(path_show("a\x1b[0m\n\"", shown), "a\\x1b[0m\\x0a\\x22");
	memset(longest, 1, sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_true(strlen(path_show(longest, shown)) < 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_normalised),
		cmocka_unit_test(paths_that_climb_are_refused),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(whiteouts_are_recognised),
		cmocka_unit_test(links_between_members_stay_inside),
		cmocka_unit_test(shown_paths_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
