/* SPDX-License-Identifier: Apache-2.0 */
/* Id maps as a plan has them: "inside:outside:count,...", or "host": ids are the host's. Pure. */
#pragma once

#include <stdint.h>

/* What the host calls an id of the container's; -1: it has no name for it. */
int64_t idmap_outside(const char *map, uint32_t id);
