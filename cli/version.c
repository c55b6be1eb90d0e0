/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/version.h"
#include "cli/args.h"
#include "cli/print.h"
#include "cli/verbs.h"

int cmd_version(int argc, char **argv)
{
	struct fail f = {0};
	struct args a;

	if (args_parse(verb_find("version"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	puts("orlop " ORLOP_VERSION);
	return CLI_OK;
}
