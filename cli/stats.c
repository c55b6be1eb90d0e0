/* SPDX-License-Identifier: Apache-2.0 */
/* orlop stats: two looks at what units use, and a table of the second, with the CPU time between them as a rate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/verbs.h"

struct stats {
	json_t *before; /* by unit */
	struct table table;
	bool json;
};

static int64_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int remember(json_t *object, void *data)
{
	struct stats *s = data;
	const char *unit = json_string_value(json_object_get(object, "unit"));

	return unit && json_object_set(s->before, unit, object) < 0;
}

/* In hundredths of one CPU; -1: it was not there before. */
static int64_t cpu_percent(const struct stats *s, const json_t *now)
{
	const char *unit = json_string_value(json_object_get(now, "unit"));
	const json_t *before = json_object_get(s->before, unit ? unit : "");
	int64_t time = number(now, "time_usec") - number(before, "time_usec");
	int64_t used = number(now, "cpu_usec") - number(before, "cpu_usec");

	return !before || time <= 0 || used < 0 ? -1 : used * 10000 / time;
}

static void add_bytes(struct buf *b, const json_t *object, const char *key)
{
	if (json_object_get(object, key))
		text_bytes(b, number(object, key));
	else
		buf_chr(b, '-');
}

/* "12.0 MiB / 64.0 MiB" */
static void add_pair(struct table *t, const json_t *object, const char *a, const char *b, bool both)
{
	_buf_ struct buf text = {0};

	if (json_object_get(object, a)) {
		add_bytes(&text, object, a);
		if (both || json_object_get(object, b)) {
			buf_str(&text, " / ");
			add_bytes(&text, object, b);
		}
	}
	table_add(t, text.data, TABLE_PLAIN);
}

static int show(json_t *object, void *data)
{
	struct stats *s = data;
	int64_t percent = cpu_percent(s, object);
	char text[64] = "";

	if (s->json) {
		_free_
		char *line = NULL;

		if (percent >= 0)
			json_object_set_new(object, "cpu_percent",
					    json_real((double)percent / 100));
		line = json_dumps(object, JSON_COMPACT);
		return !line || print_line(line, strlen(line)) < 0;
	}
	table_add(&s->table, json_string_value(json_object_get(object, "unit")), TABLE_PLAIN);
	if (percent >= 0)
		snprintf(text, sizeof(text), "%d.%02d%%", (int)(percent / 100),
			 (int)(percent % 100));
	table_add(&s->table, text, TABLE_PLAIN);
	add_pair(&s->table, object, "memory_bytes", "memory_max_bytes", false);
	text[0] = '\0';
	if (json_object_get(object, "pids"))
		snprintf(text, sizeof(text), "%lld", (long long)number(object, "pids"));
	table_add(&s->table, text, TABLE_PLAIN);
	add_pair(&s->table, object, "net_in_bytes", "net_out_bytes", true);
	add_pair(&s->table, object, "read_bytes", "write_bytes", true);
	return 0;
}

static void print_table(struct stats *s)
{
	_buf_ struct buf out = {0};

	table_print(&s->table, print_width(), print_colours(), &out);
	if (out.data)
		fwrite(out.data, 1, out.len, stdout);
}

int cmd_stats(int argc, char **argv)
{
	static const char *const headings[] = {"UNIT", "CPU",          "MEMORY / MOST",
					       "PIDS", "NET IN / OUT", "READ / WRITTEN"};
	_free_
	const char **words = calloc((size_t)argc + 2, sizeof(*words));
	struct stats s = {.before = json_object()};
	int64_t seconds = 1;
	struct fail f = {0};
	struct args a;
	int code;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0 ||
	    (args_has(&a, "interval") &&
	     args_number(args_value(&a, "interval"), "--interval", 0, 3600, &seconds, &f) < 0))
		return print_usage_error(&f, argv[0]);
	if (!words || !s.before)
		return CLI_ERROR;
	words[0] = "stats";
	for (int i = 0; i < a.n_words; i++)
		words[1 + i] = a.words[i];
	s.json = args_has(&a, "json");
	code = seconds ? client_run(words, a.verb->timeout_sec, false, remember, &s) : CLI_OK;
	if (code == CLI_OK && seconds)
		nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
	table_init(&s.table, headings, ARRAY_LEN(headings));
	if (code == CLI_OK)
		code = client_run(words, a.verb->timeout_sec, false, show, &s);
	if (code == CLI_OK && !s.json)
		print_table(&s);
	table_done(&s.table);
	json_decref(s.before);
	return code;
}
