/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter: what is allowed is a table (seccomp_table.c), compiled by
 * libseccomp once for each profile and set of capabilities that matter to it, from then on only loaded.
 *
 * A compiled filter is a file, named by its key. It is looked for in
 * PATH_SECCOMP (made with the host's image by `orlop-run seccomp-compile DIR`), then in
 * SECCOMP_CACHE; if it is in neither it is compiled into the latter.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/paths.h"

#define SECCOMP_CACHE   PATH_RUNDIR "/seccomp"
#define SECCOMP_KEY_MAX 64

/* Two programs, both in force. The first allows what the table allows. The second refuses by arguments,
 * which the first cannot: libseccomp has no "unequal under a mask", and comparing whole registers would
 * miss a value with garbage in the bits that the kernel ignores. */
struct seccomp_filter {
	struct seccomp_file *file; /* owned; NULL = no filter */
};

/* "default-<16 hex digits of the capabilities that change it>" */
void filter_key(uint64_t caps, char ret_key[SECCOMP_KEY_MAX]);

/* Compiles the default filter into an open, empty file. */
int filter_compile(uint64_t caps, int fd, struct fail *f);

/* Compiles it into dir/<key> unless that exists. */
int filter_compile_into(uint64_t caps, const char *dir, struct fail *f);

/* Finds or makes the default filter for these capabilities. */
int filter_load(uint64_t caps, struct seccomp_filter *ret, struct fail *f);

/* Puts it in force for the calling thread: needs no_new_privs or CAP_SYS_ADMIN. */
int filter_install(const struct seccomp_filter *filter, struct fail *f);

void filter_done(struct seccomp_filter *filter);

/* --- the table ----------------------------------------------------------------------------- */

/* A rule for some system calls. No two rules that fit the same capabilities name the same call. */
enum seccomp_verdict {
	SECCOMP_ALLOW,
	SECCOMP_EPERM,
	/* everything not in the table: ENOSYS, so that a libc falls back to what it did before */
};

struct seccomp_rule {
	const char *names; /* blank separated */
	enum seccomp_verdict verdict;
	uint64_t with;    /* only if the container has one of these capabilities; 0 = always */
	uint64_t without; /* only if it has none of these */
};

extern const struct seccomp_rule filter_rules[]; /* ends with names == NULL */

/* The capabilities that any rule asks for. */
uint64_t filter_relevant_caps(void);
