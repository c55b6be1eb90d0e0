/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-run: makes one container and leaves. One row for each verb. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/start.h"

static const struct {
	const char *name, *usage, *help;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"start", "[-n] (its job comes by fd 4)",
	 "start a container; called by PID 1, beforehand; -n makes namespaces ahead", verb_start},
	{"exec", "[-u USER] [-w DIR] [-e NAME=VALUE]... UNIT COMMAND...",
	 "run a command in a container; called by PID 1, with its fds", verb_exec},
	{"top", "-F FRAME -U UNIT", "list a container's processes; called by PID 1, with its fds",
	 verb_top},
	{"cp", "-F FRAME -U UNIT (read | write NAME MODE) PATH",
	 "copy a file out of a container or into it; called by PID 1, with its fds", verb_cp},
	{"plan", "UNIT|FILE", "print what a start would do", verb_plan},
	{"clean", "[UNIT]", "remove what starts have left on disk", verb_clean},
};

static int usage(FILE *to)
{
	fprintf(to, "usage: orlop-run VERB ARGUMENT...\n\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %s %s\n      %s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		int code;

		if (strcmp(argv[1], verbs[i].name))
			continue;
		code = verbs[i].run(argc - 2, argv + 2);
		if (code == 2)
			fprintf(stderr, "usage: orlop-run %s %s\n", verbs[i].name, verbs[i].usage);
		return code;
	}
	return usage(stderr);
}
