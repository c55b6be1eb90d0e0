/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "rootfs/images/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WH ".wh."

/* Takes the next component off *p; NULL at the end. */
static const char *component(const char **p, size_t *ret_len)
{
	const char *start = *p + strspn(*p, "/");

	*ret_len = strcspn(start, "/");
	*p = start + *ret_len;
	return *ret_len ? start : NULL;
}

static bool is(const char *s, size_t len, const char *what)
{
	return strlen(what) == len && !memcmp(s, what, len);
}

/* Puts a component behind the first `used` characters; returns how many there are then. */
static size_t append(char *ret, size_t used, const char *c, size_t len)
{
	if (used)
		ret[used++] = '/';
	memcpy(ret + used, c, len);
	return used + len;
}

int path_normalise(const char *raw, char ret[LIMIT_ENTRY_PATH + 1], struct fail *f)
{
	size_t used = 0, depth = 0, len;
	char shown[160];
	const char *c;

	if (!*raw)
		return fail_set(f, 0, "an entry without a name");
	if (strlen(raw) > LIMIT_ENTRY_PATH)
		return fail_set(f, ENAMETOOLONG, "the path \"%s\" has %zu bytes",
				path_show(raw, shown), strlen(raw));
	while ((c = component(&raw, &len))) {
		if (is(c, len, "."))
			continue;
		if (is(c, len, ".."))
			return fail_set(f, 0, "the path has a \"..\" in it");
		if (len > LIMIT_ENTRY_NAME)
			return fail_set(f, ENAMETOOLONG, "a name of %zu bytes in the path", len);
		if (++depth > LIMIT_ENTRY_DEPTH)
			return fail_set(f, ENAMETOOLONG,
					"the path is more than %u directories deep",
					LIMIT_ENTRY_DEPTH);
		used = append(ret, used, c, len);
	}
	ret[used] = '\0';
	return 0;
}

enum path_mark path_mark(const char *path, const char **ret_name)
{
	const char *rest = path, *c;
	size_t len;

	while ((c = component(&rest, &len))) {
		const char *name = c + strlen(WH);

		if (len < strlen(WH) || memcmp(c, WH, strlen(WH)) != 0)
			continue;
		len -= strlen(WH);
		if (*rest == '\0' && is(name, len, WH ".opq"))
			return PATH_OPAQUE;
		if (len >= strlen(WH) && !memcmp(name, WH, strlen(WH)))
			return PATH_IGNORED;
		if (*rest || len == 0 || is(name, len, ".") || is(name, len, ".."))
			return PATH_BAD;
		*ret_name = name;
		return PATH_WHITEOUT;
	}
	return PATH_PLAIN;
}

const char *path_split(const char *path, char ret_parent[LIMIT_ENTRY_PATH + 1])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	memcpy(ret_parent, path, len);
	ret_parent[len] = '\0';
	return slash ? slash + 1 : path;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int path_join(const char *dir, const char *link, char ret[LIMIT_ENTRY_PATH + 1], struct fail *f)
{
	size_t used = strlen(dir), len;
	const char *c;

	if (used + 1 + strlen(link) > LIMIT_ENTRY_PATH)
		return fail_set(f, ENAMETOOLONG, "a link in the archive");
	memmove(ret, dir, used + 1);
	if (*link == '/')
		used = 0;
	while ((c = component(&link, &len))) {
		if (is(c, len, "."))
			continue;
		if (is(c, len, "..")) {
			if (used == 0)
				return fail_set(f, 0, "a link that leaves the archive");
			while (used > 0 && ret[--used] != '/')
				;
			continue;
		}
		used = append(ret, used, c, len);
	}
	ret[used] = '\0';
	return 0;
}

const char *path_show(const char *path, char ret[160])
{
	size_t used = 0;

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (used > 150) {
			strcpy(ret + used, "...");
			return ret;
		}
		if (c < 32 || c > 126 || c == '"' || c == '\\')
			used += (size_t)snprintf(ret + used, 160 - used, "\\x%02x", c);
		else
			ret[used++] = (char)c;
	}
	ret[used] = '\0';
	return ret;
}
