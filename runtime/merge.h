/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs in the container: the image's config and the unit's wishes, merged by Docker's rules. Pure.
 *
 * Entrypoint= in the unit (even empty) drops the image's entrypoint and command; Exec= replaces the
 * command. Environment: PATH and `container=orlop` as defaults, then the image's, then the unit's; a
 * later NAME replaces an earlier one in its place. HOME is left to the user step, which knows the home
 * directory, unless somebody set it.
 */
#pragma once

#include "base/fail.h"
#include "runtime/image.h"
#include "units/spec.h"

#define PROCESS_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct process {
	struct strlist argv;
	struct strlist env;  /* "NAME=value", each NAME once */
	char *workdir;       /* absolute */
	char *user;          /* "" = root */
	int64_t stop_signal; /* 0 = SIGTERM */
};

/* Fills a zeroed process. -EINVAL with the reason: nothing to run, a relative working directory. */
int process_merge(struct process *p, const struct container_spec *spec, const struct image *image,
		  struct fail *f);
void process_done(struct process *p);

/* Sets NAME=value in a list where each NAME stands once. 0 or -ENOMEM. */
int env_set(struct strlist *env, const char *assignment);

/* The value of NAME, borrowed; NULL if it is not set. */
const char *env_get(const struct strlist *env, const char *name);

/* "SIGTERM", "term", "15", "SIGRTMIN+3" -> number; 0 if it is no signal. */
int signal_parse(const char *s);
