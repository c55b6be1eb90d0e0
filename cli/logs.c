/* SPDX-License-Identifier: Apache-2.0 */
/* orlop logs: what a unit wrote, from the files of orlop-log. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/text.h"
#include "cli/verbs.h"

struct log_print {
	bool terminal, times;
	bool open_line; /* the last piece was partial: the next one goes on behind it */
};

static void add_time(struct log_print *p, const json_t *object, struct buf *out)
{
	const char *t = json_string_value(json_object_get(object, "t"));

	if (p->times && !p->open_line)
		buf_fmt(out, "%s ", t ? t : "-");
}

/* A piece of output. On a terminal it is escaped; into a pipe it goes as it is. */
static int print_piece(json_t *object, void *data)
{
	const json_t *text = json_object_get(object, "s");
	struct log_print *p = data;
	_buf_ struct buf out = {0};
	bool marker = json_is_true(json_object_get(object, "m"));

	if (!json_is_string(text))
		return 0;
	if (marker && p->open_line) {
		buf_chr(&out, '\n');
		p->open_line = false;
	}
	add_time(p, object, &out);
	if (marker)
		buf_str(&out, "-- ");
	if (p->terminal)
		text_escape(&out, json_string_value(text), json_string_length(text), true);
	else
		buf_add(&out, json_string_value(text), json_string_length(text));
	if (marker)
		buf_str(&out, " --");
	p->open_line = json_is_true(json_object_get(object, "p"));
	if (!p->open_line)
		buf_chr(&out, '\n');
	return out.len && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) < 0);
}

int cmd_logs(int argc, char **argv)
{
	struct log_print p = {.terminal = print_is_terminal()};
	const char *words[8] = {"logs"}, *lines, *since;
	struct fail f = {0};
	struct args a;
	size_t n = 1;
	int64_t number;
	int code;

	if (args_parse(verb_find("logs"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	lines = args_value(&a, "lines");
	since = args_value(&a, "since");
	if (lines && args_number(lines, "--lines", 0, 1000000000, &number, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (args_has(&a, "follow")) {
		words[n++] = "-f";
		if (!lines && !since)
			lines = "10";
	}
	if (lines) {
		words[n++] = "-n";
		words[n++] = lines;
	}
	if (since) {
		words[n++] = "--since";
		words[n++] = since;
	}
	words[n++] = a.words[0];
	words[n] = NULL;
	p.times = args_has(&a, "timestamps");
	code = client_run(words, a.verb->timeout_sec, args_has(&a, "json"), print_piece, &p);
	if (p.open_line && p.terminal)
		putchar('\n');
	return code;
}
