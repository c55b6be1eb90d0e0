/* SPDX-License-Identifier: Apache-2.0 */
/* orlop events: the stream of state changes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/listing.h"
#include "cli/print.h"
#include "cli/text.h"
#include "cli/verbs.h"

struct event_print {
	int64_t left; /* events still wanted; -1 = all */
};

static void add_clock(const json_t *usec, struct buf *out)
{
	time_t sec = (time_t)(json_integer_value(usec) / 1000000);
	struct tm tm;
	char text[32];

	if (json_is_integer(usec) && gmtime_r(&sec, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf_fmt(out, "%s  ", text);
}

/* TIME  UNIT  every other member as key=value, in the order in which they came. */
static int print_event(json_t *object, void *data)
{
	const char *unit = json_string_value(json_object_get(object, "unit"));
	struct event_print *p = data;
	_buf_ struct buf raw = {0}, out = {0};
	const char *key;
	json_t *value;

	add_clock(json_object_get(object, "usec"), &raw);
	buf_fmt(&raw, "%-24s", unit ? unit : "-");
	json_object_foreach(object, key, value)
	{
		if (!strcmp(key, "usec") || !strcmp(key, "unit") || json_is_null(value))
			continue;
		buf_fmt(&raw, " %s=", key);
		listing_value(value, &raw);
	}
	text_escape(&out, raw.data ? raw.data : "", raw.len, false);
	if (print_line(out.data ? out.data : "", out.len) < 0)
		return 1;
	return p->left > 0 && --p->left == 0;
}

int cmd_events(int argc, char **argv)
{
	struct event_print p = {.left = -1};
	const char *words[] = {"events", NULL};
	struct fail f = {0};
	struct args a;

	if (args_parse(verb_find("events"), argc, argv, &a, &f) < 0 ||
	    (args_has(&a, "lines") &&
	     args_number(args_value(&a, "lines"), "--lines", 1, 1000000000, &p.left, &f) < 0))
		return print_usage_error(&f, argv[0]);
	return client_run(words, a.verb->timeout_sec, args_has(&a, "json"), print_event, &p);
}
