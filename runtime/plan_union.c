/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* The root, and the other overlays: images as mounts, volumes whose changes are thrown away. */
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "runtime/plan_maker.h"

bool plan_is_union(const struct spec_mount *mount)
{
	return !strcmp(mount->type, "image") || plan_has_word(mount->options, "O");
}

/* A layer's name in the stage; one that is not there yet gets its step. */
static size_t layer_number(struct maker *m, const char *id)
{
	size_t number = 0;

	while (number < m->layers.n && strcmp(m->layers.items[number], id))
		number++;
	if (number == m->layers.n) {
		m->plan->bad |= strlist_add(&m->layers, id) < 0;
		ADD2(m, STEP_LAYER, id, plan_number((int64_t)number).s);
	}
	return number;
}

/* An overlay's lower directories, uppermost first. The line must fit into a page, hence the short names. */
static void add_layers(struct maker *m, const struct image *image, struct buf *lower)
{
	for (size_t i = 0; i < image->layers.n; i++)
		layer_number(m, image->layers.items[i]);
	for (size_t i = image->layers.n; i--;)
		buf_fmt(lower, "%zu%s", layer_number(m, image->layers.items[i]), i ? ":" : "");
}

/* What the overlay of a mount is made of. */
static void add_lower(struct maker *m, size_t number, struct buf *lower)
{
	const struct spec_mount *mount = &m->spec->mounts[number];
	char name[24];

	if (!strcmp(mount->type, "image")) {
		add_layers(m, &m->mounted[number], lower);
		return;
	}
	snprintf(name, sizeof(name), "l%zu", number);
	buf_str(lower, name);
	ADD3(m, STEP_LOWER, mount->type, mount->source, name);
}

static void add_union(struct maker *m, size_t number)
{
	const struct spec_mount *mount = &m->spec->mounts[number];
	bool image = !strcmp(mount->type, "image");
	_buf_ struct buf lower = {0};
	char name[24];

	snprintf(name, sizeof(name), "u%zu", number);
	add_lower(m, number, &lower);
	/* an overlay that is only read has at least two */
	if (image && !plan_has_word(mount->options, "rw"))
		buf_str(&lower, ":dir");
	m->plan->bad |= lower.bad;
	ADD3(m, STEP_UNION, name, lower.data,
	     image && !plan_has_word(mount->options, "rw") ? "" : "yes");
}

void attach_union(struct maker *m, size_t number)
{
	const struct spec_mount *mount = &m->spec->mounts[number];
	_buf_ struct buf options = {0};
	char name[24];

	if (!m->mounted && !strcmp(mount->type, "image"))
		return;
	snprintf(name, sizeof(name), "u%zu", number);
	buf_str(&options, mount->options);
	if (!strcmp(mount->type, "image") && !plan_has_word(mount->options, "rw"))
		buf_str(&options, options.len ? ",ro" : "ro");
	m->plan->bad |= options.bad;
	ADD3(m, STEP_ATTACH_UNION, name, mount->target, options.data);
}

void add_root(struct maker *m)
{
	const struct image *image = m->image;
	_buf_ struct buf options = {0};

	ADD1(m, STEP_STAGE, PATH_RUNDIR "/root");
	buf_str(&options, "lowerdir=");
	add_layers(m, image, &options);
	buf_str(&options, ",upperdir=up/upper,workdir=up/work,volatile");
	m->plan->bad |= options.bad;
	ADD1(m, STEP_UPPER, "up");
	for (size_t i = 0; i < m->spec->n_mounts; i++)
		if (plan_is_union(&m->spec->mounts[i]) &&
		    (m->mounted || strcmp(m->spec->mounts[i].type, "image")))
			add_union(m, i);
	ADD2(m, STEP_OVERLAY, "root", options.data);
}
