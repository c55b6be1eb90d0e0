/* SPDX-License-Identifier: Apache-2.0 */
#include "init/condition.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/words.h"

int condition_pack(const struct unit *u, struct fail *f)
{
	_buf_ struct buf words = {0};

	for (size_t i = 0; i < u->n_conditions; i++) {
		const struct unit_condition *c = &u->conditions[i];

		words_add(&words, c->check);
		words_add(&words, c->negate ? "!" : "");
		words_add(&words, c->or_group ? "|" : "");
		words_add(&words, c->arg);
	}
	if (words.bad)
		return fail_set(f, ENOMEM, "conditions");
	return io_sealed_memfd("conditions", words.data, words.len, f);
}

void condition_text(const struct unit_condition *c, char *ret, size_t size)
{
	snprintf(ret, size, "%s=%s%s", c->check, c->negate ? "!" : "", c->arg);
}

/* --- in the child ----------------------------------------------------------------------------- */

static bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool path_is(const char *path, mode_t type)
{
	struct stat st;

	return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static bool path_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool path_is_link(const char *path)
{
	return path_is(path, S_IFLNK);
}

static bool path_is_writable(const char *path)
{
	return access(path, W_OK) == 0;
}

static bool file_has_content(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool file_is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static bool directory_has_content(const char *path)
{
	_dir_ DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return true;
	return false;
}

static bool path_is_mount_point(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, 0, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static const struct {
	const char *check;
	bool (*holds)(const char *path);
} conditions[] = {
	{"ConditionPathExists", path_exists},
	{"ConditionPathIsDirectory", path_is_directory},
	{"ConditionPathIsSymbolicLink", path_is_link},
	{"ConditionPathIsMountPoint", path_is_mount_point},
	{"ConditionPathIsReadWrite", path_is_writable},
	{"ConditionDirectoryNotEmpty", directory_has_content},
	{"ConditionFileNotEmpty", file_has_content},
	{"ConditionFileIsExecutable", file_is_executable},
};

static bool holds(const char *check, const char *path, bool negate)
{
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		if (!strcmp(check, conditions[i].check))
			return conditions[i].holds(path) != negate;
	return true; /* the reader of units warned about it */
}

static int failed(size_t number)
{
	return number < CONDITION_LAST - CONDITION_FAILED ? CONDITION_FAILED + (int)number
							  : CONDITION_LAST;
}

/* The first condition that does not hold; of those with '|', all must fail for that. */
int condition_main(void)
{
	const char *check, *negate, *or_group, *path;
	bool or_held = false, or_seen = false;
	size_t last_or = 0, len;
	_free_
	char *words = NULL;
	struct words_iter it;

	if (io_read_fd(3, "conditions", LIMIT_UNITS_BYTES, &words, &len, NULL) < 0)
		return 1;
	words_iter_init(&it, words, len);
	for (size_t i = 0; (check = words_next(&it)); i++) {
		bool held;

		negate = words_next(&it);
		or_group = words_next(&it);
		path = words_next(&it);
		if (!negate || !or_group || !path)
			return 1;
		held = holds(check, path, *negate);
		if (!*or_group && !held)
			return failed(i);
		if (*or_group) {
			or_seen = true;
			or_held |= held;
			last_or = i;
		}
	}
	return or_seen && !or_held ? failed(last_or) : 0;
}
