/* SPDX-License-Identifier: Apache-2.0 */
/* orlop status: how a unit, or the host, is and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/listing.h"
#include "cli/print.h"
#include "cli/text.h"
#include "cli/verbs.h"

#define LAST_LINES "10"

/* Members that have a better name or form than their own; what is not here is shown all the same. */
static const struct {
	const char *member, *label;
	void (*cell)(const json_t *value, struct buf *text);
} known[] = {
	{"since_usec", "since", listing_age},
	{"exit_code", "exit code", NULL},
	{"next_start_usec", "next start in", listing_duration},
	{"waits_for", "waits for", NULL},
	{"memory_bytes", "memory", listing_size},
	{"boot_usec", "booted in", listing_duration},
};

static void add_field(const char *key, const json_t *value, struct buf *out)
{
	void (*cell)(const json_t *, struct buf *) = listing_value;
	const char *label = key;
	_buf_ struct buf text = {0};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].member, key)) {
			label = known[i].label;
			cell = known[i].cell ? known[i].cell : cell;
		}
	cell(value, &text);
	if (!text.len)
		return;
	buf_fmt(out, "  %14s: ", label);
	text_escape(out, text.data, text.len, false);
	buf_chr(out, '\n');
}

/* Lists of text lines (the unit's last output) go below their name, one each. */
static void add_lines(const char *key, const json_t *list, struct buf *out)
{
	const json_t *item;
	size_t i;

	buf_fmt(out, "  %14s:\n", key);
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			continue;
		buf_str(out, "      ");
		text_escape(out, json_string_value(item), json_string_length(item), true);
		buf_chr(out, '\n');
	}
}

static void add_title(const json_t *object, struct buf *out)
{
	static const char *const escapes[] = {
		[TABLE_PLAIN] = "",        [TABLE_GOOD] = "\x1b[32m", [TABLE_BAD] = "\x1b[31m",
		[TABLE_BUSY] = "\x1b[33m", [TABLE_DIM] = "\x1b[2m",
	};
	const char *unit = json_string_value(json_object_get(object, "unit"));
	const char *state = json_string_value(json_object_get(object, "state"));
	enum table_colour colour = state ? listing_state_colour(state) : TABLE_PLAIN;
	bool colours = print_colours() && colour != TABLE_PLAIN;

	if (!unit)
		unit = "host";
	text_escape(out, unit, strlen(unit), false);
	if (state) {
		buf_fmt(out, ": %s", colours ? escapes[colour] : "");
		text_escape(out, state, strlen(state), false);
		buf_str(out, colours ? "\x1b[0m" : "");
	}
	buf_chr(out, '\n');
}

static int print_status(const json_t *object)
{
	_buf_ struct buf out = {0};
	const char *key;
	json_t *value;

	add_title(object, &out);
	json_object_foreach((json_t *)object, key, value)
	{
		if (!strcmp(key, "unit") || !strcmp(key, "state"))
			continue;
		if (!strcmp(key, "last_lines") && json_is_array(value))
			add_lines("last lines", value, &out);
		else if (!strcmp(key, "problems") && json_is_array(value))
			add_lines("problems", value, &out);
		else
			add_field(key, value, &out);
	}
	if (out.bad)
		return -1;
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : -1;
}

static int print_as_json(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	int r = text ? print_line(text, strlen(text)) : -1;

	free(text);
	return r;
}

static int keep(json_t *object, void *data)
{
	json_t **kept = data;

	if (!*kept)
		*kept = json_incref(object);
	return 0;
}

/* Pieces of output become whole lines. */
struct lines {
	json_t *list;
	bool open; /* the last one goes on */
};

static int add_piece(json_t *object, void *data)
{
	struct lines *lines = data;
	const json_t *text = json_object_get(object, "s");
	size_t last = json_array_size(lines->list);
	_buf_ struct buf line = {0};

	if (!json_is_string(text))
		return 0;
	if (lines->open && last--) {
		const json_t *begun = json_array_get(lines->list, last);

		buf_add(&line, json_string_value(begun), json_string_length(begun));
		json_array_remove(lines->list, last);
	}
	buf_add(&line, json_string_value(text), json_string_length(text));
	lines->open = json_is_true(json_object_get(object, "p"));
	if (!line.bad)
		json_array_append_new(lines->list, json_stringn(line.data, line.len));
	return 0;
}

/* PID 1 reads no logs; a second question brings what the unit said last. */
static void add_last_lines(json_t *object, const char *unit, int timeout_sec)
{
	const char *words[] = {"logs", "-n", LAST_LINES, unit, NULL};
	struct lines lines = {.list = json_array()};

	if (lines.list && client_run(words, timeout_sec, false, add_piece, &lines) == CLI_OK &&
	    json_array_size(lines.list))
		json_object_set(object, "last_lines", lines.list);
	json_decref(lines.list);
}

int cmd_status(int argc, char **argv)
{
	const char *words[] = {"status", NULL, NULL};
	json_t *object = NULL;
	struct fail f = {0};
	struct args a;
	int code;

	if (args_parse(verb_find("status"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	words[1] = a.words[0];
	code = client_run(words, a.verb->timeout_sec, false, keep, &object);
	if (!object)
		return code;
	if (words[1] && json_object_get(object, "unit"))
		add_last_lines(object, words[1], a.verb->timeout_sec);
	if ((args_has(&a, "json") ? print_as_json : print_status)(object) < 0)
		code = CLI_ERROR;
	json_decref(object);
	return code;
}
