/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that start nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/caps.h"
#include "runtime/pod.h"
#include "runtime/run.h"
#include "runtime/scratch.h"
#include "runtime/seccomp.h"
#include "runtime/start.h"

static int complain(const struct fail *f)
{
	fprintf(stderr, "orlop-run: %s\n", f->text);
	return 1;
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
	if (argc && pod_is(argv[0])) {
		pod_clean(argv[0]);
		return 0;
	}
	if (argc)
		record_undo(NULL, argv);
	return scratch_clean(argc ? argv[0] : NULL, &f) < 0 ? complain(&f) : 0;
}
