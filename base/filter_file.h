/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled system call filter as a file: orlop-filter writes it, orlop-run loads it into a container.
 */
#pragma once

#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>

#define FILTER_MAGIC    0x3270636fu
#define FILTER_FILE_MAX (sizeof(struct filter_file) + BPF_MAXINSNS * sizeof(struct sock_filter))

struct filter_file {
	uint32_t magic;
	uint32_t n; /* instructions, which follow: at least 1, at most BPF_MAXINSNS */
	struct sock_filter insns[];
};

/* The capabilities on which the default filter depends. A test holds this against the table. */
#define FILTER_CAP(name) (UINT64_C(1) << CAP_##name)
#define FILTER_RELEVANT_CAPS                                                            \
	(FILTER_CAP(DAC_READ_SEARCH) | FILTER_CAP(SYS_MODULE) | FILTER_CAP(SYS_RAWIO) | \
	 FILTER_CAP(SYS_CHROOT) | FILTER_CAP(SYS_PTRACE) | FILTER_CAP(SYS_PACCT) |      \
	 FILTER_CAP(SYS_ADMIN) | FILTER_CAP(SYS_BOOT) | FILTER_CAP(SYS_NICE) |          \
	 FILTER_CAP(SYS_TIME) | FILTER_CAP(SYS_TTY_CONFIG) | FILTER_CAP(AUDIT_WRITE) |  \
	 FILTER_CAP(SYSLOG) | FILTER_CAP(PERFMON) | FILTER_CAP(BPF))

#define FILTER_KEY_MAX 128

/* Name of the default filter for these capabilities: "default-<16 hex digits>". */
static inline void filter_key(uint64_t caps, char ret_key[FILTER_KEY_MAX])
{
	snprintf(ret_key, FILTER_KEY_MAX, "default-%016" PRIx64, caps & FILTER_RELEVANT_CAPS);
}
