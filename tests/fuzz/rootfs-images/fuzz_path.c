/* SPDX-License-Identifier: Apache-2.0 */
/* Names of archive members: whatever comes out stays below the root. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rootfs/images/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_inside(const char *path)
{
	size_t depth = 0;

	if (*path == '/' || strlen(path) > LIMIT_ENTRY_PATH)
		abort();
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 0 || len > LIMIT_ENTRY_NAME || (len == 1 && *path == '.') ||
		    (len == 2 && !memcmp(path, "..", 2)) || ++depth > LIMIT_ENTRY_DEPTH)
			abort();
		path += len;
		if (*path == '/' && !*++path)
			abort();
	}
}

static void check_mark(const char *path)
{
	const char *name = NULL;

	if (path_mark(path, &name) != PATH_WHITEOUT)
		return;
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *raw = strndup((const char *)data, size);
	char path[LIMIT_ENTRY_PATH + 1], joined[LIMIT_ENTRY_PATH + 1], parent[LIMIT_ENTRY_PATH + 1];
	char shown[160];

	*parent = 0;
	(void)path_show(raw, shown);
	if (path_normalise(raw, path, NULL) == 0) {
		must_be_inside(path);
		if (*path) {
			const char *base = path_split(path, parent);

			must_be_inside(parent);
			if (strcmp(base, path_base(path)) != 0)
				abort();
			check_mark(path);
		}
		if (path_join(parent, raw, joined, NULL) == 0 &&
		    (*joined == '/' || strstr(joined, "/../")))
			abort();
	}
	free(raw);
	return 0;
}
