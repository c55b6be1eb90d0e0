/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/conv.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "units/codes.h"
#include "units/split.h"

struct source_at conv_at(const struct conv *c, const struct item *item)
{
	return ini_at(c->entry, item ? item->at : 0);
}

void conv_report(struct conv *c, enum diag_severity severity, const struct item *item,
		 const char *part, size_t len, const char *code, const char *hint, const char *fmt,
		 ...)
{
	size_t at = item->at, width = item->width;
	char text[400];
	va_list args;

	/* What a template's %i will be is not known: its instances are told about it. */
	if (c->is_template && item->text.raw)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* A part can be pointed at where the text stands in the file as it is, and the part in the text: a
	 * parser may have had to copy it. */
	if (part && !item->text.raw && strlen(item->text.value) == item->width &&
	    (uintptr_t)part >= (uintptr_t)item->text.value &&
	    (uintptr_t)part <= (uintptr_t)item->text.value + item->width) {
		at += (size_t)(part - item->text.value);
		width = len ? len : 1;
	}
	diag_add(c->diags, severity, code, ini_at(c->entry, at), width, hint, "%s", text);
}

void conv_report_key(struct conv *c, enum diag_severity severity, const char *code,
		     const char *hint, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	diag_add(c->diags, severity, code, c->entry->at, strlen(c->entry->key), hint, "%s", text);
}

static void warn_notes(struct conv *c, size_t at, const char *text,
		       const struct expand_notes *notes)
{
	if (notes->bad_specifier != EXPAND_NONE)
		diag_add(c->diags, DIAG_WARNING, U_SPECIFIER,
			 ini_at(c->entry, at + notes->bad_specifier), 2,
			 "write %% for a percent sign",
			 "unknown specifier \"%%%c\" is kept as it is",
			 text[notes->bad_specifier + 1]);
	if (notes->unset_at != EXPAND_NONE)
		diag_add(
			c->diags, DIAG_WARNING, U_VARIABLE, ini_at(c->entry, at + notes->unset_at),
			strlen(notes->unset) + 1,
			"variables come from Environment= and EnvironmentFile= of [Service]; write $$ for a dollar sign",
			"variable \"%s\" is not set: it is empty here", notes->unset);
}

static bool expand_item(struct conv *c, struct item *item, const char *text, enum conv_flags flags)
{
	struct expand_notes notes;

	item->text = expand_text(&c->ex, text, (enum expand_flags)(flags & CONV_ALL), &notes);
	warn_notes(c, item->at, text, &notes);
	return item->text.value;
}

bool conv_value(struct conv *c, enum conv_flags flags, bool unquote, struct item *ret)
{
	const char *value = c->entry->value;
	size_t len = c->entry->len;

	*ret = (struct item){.at = 0, .width = len};
	if (unquote && len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		ret->at = 1;
		ret->width = len - 2;
		value = arena_strndup(c->scratch, value + 1, len - 2);
		if (!value)
			return false;
	}
	return expand_item(c, ret, value, flags);
}

static bool count(struct conv *c, size_t *sum, size_t n, size_t limit, const char *what)
{
	if (*sum > limit)
		return false; /* told before */
	*sum += n;
	if (*sum > limit)
		conv_report_key(c, DIAG_ERROR, U_LIMIT, NULL, "more than %zu %s in this unit",
				limit, what);
	return *sum <= limit;
}

bool conv_count_words(struct conv *c, size_t n)
{
	return count(c, &c->n_words, n, LIMIT_UNIT_WORDS, "words in lists");
}

bool conv_count_ports(struct conv *c, size_t n)
{
	return count(c, &c->n_ports, n, LIMIT_UNIT_PORTS, "ports");
}

static struct item *add_item(struct conv *c, struct items *items, const struct word *word)
{
	struct item *item = conv_count_words(c, 1) ? ARENA_PUSH(c->scratch, items->items, items->n)
						   : NULL;

	if (item)
		*item = (struct item){.at = word->start, .width = word->end - word->start};
	return item;
}

/* A word that is just $X becomes as many words as X has. */
static bool add_lone(struct conv *c, struct items *items, const struct word *word,
		     const char *value)
{
	struct words split;

	if (!expand_spend(&c->ex, strlen(value)) || split_words(c->scratch, value, 0, &split))
		return false;
	for (size_t i = 0; i < split.n; i++) {
		struct item *item = add_item(c, items, word);

		if (!item)
			return false;
		item->text.value = arena_strdup(c->arena, split.items[i].text);
		item->text.raw = arena_strdup(c->arena, word->text);
		if (!item->text.value)
			return false;
	}
	return true;
}

static bool note_split(struct conv *c, const struct words *words, enum conv_flags flags)
{
	struct source_at at;

	if (words->open_quote != SPLIT_NONE)
		diag_add(c->diags, DIAG_WARNING, U_QUOTE, ini_at(c->entry, words->open_quote), 1,
			 NULL, "this quote is not closed: it goes to the end of the line");
	if (words->bad_escape == SPLIT_NONE)
		return true;
	at = ini_at(c->entry, words->bad_escape);
	if (flags & CONV_LITERAL) {
		diag_add(c->diags, DIAG_WARNING, U_ESCAPE, at, 2, "write \\\\ for a backslash",
			 "unknown escape: the word is kept as it is written");
		return true;
	}
	diag_add(c->diags, DIAG_ERROR, U_ESCAPE, at, 2, "write \\\\ for a backslash",
		 "unknown escape \"\\%.1s\" in %s=", c->entry->value + words->bad_escape + 1,
		 c->entry->key);
	return false;
}

bool conv_words(struct conv *c, enum conv_flags flags, struct items *ret)
{
	enum split_flags split = (flags & CONV_ESCAPES ? SPLIT_ESCAPES : 0) |
				 (flags & CONV_LITERAL ? SPLIT_LITERAL : 0);
	struct words words;

	*ret = (struct items){0};
	if (split_words(c->scratch, c->entry->value, split, &words) ||
	    !note_split(c, &words, flags))
		return false;
	for (size_t i = 0; i < words.n; i++) {
		const struct word *word = &words.items[i];
		struct expand_notes notes = {EXPAND_NONE, EXPAND_NONE, ""};
		const char *lone = flags & CONV_VARIABLES ? expand_lone(&c->ex, word->text, &notes)
							  : NULL;
		struct item *item;

		warn_notes(c, word->start, word->text, &notes);
		if (lone) {
			if (!add_lone(c, ret, word, lone))
				return false;
			continue;
		}
		item = add_item(c, ret, word);
		if (!item || !expand_item(c, item, word->text, flags))
			return false;
	}
	return true;
}

const char *conv_path(struct conv *c, const struct item *item, const char *path, bool bare)
{
	if (path[0] == '/')
		return path;
	if (bare || strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0 ||
	    strcmp(path, ".") == 0) {
		while (strncmp(path, "./", 2) == 0)
			path += 2;
		return strcmp(path, ".") == 0 ? c->folder
					      : arena_fmt(c->arena, "%s/%s", c->folder, path);
	}
	conv_error(c, item, U_PATH, "start it with / or ./", "\"%s\" in %s= is no path", path,
		   c->entry->key);
	return NULL;
}

void conv_add_text(struct conv *c, struct text_list *list, struct text text)
{
	struct text *slot = ARENA_PUSH(c->arena, list->items, list->n);

	if (slot)
		*slot = text;
}

/* The list is kept sorted by name; a later value takes an earlier one's place. */
void conv_set_pair(struct conv *c, struct pair_list *list, const char *name, const char *value,
		   const char *raw)
{
	size_t i = 0, high = list->n;
	struct pair *slot;

	while (i < high) { /* the first one that is not before the name */
		size_t middle = i + (high - i) / 2;

		if (strcmp(list->items[middle].name, name) < 0)
			i = middle + 1;
		else
			high = middle;
	}
	if (i < list->n && strcmp(list->items[i].name, name) == 0) {
		list->items[i] = (struct pair){list->items[i].name, value, raw};
		return;
	}
	slot = ARENA_PUSH(c->arena, list->items, list->n);
	if (!slot)
		return;
	memmove(list->items + i + 1, list->items + i, (list->n - 1 - i) * sizeof(*slot));
	list->items[i] = (struct pair){name, value, raw};
}
