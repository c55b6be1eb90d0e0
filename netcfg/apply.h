/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying out a list of operations. */
#pragma once

#include "base/fail.h"
#include "netcfg/nlk.h"
#include "netcfg/plan.h"

/* In order. Elements of the packet filter that follow one another are one transaction. An operation that fails
 * is told to `problem` and does not stop the others, unless they cannot work without it (the packet
 * filter's rules). Returns 0, or the first error; f says how
 * many there were. */
int apply_ops(struct nl_sock *route, struct nl_sock *filter, const struct op_list *ops,
	      void (*problem)(const struct fail *f), struct fail *f);
