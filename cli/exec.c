/* SPDX-License-Identifier: Apache-2.0 */
/* orlop exec: a command in a container that runs. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/print.h"
#include "cli/session.h"
#include "cli/verbs.h"

int cmd_exec(int argc, char **argv)
{
	static const char *const passed[][2] = {{"user", "-u"}, {"workdir", "-w"}, {"env", "-e"}};
	_free_
	const char **words = calloc((size_t)argc * 2 + 16, sizeof(*words));
	struct fail f = {0};
	struct args a;
	char size[24];
	size_t n = 0;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (!words)
		return CLI_ERROR;
	words[n++] = "exec";
	words[n++] = a.words[0];
	if (args_has(&a, "interactive"))
		words[n++] = "-i";
	if (args_has(&a, "tty")) {
		session_size(size);
		words[n++] = "-t";
		words[n++] = "-S";
		words[n++] = size;
	}
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		const char *value;
		int at = 0;

		while ((value = args_next(&a, passed[i][0], &at))) {
			words[n++] = passed[i][1];
			words[n++] = value;
		}
	}
	words[n++] = "--";
	for (int i = 1; i < a.n_words; i++)
		words[n++] = a.words[i];
	return session_run(words, args_has(&a, "tty"), NULL);
}
