/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "rootfs/images/doc.h"
#include "rootfs/images/image_ini.h"

static void read_text(enum doc_kind kind, const char *text, int want, struct buf *out)
{
	struct fail f = {0};

	assert_int_equal(doc_read(kind, text, strlen(text), out, &f), want);
	assert_int_equal(want < 0, f.code != 0);
}

static void a_manifest_becomes_rows(void **state)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"d\",\"size\":3},"
		"\"layers\":[{\"mediaType\":\"l\",\"digest\":\"e\",\"size\":4,\"urls\":[\"u\"]}]}";
	struct words_iter it;
	struct buf b = {0};
	struct row row;

	(void)state;
	read_text(DOC_MANIFEST, text, 0, &b);
	words_iter_init(&it, b.data, b.len);
	assert_int_equal(row_next(&it, &row), 1);
	assert_int_equal(row.kind, ROW_CONFIG);
	assert_string_equal(row.f[1], "d");
	assert_string_equal(row.f[2], "3");
	assert_int_equal(row_next(&it, &row), 1);
	assert_int_equal(row.kind, ROW_LAYER);
	assert_string_equal(row.f[3], "u");
	assert_int_equal(row_next(&it, &row), 0);
	buf_done(&b);
}

static void wrong_documents_are_refused(void **state)
{
	static const struct {
		enum doc_kind kind;
		const char *text;
	} cases[] = {
		{DOC_INDEX, ""},
		{DOC_INDEX, "{"},
		{DOC_INDEX, "[]"},
		{DOC_INDEX, "{}"},
		{DOC_INDEX, "{\"manifests\":{}}"},
		{DOC_INDEX, "{\"manifests\":[1]}"},
		{DOC_INDEX, "{\"manifests\":[{\"digest\":7}]}"},
		{DOC_INDEX, "{\"manifests\":[],\"manifests\":[]}"},
		{DOC_INDEX, "{\"schemaVersion\":1,\"manifests\":[]}"},
		{DOC_MANIFEST, "{\"schemaVersion\":2}"},
		{DOC_MANIFEST, "{\"schemaVersion\":2,\"config\":{},\"layers\":[[]]}"},
		{DOC_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":\"1\"},\"layers\":[]}"},
		{DOC_SAVE, "{}"},
		{DOC_SAVE, "[{}]"},
		{DOC_SAVE, "[{\"Config\":\"c\",\"Layers\":\"x\"}]"},
		{DOC_CONFIG, "{}"},
		{DOC_CONFIG, "{\"rootfs\":{\"diff_ids\":[null]}}"},
		{DOC_CONFIG, "{\"rootfs\":{},\"config\":{\"Env\":{}}}"},
		{DOC_CONFIG, "{\"rootfs\":{},\"config\":{\"Labels\":{\"a\":1}}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = {0};
		struct fail f = {0};

		assert_true(doc_read(cases[i].kind, cases[i].text, strlen(cases[i].text), &b, &f) <
			    0);
		assert_true(f.code > 0 && f.text[0]);
		buf_done(&b);
	}
}

static void write_ini(const char *config, struct buf *out, int want)
{
	static const char *const layers[] = {"aa", "bb"};
	struct buf rows = {0};

	read_text(DOC_CONFIG, config, 0, &rows);
	assert_int_equal(
		image_ini_write(out, "cc", layers, 2, rows.data, rows.len, NULL, NULL, NULL), want);
	buf_done(&rows);
}

static void a_config_becomes_an_ini(void **state)
{
	struct buf out = {0};

	(void)state;
	write_ini(
		"{\"rootfs\":{},\"config\":{\"Cmd\":[\"a\",\"\",\"b;\\\\ \"],\"Env\":[\"A=1\",\"A=2\","
		"\"bad\"],\"User\":\"u:\",\"Labels\":{\"k\":\" v\\n\"}}}",
		&out, 0);
	assert_string_equal(out.data, "[Image]\nId=cc\nLayer=aa\nLayer=bb\nCmd=a\nCmd=\n"
				      "Cmd=b\\x3b\\x5c\\x20\nEnv=A=2\nUser=u\nLabel=k= v\\n\n");
	buf_done(&out);
}

/* Every byte that JSON can carry survives writing and reading. */
static void every_value_comes_back(void **state)
{
	struct buf rows = {0}, out = {0};
	char value[256], *key, *back;
	const char *field = value;
	size_t at = 0;
	int r;

	(void)state;
	for (int c = 1; c < 256; c++)
		value[c - 1] = (char)c;
	value[255] = '\0';
	row_add(&rows, ROW_CMD, &field);
	assert_int_equal(
		image_ini_write(&out, "cc", NULL, 0, rows.data, rows.len, NULL, NULL, NULL), 0);
	while ((r = image_ini_next(out.data, &at, &key, &back)) == 1)
		if (!strcmp(key, "Cmd"))
			assert_string_equal(back, value);
	assert_int_equal(r, 0);
	buf_done(&rows);
	buf_done(&out);
}

static void a_bad_user_refuses_the_image(void **state)
{
	struct buf out = {0};

	(void)state;
	write_ini("{\"rootfs\":{},\"config\":{\"User\":\"a b\"}}", &out, -EINVAL);
	buf_done(&out);
}

static void damaged_inis_are_noticed(void **state)
{
	static const char *const cases[] = {"",
					    "[Other]\n",
					    "[Image]\nx\n",
					    "[Image]\na=b",
					    "[Image]\n=b\n",
					    "[Image]\na=\\q\n",
					    "[Image]\na=\\x1\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *text = strdup(cases[i]), *key, *value;
		size_t at = 0;

		assert_int_equal(image_ini_next(text, &at, &key, &value), -EBADMSG);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_becomes_rows),
		cmocka_unit_test(wrong_documents_are_refused),
		cmocka_unit_test(a_config_becomes_an_ini),
		cmocka_unit_test(every_value_comes_back),
		cmocka_unit_test(a_bad_user_refuses_the_image),
		cmocka_unit_test(damaged_inis_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
