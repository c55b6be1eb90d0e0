/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs whose answer is one JSON object a line, shown as a table: which member goes into which column,
 * and how a member becomes a cell, is data.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/table.h"

struct listing_column {
	const char *heading;
	const char *member;
	/* Appends what the cell shows; NULL = listing_value(). */
	void (*cell)(const json_t *value, struct buf *text);
	/* The cell's colour by its text; NULL = none. */
	enum table_colour (*colour)(const char *text);
};

/* A JSON value as text: strings as they are, numbers, yes/no, lists with commas. */
void listing_value(const json_t *value, struct buf *text);

/* Cells of other kinds. */
void listing_age(const json_t *value, struct buf *text);      /* usec since 1970 -> "3m 20s" */
void listing_duration(const json_t *value, struct buf *text); /* usec -> "1.250 s" */
void listing_size(const json_t *value, struct buf *text);     /* bytes -> "1.5 MiB" */
void listing_id(const json_t *value, struct buf *text);       /* hex -> its first 12 digits */
enum table_colour listing_state_colour(const char *state);

/* A table under construction: begin, a row for each object, print (which frees it). */
struct listing {
	const struct listing_column *columns;
	struct table table;
};
void listing_begin(struct listing *l, const struct listing_column *columns, size_t n_columns);
int listing_row(json_t *object, void *listing); /* 1 when there are too many; for client_run() */
void listing_print(struct listing *l, struct buf *out);

/* Sends words, prints the answer as a table (or as JSON lines with --json). Returns the exit code. */
int listing_run(const struct args *a, const char *const *words,
		const struct listing_column *columns, size_t n_columns);
