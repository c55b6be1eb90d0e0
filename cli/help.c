/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#include "cli/args.h"
#include "cli/keys.h"
#include "cli/print.h"

void help_overview(FILE *out)
{
	fputs("orlop: what runs on this container host, and how to change it\n\n"
	      "    orlop [--connect unix:PATH] [--timeout SECONDS] VERB [OPTION...] [WORD...]\n\n",
	      out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "  %-13s%-19s %s\n", v->name, v->usage, v->help);
	fputs("\n  orlop VERB --help          what a verb takes\n"
	      "  orlop help KEY             what a key of unit files means\n"
	      "  orlop help keys [SECTION]  all of them\n"
	      "  orlop help completion      a completion script for bash\n",
	      out);
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

/* The words that are neither verbs nor keys. */
static int help_keys(const char *word, const char *section)
{
	if (strcmp(word, "keys") == 0 && !keys_list(stdout, section)) {
		print_problem("there is no section \"%s\"", section);
		return CLI_USAGE;
	}
	if (strcmp(word, "manual") == 0)
		keys_manual(stdout);
	if (strcmp(word, "completion") == 0)
		keys_completion(stdout);
	return CLI_OK;
}

int cmd_help(int argc, char **argv)
{
	struct fail f = {0};
	struct args a;
	const char *word;

	if (args_parse(verb_find("help"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	word = a.n_words ? a.words[0] : NULL;
	if (!word) {
		help_overview(stdout);
		return CLI_OK;
	}
	if (verb_find(word)) {
		help_verb(stdout, verb_find(word));
		return CLI_OK;
	}
	if (strcmp(word, "keys") == 0 || strcmp(word, "manual") == 0 ||
	    strcmp(word, "completion") == 0)
		return help_keys(word, a.n_words > 1 ? a.words[1] : NULL);
	if (keys_explain(stdout, word))
		return CLI_OK;
	print_problem("there is no verb and no key \"%s\"", word);
	return CLI_USAGE;
}
