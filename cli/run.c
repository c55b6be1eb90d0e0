/* SPDX-License-Identifier: Apache-2.0 */
/* orlop run: an image as a unit that nobody wrote a file for. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/run_text.h"
#include "cli/session.h"
#include "cli/verbs.h"

static const char *from_environment(const char *name)
{
	return getenv(name);
}

/* What can be seen to be wrong without PID 1. */
static int check(const struct args *a, struct fail *f)
{
	const char *restart = args_value(a, "restart");
	bool detached = args_has(a, "detach");

	if (detached && (args_has(a, "tty") || args_has(a, "interactive")))
		return fail_set(f, 0, "-d has no input and no terminal: leave -i and -t away");
	if (restart && !detached)
		return fail_set(f, 0, "--restart needs -d: who would wait for what end?");
	if (restart && args_has(a, "rm"))
		return fail_set(f, 0, "--restart and --rm contradict each other");
	return 0;
}

static int print_detached(json_t *object, void *data)
{
	static const char *const members[] = {"problem", "warning", "error"};
	const char *unit = json_string_value(json_object_get(object, "unit"));

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *text = json_string_value(json_object_get(object, members[i]));

		if (text)
			print_problem("%s", text);
		if (text)
			return 0;
	}
	if (unit)
		puts(unit);
	(void)data;
	return 0;
}

int cmd_run(int argc, char **argv)
{
	const char *words[12] = {"run"};
	char made_up[16], size[24];
	_buf_ struct buf text = {0};
	struct fail f = {0};
	struct args a;
	const char *name;
	uint32_t number;
	size_t n = 1;
	bool tty;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0 || check(&a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return CLI_ERROR;
	snprintf(made_up, sizeof(made_up), "run-%08x", number);
	name = args_has(&a, "name") ? args_value(&a, "name") : made_up;
	tty = args_has(&a, "tty");
	if (run_text(&a, name, from_environment, &text, &f) < 0)
		return print_usage_error(&f, argv[0]);
	words[n++] = name;
	words[n++] = text.data;
	if (args_has(&a, "rm"))
		words[n++] = "--rm";
	if (args_has(&a, "interactive"))
		words[n++] = "-i";
	if (tty) {
		session_size(size);
		words[n++] = "-t";
		words[n++] = "-S";
		words[n++] = size;
	}
	if (!args_has(&a, "detach"))
		return session_run(words, tty, name);
	words[n++] = "-d";
	return client_run(words, a.verb->timeout_sec, false, print_detached, NULL);
}
