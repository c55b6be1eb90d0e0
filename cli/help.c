/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#include "cli/args.h"
#include "cli/print.h"

void help_overview(FILE *out)
{
	fputs("orlop: what runs on this container host, and how to change it\n\n"
	      "    orlop [--connect unix:PATH] [--timeout SECONDS] VERB [OPTION...] [WORD...]\n\n",
	      out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "  %-10s%-19s %s\n", v->name, v->usage, v->help);
	fputs("\n  orlop VERB --help    what a verb takes\n", out);
}

static void print_option(FILE *out, const struct verb_option *o)
{
	char left[64], letter[8] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	fprintf(out, "  %-22s %s\n", left, o->help);
}

void help_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "orlop %s%s%s%s: %s\n", verb->name, verb->options->name ? " [OPTION...]" : "",
		*verb->usage ? " " : "", verb->usage, verb->help);
	if (verb->options->name)
		fputc('\n', out);
	for (const struct verb_option *o = verb->options; o->name; o++)
		print_option(out, o);
}

int cmd_help(int argc, char **argv)
{
	const struct verb *verb = NULL;
	struct fail f = {0};
	struct args a;

	if (args_parse(verb_find("help"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (a.n_words) {
		verb = verb_find(a.words[0]);
		if (!verb) {
			print_problem("there is no verb \"%s\"", a.words[0]);
			return CLI_USAGE;
		}
		help_verb(stdout, verb);
	} else {
		help_overview(stdout);
	}
	return CLI_OK;
}
