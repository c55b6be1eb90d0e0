/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders of units in the manner of real home servers (tests/data/units/), each with what is to come
 * out of it: golden.json has the units, without what is not set, and golden.txt the messages of `orlop
 * check`. ORLOP_GOLDEN=write writes them anew; read the diff before it is committed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "tests/unit/units/load_text.h"

#define ROOT "tests/data/units"

/* --- JSON for people -------------------------------------------------------------------------- */

/* The end of the value that starts at s; s is JSON that we have written. */
static const char *skip_value(const char *s)
{
	int depth = 0;

	do {
		if (*s == '"')
			for (s++; *s != '"'; s++)
				s += *s == '\\';
		else
			depth += (*s == '{' || *s == '[') - (*s == '}' || *s == ']');
		s++;
	} while (depth > 0 || (*s && !strchr(",]}:", *s)));
	return s;
}

static bool is_empty(const char *s)
{
	return strncmp(s, "null", 4) == 0 || strncmp(s, "[]", 2) == 0 || strncmp(s, "{}", 2) == 0;
}

static void indent(struct buf *b, int depth)
{
	buf_chr(b, '\n');
	for (int i = 0; i < depth; i++)
		buf_str(b, "  ");
}

/* Short arrays and objects stay on one line. */
static const char *pretty(struct buf *b, const char *s, int depth)
{
	const char *end = skip_value(s);
	bool object = *s == '{', first = true, line = end - s < 80;

	if (*s != '{' && *s != '[') {
		buf_add(b, s, (size_t)(end - s));
		return end;
	}
	buf_chr(b, *s++);
	while (*s != '}' && *s != ']') {
		const char *key = s;

		if (object)
			s = skip_value(s) + 1;
		if (object && is_empty(s)) {
			s = skip_value(s);
		} else {
			if (!first)
				buf_str(b, line ? ", " : ",");
			if (!line)
				indent(b, depth + 1);
			first = false;
			if (object) {
				buf_add(b, key, (size_t)(s - key));
				buf_chr(b, ' ');
			}
			s = pretty(b, s, depth + 1);
		}
		s += *s == ',';
	}
	if (!line)
		indent(b, depth);
	buf_chr(b, *s);
	return s + 1;
}

/* --- the folders ------------------------------------------------------------------------------ */

static void compare(const char *folder, const char *name, const struct buf *have)
{
	const char *mode = getenv("ORLOP_GOLDEN");
	char path[300], *want = NULL;
	size_t len, at = 0;
	unsigned line = 1;

	snprintf(path, sizeof(path), ROOT "/%s/%s", folder, name);
	if (mode && strcmp(mode, "write") == 0) {
		_fd_
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		assert_int_equal(io_write_all(fd, have->data, have->len), 0);
		return;
	}
	assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &want, &len, NULL), 0);
	while (at < len && at < have->len && want[at] == have->data[at])
		line += want[at++] == '\n';
	if (at != len || at != have->len) {
		FILE *out = fopen("build/golden.have", "w");

		fwrite(have->data, 1, have->len, out);
		fclose(out);
		fail_msg("%s:%u differs; what came out is in build/golden.have", path, line);
	}
	free(want);
}

static void check_folder(const char *folder)
{
	_buf_ struct buf json = {0}, text = {0};
	struct unit_set *set = NULL;
	char path[300];
	const char *const paths[] = {path, NULL};

	snprintf(path, sizeof(path), ROOT "/%s", folder);
	assert_int_equal(units_load_dirs(paths, NULL, &set, NULL), 0);
	for (size_t i = 0; i < set->n; i++) {
		char *one;

		if (set->units[i]->builtin && !set->units[i]->n_sources)
			continue;
		one = json_of(set->units[i]);
		pretty(&json, one, 0);
		buf_chr(&json, '\n');
		free(one);
	}
	for (size_t i = 0; i < set->n_diags; i++)
		diag_print(set->diags[i], &text);
	buf_fmt(&text, "%zu errors\n", set->n_errors);
	compare(folder, "golden.json", &json);
	compare(folder, "golden.txt", &text);
	unit_set_free(set);
}

static void every_folder_gives_what_was_reviewed(void **state)
{
	DIR *dir = opendir(ROOT);
	const struct dirent *e;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		check_folder(e->d_name);
		n++;
	}
	closedir(dir);
	print_message("%zu folders\n", n);
	assert_true(n >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_folder_gives_what_was_reviewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
