/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One unit on its way from files to fields. gather.c finds the entries that count, by key; compile.c
 * converts them; finish.c and policy.c look at what keys mean together. Private to these.
 */
#pragma once

#include "units/loader.h"

/* An entry that counts, in the list of its key. */
struct use {
	const struct ini_entry *entry;
	struct use *next;
};

struct key_uses {
	struct use *first, *last;
};

struct compile {
	struct loader *l;
	struct conv conv;
	struct unit_name name;
	enum key_kinds kinds;
	struct key_uses *uses;                 /* by slot of the key index */
	const struct ini_section *own_section; /* first header of the kind's section */
	struct loaded_file **files;
	size_t n_files;
	size_t errors_before;
	char meant[8][32]; /* keys that misspelled ones were taken for */
	size_t n_meant;
	size_t n_entries; /* of all files, and those that PodmanArgs= stands for */
};

/* gather.c: reads one of the unit's files; what counts is in x->uses then. */
void gather_file(struct compile *x, struct loaded_file *f);

/* Behind all files: the keys that options of PodmanArgs= stand for. */
void gather_podman_args(struct compile *x);
