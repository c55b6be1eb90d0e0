/* SPDX-License-Identifier: Apache-2.0 */
/* `orlop-net up` and `orlop-net plan`: the host's side of all networks, in one go. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/fail.h"
#include "units/netspec.h"

/* Resolves spec and makes the network be like it; NULL: what it was made like last time, read while nobody else
 * changes it. With `dry`, which needs a spec, nothing is changed. What is (to be) done goes to
 * `text`, one operation a line; problems that stopped a part but not the whole go to `problem`. gone: units whose
 * leases are given up, ended by NULL; or NULL. */
int up_run(struct net_spec *spec, const char *const *gone, bool dry, struct buf *text,
	   void (*problem)(const struct fail *f), struct fail *f);
