/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop: the command people type. Global options, then a verb; cli/verbs.h is the list of verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/help.h"
#include "cli/print.h"
#include "cli/verbs.h"

static int unknown_verb(const char *name)
{
	const struct verb *guess = verb_guess(name);

	if (guess)
		print_problem("there is no verb \"%s\"; did you mean \"%s\"?", name, guess->name);
	else
		print_problem("there is no verb \"%s\"; `orlop help` lists them", name);
	return CLI_USAGE;
}

static int usage(const struct fail *f)
{
	print_problem("%s", f->text);
	fputs("Try: orlop help\n", stderr);
	return CLI_USAGE;
}

/* Whether a verb's words ask for help; behind `--` nothing does. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

struct globals {
	const char *connect, *timeout;
};

/* The value of the option called name, if argv[*at] is it; *at then stands on its last word. */
static const char *global_value(char **argv, int *at, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(argv[*at], name, len) != 0)
		return NULL;
	if (argv[*at][len] == '=')
		return argv[*at] + len + 1;
	return argv[*at][len] || !argv[*at + 1] ? NULL : argv[++*at];
}

/* Reads the options that stand before the verb. Returns where the verb is, or -EINVAL. */
static int read_globals(char **argv, struct globals *g, struct fail *f)
{
	int at = 1;

	for (; argv[at] && argv[at][0] == '-'; at++) {
		const char *value;

		if (!strcmp(argv[at], "--help") || !strcmp(argv[at], "-h")) {
			argv[at] = "help";
			break;
		}
		if (!strcmp(argv[at], "--version")) {
			argv[at] = "version";
			break;
		}
		if ((value = global_value(argv, &at, "--connect")))
			g->connect = value;
		else if ((value = global_value(argv, &at, "--timeout")))
			g->timeout = value;
		else
			return fail_set(f, 0,
					"there is no global option \"%s\", or it lacks a value",
					argv[at]);
	}
	return at;
}

int main(int argc, char **argv)
{
	struct globals g = {0};
	const struct verb *verb;
	struct fail f = {0};
	int64_t timeout = -1;
	int at;

	signal(SIGPIPE, SIG_DFL); /* a reader that leaves ends us quietly, whoever started us */
	at = read_globals(argv, &g, &f);
	if (at < 0 ||
	    (g.timeout && args_number(g.timeout, "--timeout", 0, 86400, &timeout, &f) < 0) ||
	    client_configure(g.connect, (int)timeout, &f) < 0)
		return usage(&f);
	if (!argv[at]) {
		help_overview(stderr);
		return CLI_USAGE;
	}
	verb = verb_find(argv[at]);
	if (!verb)
		return unknown_verb(argv[at]);
	if (wants_help(argc - at, argv + at)) {
		help_verb(stdout, verb);
		return CLI_OK;
	}
	return verb->run(argc - at, argv + at);
}
