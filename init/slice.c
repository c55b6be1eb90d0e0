/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/slice.h"

#include <stdio.h>
#include <string.h>

#define SUFFIX ".slice"

bool slice_is_one(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	return len > suffix && !strcmp(name + len - suffix, SUFFIX);
}

bool slice_place(const char *slice, const char *service, char ret[SLICE_PATH_MAX])
{
	size_t at = 0;
	int n;

	if (slice_is_one(service))
		return false;
	/* every dash ends the name of one that it lies in */
	for (const char *dash = slice ? strchr(slice, '-') : NULL; dash;
	     dash = strchr(dash + 1, '-')) {
		n = snprintf(ret + at, SLICE_PATH_MAX - at, "%.*s" SUFFIX "/", (int)(dash - slice),
			     slice);
		if (n < 0 || (size_t)n >= SLICE_PATH_MAX - at)
			return false;
		at += (size_t)n;
	}
	n = snprintf(ret + at, SLICE_PATH_MAX - at, "%s%s%s", slice ? slice : "", slice ? "/" : "",
		     service);
	return n >= 0 && (size_t)n < SLICE_PATH_MAX - at;
}
