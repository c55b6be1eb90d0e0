/* SPDX-License-Identifier: Apache-2.0 */
/* The verb that starts nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/pod.h"
#include "runtime/run.h"
#include "runtime/scratch.h"
#include "runtime/start.h"

static int complain(const struct fail *f)
{
	fprintf(stderr, "orlop-run: %s\n", f->text);
	return 1;
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
