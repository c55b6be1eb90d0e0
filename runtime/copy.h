/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop cp: one regular file out of a container that runs, or into it.
 *
 * Done by a process in the container's namespaces with its root's ids, capabilities and filter, as exec makes one, but
 * nothing of the container is executed or loaded: the copying is this program's own, after the last step. The path
 * is resolved once, inside the root, and never through a magic link of /proc, which could lead to an fd of ours;
 * what is there must be a regular file. Whoever swaps links meanwhile gets one of the container's own files copied.
 */
#pragma once

#include <stdbool.h>

#include "runtime/run.h"

struct copy {
	const char *path; /* in the container */
	bool into;        /* from standard input into it; else from it to standard output */
	const char *name; /* into: what the file is called if path is a directory */
	unsigned mode;    /* into: of a new file */
};

/* Copies. 0 or -errno. Everything but 0, 1, 2 and the root's fd is closed. */
int copy_file(struct run *run, const struct copy *c, struct fail *f);
