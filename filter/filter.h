/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes a compiled system call filter (base/filter_file.h): the built-in table, or a profile in
 * Docker's JSON. orlop-filter is a program of its own so that neither libseccomp nor a JSON parser is in a program
 * that has the host's privileges, and so that orlop-run stays small: it is exec'ed at every start,
 * this only when a filter is not in the cache yet.
 */
#pragma once

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/filter_file.h"

/* Compiles the default filter for these capabilities into an open, empty file. */
int filter_compile(uint64_t caps, int fd, struct fail *f);

/* The same for the text of a profile, as Docker and Podman read it: includes and excludes are decided by
 * caps, by this architecture and by the running kernel (release, "6.1.0-..."). */
int filter_compile_profile(const char *json, size_t len, uint64_t caps, const char *release, int fd,
			   struct fail *f);

/* Writes a file of what one filter or two say together (join.h); the second may be NULL. */
int filter_write(scmp_filter_ctx first, scmp_filter_ctx second, int fd, struct fail *f);

/* --- the table ----------------------------------------------------------------------------- */

/* A rule for some system calls. No two rules that fit the same capabilities name the same call. */
enum filter_verdict {
	FILTER_ALLOW,
	FILTER_EPERM,
	/* everything not in the table: ENOSYS, so that a libc falls back to what it did before */
};

struct filter_rule {
	const char *names; /* blank separated */
	enum filter_verdict verdict;
	uint64_t with;    /* only if the container has one of these capabilities; 0 = always */
	uint64_t without; /* only if it has none of these */
};

extern const struct filter_rule filter_rules[]; /* ends with names == NULL */

/* The capabilities that any rule asks for. */
uint64_t filter_relevant_caps(void);
