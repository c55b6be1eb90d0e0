/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices a container may use, as the program that cgroup v2 asks about each of them (BPF, Linux
 * 4.15). devfilter_build() is pure: rules in, instructions out. What no rule allows is refused, for root
 * with CAP_MKNOD too; making a node is not use, so it is not asked for.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DEVFILTER_RULES_MAX 512
#define DEVFILTER_ANY       UINT32_MAX

enum devfilter_access { DEVFILTER_MKNOD = 1, DEVFILTER_READ = 2, DEVFILTER_WRITE = 4 };

struct devfilter_rule {
	char type;             /* 'c', 'b' */
	uint32_t major, minor; /* or DEVFILTER_ANY */
	uint32_t access;       /* of enum devfilter_access */
};

struct bpf_insn;

/* Instructions for the rules; the caller frees. NULL: no memory. */
struct bpf_insn *devfilter_build(const struct devfilter_rule *rules, size_t n, size_t *ret_n);

/* "rwm" -> bits; 0 if it is anything else. */
uint32_t devfilter_access(const char *rwm);
