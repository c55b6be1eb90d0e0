/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that start nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "runtime/caps.h"
#include "runtime/plan.h"
#include "runtime/scratch.h"
#include "runtime/seccomp.h"
#include "runtime/start.h"

static int complain(const struct fail *f)
{
	fprintf(stderr, "orlop-run: %s\n", f->text);
	return 1;
}

int verb_plan(int argc, char **argv)
{
	_free_
	char *data = NULL;
	_buf_ struct buf out = {0};
	struct container_spec spec = {0};
	struct image image = {0};
	struct plan plan = {0};
	struct fail f = {0};
	size_t len;

	if (argc != 1)
		return 2;
	if (io_read_file(AT_FDCWD, argv[0], LIMIT_SPEC, &data, &len, &f) < 0 ||
	    spec_decode(&spec, data, len, &f) < 0 ||
	    image_find(&image, spec.image ? spec.image : "", &f) < 0 ||
	    plan_make(&plan, &spec, &image, &f) < 0)
		return complain(&f);
	plan_show(&plan, &out);
	fwrite(out.data, 1, out.len, stdout);
	plan_done(&plan);
	image_done(&image);
	spec_done(&spec);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* The sets that units are likely to have: the default, and the default with one more. */
int verb_seccomp_compile(int argc, char **argv)
{
	const struct strlist none = {0};
	struct fail f = {0};
	uint64_t mask;

	if (argc != 1)
		return 2;
	if (caps_make(&none, &none, true, &mask, &f) < 0 ||
	    filter_compile_into(mask, argv[0], &f) < 0 || filter_compile_into(0, argv[0], &f) < 0)
		return complain(&f);
	return 0;
}

int verb_clean(int argc, char **argv)
{
	struct fail f = {0};

	if (argc > 1)
		return 2;
	return scratch_clean(argc ? argv[0] : NULL, &f) < 0 ? complain(&f) : 0;
}
