/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop cp: a regular file or a folder out of a container that runs, or into it.
 *
 * Done by a process in the container's namespaces with its root's ids, capabilities and filter, as exec makes one, but
 * nothing of the container is executed or loaded: the copying is this program's own, after the last step. The path
 * is resolved once, inside the root, and never through a magic link of /proc, which could lead to an fd of ours;
 * what is there must be a regular file or a folder. Whoever swaps links meanwhile gets one of the container's own files
 * copied. Below a folder no link is followed at all (base/tree.h).
 */
#pragma once

#include <stdbool.h>

#include "runtime/run.h"

struct copy {
	const char *path; /* in the container */
	bool into;        /* from standard input into it; else from it to standard output */
	bool tree;        /* as a stream of base/tree.h; else a file's bytes */
	const char *
		name; /* into: what it is called in path, if that is a directory; NULL: a tree is path itself */
	unsigned mode; /* into, of a new file */
	bool archive;  /* into, a tree: with owners and all bits of modes */
};

/* Copies. 0 or -errno. Everything but 0, 1, 2 and the root's fd is closed. */
int copy_file(struct run *run, const struct copy *c, struct fail *f);
