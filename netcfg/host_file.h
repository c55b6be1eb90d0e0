/* SPDX-License-Identifier: Apache-2.0 */
/* host.conf on disk. One with mistakes must not cost the host its network: the last good one is used then. */
#pragma once

#include "base/fail.h"
#include "units/netspec.h"

/* Reads the first of PATH_HOST_CONF_VAR and _ETC that exists into spec (none is fine), each mistake being told.
 * ret_text: its text, owned, if it is good; else NULL. -ENOMEM, or 0. */
int host_file_read(struct net_spec *spec, void (*problem)(const struct fail *f), char **ret_text,
		   struct fail *f);
