/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/print.h"
#include "cli/verbs.h"
#include "units/conv.h"
#include "units/suggest.h"

static const char *kinds_of(const struct key *k)
{
	if (k->section < SECTION_QUADLET || k->kinds == FOR_ALL)
		return NULL;
	return k->kinds == FOR_SERVICE   ? "in .service files"
	       : k->kinds == FOR_QUADLET ? "in Quadlet files"
					 : NULL;
}

static bool can_be_written(const struct key *k)
{
	return k->verdict <= KEY_SHOULD;
}

/* "a b c" -> "a, b or c" */
static void values_of_choice(const char *words, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	while (*words && at < size) {
		size_t len = strcspn(words, " ");
		bool last = !words[len];

		at += (size_t)snprintf(out + at, size - at, "%s%.*s",
				       !at    ? ""
				       : last ? " or "
					      : ", ",
				       (int)len, words);
		words += len + !last;
	}
}

/* "0 5" -> "a number from 0 to 5"; limits that only say what fits into a word are left out. */
static void values_of_number(const char *limits, char *out, size_t size)
{
	char *end;
	long long min = strtoll(limits, &end, 10), max = strtoll(end, NULL, 10);

	if (max >= INT32_MAX)
		snprintf(out, size, "a number, %lld or more", min);
	else
		snprintf(out, size, "a number from %lld to %lld", min, max);
}

void keys_values(const struct key *k, char *out, size_t size)
{
	if (k->type == TYPE_CHOICE)
		values_of_choice(k->arg, out, size);
	else if (k->type == TYPE_INT)
		values_of_number(k->arg, out, size);
	else if (k->type == TYPE_SIZE_SYSTEMD && k->arg)
		snprintf(out, size, "a number; infinity; 10%% of what the host may have");
	else
		snprintf(out, size, "%s", key_types[k->type].meaning);
}

static void print_values(FILE *out, const struct key *k)
{
	const struct key_type_row *type = &key_types[k->type];
	char text[400];

	keys_values(k, text, sizeof(text));
	fprintf(out, "    value    %s\n", text);
	if (type->rule == RULE_ALL)
		fputs("    repeat   each counts; an empty one clears those above it\n", out);
	if (*k->preset)
		fprintf(out, "    default  %s\n", k->preset);
}

static void explain(FILE *out, const struct key *k)
{
	const char *kinds = kinds_of(k);

	fprintf(out, "%s= of [%s]%s%s: %s\n", k->name, section_names[k->section], kinds ? ", " : "",
		kinds ? kinds : "", key_verdict_names[k->verdict]);
	fprintf(out, "    %s\n", k->help);
	if (can_be_written(k))
		print_values(out, k);
}

/* "Image" or "Container.Image". */
static bool is_called(const struct key *k, const char *name)
{
	const char *dot = strchr(name, '.'), *section = section_names[k->section];

	if (dot && (strncasecmp(name, section, (size_t)(dot - name)) != 0 || section[dot - name]))
		return false;
	return strcasecmp(k->name, dot ? dot + 1 : name) == 0;
}

bool keys_explain(FILE *out, const char *name)
{
	bool any = false;

	for_each_key(k)
	{
		if (!is_called(k, name))
			continue;
		if (any)
			fputc('\n', out);
		explain(out, k);
		any = true;
	}
	for (int s = 0; !any && s < SECTION__N; s++) {
		char hint[160];

		if (suggest_key((enum key_section)s,
				strchr(name, '.') ? strchr(name, '.') + 1 : name, hint,
				sizeof(hint)) > 2)
			continue;
		print_problem("[%s]: %s", section_names[s], hint);
	}
	return any;
}

static void list_section(FILE *out, enum key_section section)
{
	bool first = true;

	for_each_key(k)
	{
		if (k->section != section)
			continue;
		if (first)
			fprintf(out, "[%s]\n", section_names[section]);
		first = false;
		fprintf(out, "  %-24s %-12s %s\n", k->name,
			can_be_written(k)           ? key_types[k->type].name
			: k->verdict == KEY_LATER   ? "not yet"
			: k->verdict == KEY_REFUSED ? "refused"
						    : "no effect",
			k->help);
	}
}

bool keys_list(FILE *out, const char *section)
{
	char name[48];
	bool any = false;

	if (section)
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(section + (*section == '['), "]"),
			 section + (*section == '['));
	for (int s = 0; s < SECTION__N; s++) {
		if (section && strcasecmp(name, section_names[s]) != 0)
			continue;
		if (any)
			fputc('\n', out);
		list_section(out, (enum key_section)s);
		any = true;
	}
	return any;
}

void keys_completion(FILE *out)
{
	fputs("# bash completion for orlop; made by `orlop help completion`\n"
	      "_orlop()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]} verbs keys\n\tverbs='",
	      out);
	for (const struct verb *v = verbs; v->name; v++)
		fprintf(out, "%s%s", v == verbs ? "" : " ", v->name);
	fputs("'\n\tkeys='keys manual completion", out);
	for_each_key(k) if (can_be_written(k)) fprintf(out, " %s", k->name);
	fputs("'\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")\n"
	      "\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n",
	      out);
	for (const struct verb *v = verbs; v->name; v++) {
		if (!v->options->name)
			continue;
		fprintf(out,
			"\t%s)\n\t\tif [[ $word == -* ]]; then\n\t\t\tmapfile -t COMPREPLY < <(compgen -W '",
			v->name);
		for (const struct verb_option *o = v->options; o->name; o++)
			fprintf(out, "%s--%s", o == v->options ? "" : " ", o->name);
		fputs("' -- \"$word\")\n\t\t\treturn\n\t\tfi\n\t\t;;\n", out);
	}
	fputs("\thelp)\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$verbs $keys\" -- \"$word\")\n\t\treturn\n\t\t;;\n"
	      "\tesac\n\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\n"
	      "complete -F _orlop orlop\n",
	      out);
}
