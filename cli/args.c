/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
	int argc, at;
	char **argv;
	int n_words; /* words found so far; they are moved to the front, behind argv[0] */
};

static int find_long(const struct verb *verb, const char *name, size_t len)
{
	for (int i = 0; i < ARGS_OPTIONS_MAX && verb->options[i].name; i++)
		if (strlen(verb->options[i].name) == len &&
		    !strncmp(verb->options[i].name, name, len))
			return i;
	return -1;
}

static int find_short(const struct verb *verb, char letter)
{
	for (int i = 0; i < ARGS_OPTIONS_MAX && verb->options[i].name; i++)
		if (verb->options[i].letter == letter)
			return i;
	return -1;
}

static int take_value(struct args *a, int option, const char *value, struct fail *f)
{
	if (a->n_given >= ARGS_GIVEN_MAX)
		return fail_set(f, 0, "more than %d options", ARGS_GIVEN_MAX);
	a->value[option] = value;
	a->given[a->n_given].option = option;
	a->given[a->n_given++].value = value;
	return 0;
}

static int take_long(struct cursor *c, struct args *a, const char *text, struct fail *f)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : NULL;
	int i = find_long(a->verb, text, len);

	if (i < 0)
		return fail_set(f, 0, "%s has no option --%.*s", a->verb->name, (int)len, text);
	if (!a->verb->options[i].arg) {
		if (value)
			return fail_set(f, 0, "--%.*s takes no value", (int)len, text);
		return take_value(a, i, "", f);
	}
	if (!value && c->at < c->argc)
		value = c->argv[c->at++];
	if (!value)
		return fail_set(f, 0, "--%s needs a value: %s", text, a->verb->options[i].arg);
	return take_value(a, i, value, f);
}

static int take_short(struct cursor *c, struct args *a, const char *letters, struct fail *f)
{
	for (; *letters; letters++) {
		int i = find_short(a->verb, *letters);

		if (i < 0)
			return fail_set(f, 0, "%s has no option -%c", a->verb->name, *letters);
		if (!a->verb->options[i].arg) {
			int r = take_value(a, i, "", f);

			if (r < 0)
				return r;
			continue;
		}
		if (letters[1])
			return take_value(a, i, letters + 1, f);
		if (c->at < c->argc)
			return take_value(a, i, c->argv[c->at++], f);
		return fail_set(f, 0, "-%c needs a value: %s", *letters, a->verb->options[i].arg);
	}
	return 0;
}

int args_parse(const struct verb *verb, int argc, char **argv, struct args *a, struct fail *f)
{
	struct cursor c = {.argc = argc, .at = 1, .argv = argv};
	bool options = true;
	int r = 0;

	*a = (struct args){.verb = verb, .words = argv + 1};
	while (r == 0 && c.at < argc) {
		char *word = argv[c.at++];

		if (!options || word[0] != '-' || !word[1]) {
			argv[1 + c.n_words++] = word;
			options &= verb->max_words != VERB_WORDS_COMMAND;
		} else if (!strcmp(word, "--"))
			options = false;
		else if (word[1] == '-')
			r = take_long(&c, a, word + 2, f);
		else
			r = take_short(&c, a, word + 1, f);
	}
	if (r < 0)
		return r;
	argv[1 + c.n_words] = NULL;
	a->n_words = c.n_words;
	if (c.n_words < verb->min_words)
		return fail_set(f, 0, "%s needs %s", verb->name, verb->usage);
	if (verb->max_words >= 0 && c.n_words > verb->max_words)
		return fail_set(f, 0, "%s does not know what to do with \"%s\"", verb->name,
				argv[1 + verb->max_words]);
	return 0;
}

const char *args_value(const struct args *a, const char *name)
{
	int i = find_long(a->verb, name, strlen(name));

	return i < 0 ? NULL : a->value[i];
}

const char *args_next(const struct args *a, const char *name, int *at)
{
	int i = find_long(a->verb, name, strlen(name));

	while (*at < a->n_given)
		if (a->given[(*at)++].option == i)
			return a->given[*at - 1].value;
	return NULL;
}

bool args_has(const struct args *a, const char *name)
{
	return args_value(a, name) != NULL;
}

int args_number(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
		struct fail *f)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		return fail_set(f, 0,
				"%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64,
				what, text, min, max);
	*ret = n;
	return 0;
}
