/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of orlop-image. Each returns an exit code, or -errno with f set. */
#pragma once

#include "rootfs/images/import.h"
#include "rootfs/images/out.h"

struct options {
	struct out out;
	const char *name; /* --name */
	struct import_limits limits;
	const char **keep; /* --keep: images that prune and rm leave alone */
	size_t n_keep;
	struct names running; /* --running: ids of the images that containers are made of */
	bool unnamed, all;    /* prune: images without a name too; all images that are not kept */
	const char *const *args; /* what is not an option */
	size_t n_args;
};

int verb_import(const struct options *o, struct fail *f);
int verb_preload(const struct options *o, struct fail *f);
int verb_has(const struct options *o, struct fail *f);
int verb_list(const struct options *o, struct fail *f);
int verb_inspect(const struct options *o, struct fail *f);
int verb_rm(const struct options *o, struct fail *f);
int verb_check(const struct options *o, struct fail *f);
int verb_prune(const struct options *o, struct fail *f);
