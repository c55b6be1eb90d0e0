/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters in few instructions: what two programs say together, as one program that looks a call's number
 * up in a balanced tree of ranges.
 *
 * libseccomp compares a number with every call that it was told of. The kernel checks, translates and compiles each
 * instruction at each start of a container, and that is much of what a start takes; whoever allows 330 calls and
 * refuses 130 has but 70 ranges. What depends on arguments is copied as it is.
 *
 * The programs are classic BPF as libseccomp writes it: they compare what is in `arch` and `nr`, and then perhaps go on
 * to the arguments. Of two verdicts the more severe one holds, as in seccomp(2); at most one of the programs may look
 * at a call's arguments, and then the other allows the call.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct join_program {
	const struct sock_filter *insns;
	size_t n;
};

/* second->n 0: there is one only. Writes at most BPF_MAXINSNS instructions to ret and their number to ret_n. 0, or
 * -EINVAL: an instruction is not of the kind described above, or both look at arguments; -E2BIG: too many. */
int join_programs(const struct join_program *first, const struct join_program *second,
		  struct sock_filter ret[BPF_MAXINSNS], size_t *ret_n, struct fail *f);
