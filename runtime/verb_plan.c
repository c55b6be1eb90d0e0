/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-run plan: what a start would do, without root and without doing any of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "runtime/plan.h"
#include "runtime/start.h"
#include "units/diag.h"
#include "units/load.h"

/* What PID 1 gives to the first unit; the plan shows some range, not the one a running host has given. */
#define EXAMPLE_BASE 524288

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int spec_of_unit(struct container_spec *spec, const char *const *paths, const char *name,
			struct fail *f)
{
	struct unit_set *set;
	struct unit *u;
	int r = units_load_dirs(paths, NULL, &set, f);

	if (r < 0)
		return r;
	u = unit_find(set, name);
	if (!u)
		r = fail_set(f, ENOENT, "there is no unit \"%s\"", name);
	for (size_t i = 0; u && i < u->n_diags; i++) {
		_buf_ struct buf text = {0};

		diag_print(u->diags[i], &text);
		fputs(text.data ? text.data : "", stderr);
	}
	if (r == 0)
		r = spec_from_unit(set, u, EXAMPLE_BASE, spec, f);
	unit_set_free(set);
	return r;
}

static int spec_of_file(struct container_spec *spec, const char *path, struct fail *f)
{
	_free_
	char *data = NULL;
	size_t len;
	int r = io_read_file(AT_FDCWD, path, LIMIT_SPEC, &data, &len, f);

	return r < 0 ? r : spec_decode(spec, data, len, f);
}

/* A unit's file, an encoded spec's file, or a unit's name. */
static int find_spec(struct container_spec *spec, const char *what, struct fail *f)
{
	const char *const file[] = {what, NULL};
	const char *slash = strrchr(what, '/');

	if (!slash && access(what, F_OK) < 0)
		return spec_of_unit(spec, units_dirs, what, f);
	if (ends_with(what, ".container"))
		return spec_of_unit(spec, file, slash ? slash + 1 : what, f);
	return spec_of_file(spec, what, f);
}

int verb_plan(int argc, char **argv)
{
	_buf_ struct buf out = {0};
	struct container_spec spec = {0};
	struct image image = {0}, *mounted = NULL;
	struct plan plan = {0};
	struct fail f = {0};
	int r;

	if (argc != 1)
		return 2;
	r = find_spec(&spec, argv[0], &f);
	if (r == 0)
		r = image_find(&image, spec.image ? spec.image : "", &f);
	if (r == 0)
		r = image_find_mounted(&spec, &mounted, &f);
	if (r == 0)
		r = plan_make(&plan, &spec, &image, mounted, &f);
	if (r == 0) {
		plan_show(&plan, &out);
		fwrite(out.data, 1, out.len, stdout);
	} else {
		fprintf(stderr, "orlop-run: %s\n", f.text);
	}
	plan_done(&plan);
	for (size_t i = 0; mounted && i < spec.n_mounts; i++)
		image_done(&mounted[i]);
	free(mounted);
	image_done(&image);
	spec_done(&spec);
	return r == 0 && fflush(stdout) == 0 ? 0 : 1;
}
