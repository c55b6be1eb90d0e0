/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/text.h"

#define ROWS_MAX 100000 /* what a client holds in memory for a table; --json streams */

void listing_value(const json_t *value, struct buf *text)
{
	const json_t *item;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_STRING: buf_str(text, json_string_value(value)); break;
	case JSON_INTEGER: buf_fmt(text, "%lld", json_integer_value(value)); break;
	case JSON_REAL: buf_fmt(text, "%g", json_real_value(value)); break;
	case JSON_TRUE: buf_str(text, "yes"); break;
	case JSON_FALSE: buf_str(text, "no"); break;
	case JSON_NULL:
	case JSON_OBJECT: break;
	case JSON_ARRAY:
		json_array_foreach(value, i, item)
		{
			if (i)
				buf_str(text, ", ");
			if (!json_is_array(item))
				listing_value(item, text);
		}
		break;
	}
}

void listing_age(const json_t *value, struct buf *text)
{
	int64_t since = json_integer_value(value);

	if (since > 0)
		text_duration(text, time(NULL) - since / 1000000);
}

void listing_duration(const json_t *value, struct buf *text)
{
	int64_t usec = json_integer_value(value);

	buf_fmt(text, "%lld.%03d s", (long long)usec / 1000000, (int)(usec / 1000 % 1000));
}

void listing_size(const json_t *value, struct buf *text)
{
	text_bytes(text, json_integer_value(value));
}

void listing_id(const json_t *value, struct buf *text)
{
	const char *id = json_string_value(value);

	buf_add(text, id ? id : "", id ? strnlen(id, 12) : 0);
}

enum table_colour listing_state_colour(const char *state)
{
	static const struct {
		const char *state;
		enum table_colour colour;
	} colours[] = {
		/* the names of init's states, and of the host's */
		{"up", TABLE_GOOD},        {"done", TABLE_GOOD},       {"running", TABLE_GOOD},
		{"failed", TABLE_BAD},     {"stuck", TABLE_BAD},       {"refused", TABLE_BAD},
		{"degraded", TABLE_BAD},   {"down", TABLE_DIM},        {"waiting", TABLE_BUSY},
		{"start-pre", TABLE_BUSY}, {"starting", TABLE_BUSY},   {"execing", TABLE_BUSY},
		{"readying", TABLE_BUSY},  {"start-post", TABLE_BUSY}, {"stop-cmd", TABLE_BUSY},
		{"stopping", TABLE_BUSY},  {"ending", TABLE_BUSY},     {"cleaning", TABLE_BUSY},
		{"backoff", TABLE_BUSY},
	};

	for (size_t i = 0; i < ARRAY_LEN(colours); i++)
		if (!strcmp(colours[i].state, state))
			return colours[i].colour;
	return TABLE_PLAIN;
}

void listing_begin(struct listing *l, const struct listing_column *columns, size_t n_columns)
{
	const char *headings[TABLE_COLUMNS_MAX];

	for (size_t i = 0; i < n_columns; i++)
		headings[i] = columns[i].heading;
	*l = (struct listing){.columns = columns};
	table_init(&l->table, headings, n_columns);
}

int listing_row(json_t *object, void *listing)
{
	struct listing *l = listing;

	for (size_t i = 0; i < l->table.n_columns; i++) {
		const struct listing_column *c = &l->columns[i];
		const json_t *value = json_object_get(object, c->member);
		_buf_ struct buf text = {0};

		if (value && !json_is_null(value))
			(c->cell ? c->cell : listing_value)(value, &text);
		table_add(&l->table, text.data,
			  c->colour && text.data ? c->colour(text.data) : TABLE_PLAIN);
	}
	return l->table.n_cells / l->table.n_columns > ROWS_MAX;
}

void listing_print(struct listing *l, struct buf *out)
{
	table_print(&l->table, print_width(), print_colours(), out);
	table_done(&l->table);
}

int listing_run(const struct args *a, const char *const *words,
		const struct listing_column *columns, size_t n_columns)
{
	struct listing l;
	bool json = args_has(a, "json");
	_buf_ struct buf out = {0};
	int code;

	listing_begin(&l, columns, n_columns);
	code = client_run(words, a->verb->timeout_sec, json, listing_row, &l);
	if (!json && (code == 0 || l.table.n_cells > n_columns)) {
		listing_print(&l, &out);
		if (out.data)
			fwrite(out.data, 1, out.len, stdout);
	} else {
		table_done(&l.table);
	}
	return code;
}
