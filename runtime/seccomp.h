/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter of a container. It is compiled by orlop-filter, once for each profile and set of
 * capabilities that matters to it; from then on it is only loaded.
 *
 * A compiled filter is a file (base/filter_file.h), named by what it was made of. It is looked for in
 * PATH_SECCOMP (made with the host's image), then in SECCOMP_CACHE; if it is in neither, orlop-filter is run.
 */
#pragma once

#include <stdint.h>

#include "base/fail.h"
#include "base/filter_file.h"
#include "base/paths.h"

#define SECCOMP_CACHE PATH_RUNDIR "/seccomp"

struct seccomp_filter {
	struct filter_file *file; /* owned; NULL = no filter */
};

/* Finds or makes the filter: profile is "default", or the path of a profile in Docker's JSON, which a helper
 * without privileges reads. */
int filter_load(const char *profile, uint64_t caps, struct seccomp_filter *ret, struct fail *f);

/* Puts it in force for the calling thread: needs no_new_privs or CAP_SYS_ADMIN. */
int filter_install(const struct seccomp_filter *filter, struct fail *f);
