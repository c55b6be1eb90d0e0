/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start needs of an image: the file image.ini that the import wrote, as a struct.
 *
 * image_parse() is pure; image_find() walks the store. The struct owns its strings. Layer names are
 * checked to be hex, so that a path made from one stays in the store.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "units/spec.h"

#define IMAGE_LAYERS_MAX 128u /* overlayfs takes 500; Docker stops at 127 */
#define IMAGE_INI_MAX    (1u << 20)

struct image {
	char *id;              /* hex of its digest, as the store names it; "" if none */
	struct strlist layers; /* hex of the diff ids, lowest first, none twice */
	struct strlist entrypoint, cmd;
	struct strlist env; /* "NAME=value" */
	char *user;         /* NULL = root */
	char *workdir;      /* NULL = "/" */
	char *stop_signal;  /* NULL = SIGTERM */
	struct strlist volumes;
};

/* Fills a zeroed image from the text of an image.ini. On failure it is empty again. */
int image_parse(struct image *image, const char *text, size_t len, struct fail *f);

/* Looks a reference up in PATH_IMAGE_NAMES and reads what it finds. -ENOENT: not in the store. */
int image_find(struct image *image, const char *ref, struct fail *f);

/* The image that a unit's running container is made of, whatever its name leads to by now. */
int image_find_started(struct image *image, const char *unit, struct fail *f);

void image_done(struct image *image);

/* The images that a spec's mounts are of: an array with one for each mount, zeroed where the mount is of another type;
 * NULL if none is an image. */
int image_find_mounted(const struct container_spec *spec, struct image **ret, struct fail *f);
