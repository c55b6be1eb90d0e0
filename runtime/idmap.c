/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/idmap.h"

#include <stdlib.h>
#include <string.h>

int64_t idmap_outside(const char *map, uint32_t id)
{
	if (!strcmp(map, "host"))
		return id;
	while (*map) {
		char *end;
		unsigned long inside = strtoul(map, &end, 10), outside, count;

		if (*end != ':')
			return -1;
		outside = strtoul(end + 1, &end, 10);
		if (*end != ':')
			return -1;
		count = strtoul(end + 1, &end, 10);
		if (id >= inside && id - inside < count)
			return (int64_t)(outside + (id - inside));
		map = end + (*end == ',');
		if (end == map && *end)
			return -1;
	}
	return -1;
}
