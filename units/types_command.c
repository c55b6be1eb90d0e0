/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of command lines: of the container (Entrypoint, HealthCmd) and of the host (ExecStart...). */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "units/codes.h"
#include "units/conv.h"

/* --- JSON arrays of strings ------------------------------------------------------------------- */

static int hex4(const char *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d;
		char ch = (char)(s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i]);

		d = ch ? strchr(digits, ch) : NULL;
		if (!d)
			return -1;
		value = value * 16 + (int)(d - digits);
	}
	return value;
}

static void add_utf8(struct buf *b, int ch)
{
	if (ch < 0x80) {
		buf_chr(b, (char)ch);
	} else if (ch < 0x800) {
		buf_chr(b, (char)(0xc0 | ch >> 6));
		buf_chr(b, (char)(0x80 | (ch & 0x3f)));
	} else {
		buf_chr(b, (char)(0xe0 | ch >> 12));
		buf_chr(b, (char)(0x80 | (ch >> 6 & 0x3f)));
		buf_chr(b, (char)(0x80 | (ch & 0x3f)));
	}
}

/* The string that starts at s (behind its quote); returns what follows it, or NULL. */
static const char *json_string(const char *s, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

	for (; *s && *s != '"'; s++) {
		const char *letter;
		int ch;

		if (*s != '\\') {
			buf_chr(out, *s);
			continue;
		}
		s++;
		if (*s == 'u') {
			ch = hex4(s + 1);
			if (ch <= 0 || (ch >= 0xd800 && ch < 0xe000))
				return NULL; /* surrogate pairs: write the character itself */
			add_utf8(out, ch);
			s += 4;
			continue;
		}
		letter = *s ? strchr(letters, *s) : NULL;
		if (!letter)
			return NULL;
		buf_chr(out, meanings[letter - letters]);
	}
	return *s ? s + 1 : NULL;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* `["a", "b"]` into the list; the offset where it stops being that, or -1. */
static ptrdiff_t json_array(struct conv *c, const char *value, struct text_list *list)
{
	const char *s = skip_blanks(value + 1);

	while (*s != ']') {
		_buf_ struct buf word = {0};
		const char *after = *s == '"' ? json_string(s + 1, &word) : NULL;

		if (word.bad)
			arena_set_bad(c->arena);
		if (!after)
			return s - value;
		conv_add_text(c, list,
			      expand_text(&c->ex, word.data ? word.data : "",
					  EXPAND_SPECIFIERS | EXPAND_VARIABLES, NULL));
		s = skip_blanks(after);
		if (*s == ',') {
			s = skip_blanks(s + 1);
			if (*s != '"')
				return s - value;
		} else if (*s != ']') {
			return s - value;
		}
	}
	s = skip_blanks(s + 1);
	return *s ? s - value : -1;
}

static void bad_array(struct conv *c, ptrdiff_t at)
{
	diag_add(c->diags, DIAG_ERROR, U_COMMAND, ini_at(c->entry, (size_t)at), 1,
		 "write [\"program\", \"argument\"]",
		 "not a JSON array of strings in %s=", c->entry->key);
}

/* Entrypoint: a word, or a JSON array. */
void parse_entrypoint(struct conv *c, void *field)
{
	struct text_list *list = field;
	struct item item;
	ptrdiff_t bad;

	c->unit->container->entrypoint_set = true;
	if (c->entry->value[0] == '[') {
		bad = json_array(c, c->entry->value, list);
		if (bad >= 0)
			bad_array(c, bad);
		return;
	}
	if (conv_value(c, CONV_ALL, true, &item) && *item.text.value)
		conv_add_text(c, list, item.text);
}

static void add_plain(struct conv *c, struct text_list *list, const char *word)
{
	conv_add_text(c, list, (struct text){word, NULL});
}

/* HealthCmd: none, a JSON array, CMD words, and all else is for the shell. */
void parse_health_cmd(struct conv *c, void *field)
{
	struct text_list *list = field;
	struct item item;
	const char *command;
	ptrdiff_t bad;

	if (!conv_value(c, CONV_ALL, true, &item))
		return;
	command = item.text.value;
	if (strcmp(command, "none") == 0) {
		if (strcmp(c->key->name, "HealthCmd") == 0)
			c->unit->container->health_none = true;
		return;
	}
	if (command[0] == '[') {
		bad = json_array(c, c->entry->value + item.at, list);
		if (bad >= 0)
			bad_array(c, bad + (ptrdiff_t)item.at);
		/* Docker's form inside the array. */
		if (list->n > 1 && strcmp(list->items[0].value, "CMD") == 0)
			memmove(list->items, list->items + 1, --list->n * sizeof(*list->items));
		else if (list->n == 2 && strcmp(list->items[0].value, "CMD-SHELL") == 0) {
			struct text shell = list->items[1];

			*list = (struct text_list){0};
			add_plain(c, list, "/bin/sh");
			add_plain(c, list, "-c");
			conv_add_text(c, list, shell);
		}
		return;
	}
	if (strncmp(command, "CMD ", 4) == 0) {
		for (command += 4; *(command += strspn(command, " \t"));) {
			size_t len = strcspn(command, " \t");

			add_plain(c, list, arena_strndup(c->arena, command, len));
			command += len;
		}
		return;
	}
	if (strncmp(command, "CMD-SHELL", 9) == 0 && (command[9] == ' ' || command[9] == '\t')) {
		command += 9;
		command += strspn(command, " \t");
	}
	add_plain(c, list, "/bin/sh");
	add_plain(c, list, "-c");
	conv_add_text(c, list, (struct text){command, item.text.raw});
}

/* --- commands of the host --------------------------------------------------------------------- */

void parse_commands(struct conv *c, void *field)
{
	struct items items;
	struct command command = {0};
	const char *program;

	if (!conv_words(c, CONV_ALL | CONV_ESCAPES, &items) || items.n == 0)
		return;
	program = items.items[0].text.value;
	for (; *program && strchr("-+:@!|", *program); program++) {
		if (*program == '-') {
			command.may_fail = true;
		} else if (*program == '@' || *program == ':' || *program == '|') {
			conv_report(c, DIAG_ERROR, &items.items[0], program, 1, U_COMMAND,
				    "remove it; '-' alone is understood",
				    "the prefix '%c' of a command is not supported", *program);
			return;
		} /* '+' and '!' ask for privileges that host commands have here anyway */
	}
	if (program[0] != '/') {
		conv_report(c, DIAG_ERROR, &items.items[0], program, strlen(program), U_COMMAND,
			    "write its absolute path, for example /usr/bin/mkdir",
			    "\"%s\" in %s= is no absolute path", program, c->entry->key);
		return;
	}
	command.argv = arena_alloc(c->arena, (items.n + 1) * sizeof(*command.argv));
	if (!command.argv)
		return;
	command.argc = items.n;
	for (size_t i = 0; i < items.n; i++)
		command.argv[i] = arena_strdup(c->arena, i ? items.items[i].text.value : program);
	command.at = c->entry->at;
	{
		struct command *slot = CONV_PUSH(c, struct command, field);

		if (slot)
			*slot = command;
	}
}
