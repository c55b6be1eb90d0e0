/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: columns as wide as their widest cell, headings in capitals. Where the terminal is too
 * narrow the widest columns are cut. Pure: text in, text out.
 *
 * Cells are escaped when they are added, so whatever they hold is fit for a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum table_colour { TABLE_PLAIN, TABLE_GOOD, TABLE_BAD, TABLE_BUSY, TABLE_DIM };

struct table_cell {
	char *text; /* owned */
	enum table_colour colour;
};

#define TABLE_COLUMNS_MAX 16

struct table {
	size_t n_columns;
	size_t n_cells;
	struct table_cell *cells; /* row after row; the first row is the headings */
	bool bad;                 /* memory ran out */
};

void table_init(struct table *t, const char *const *headings, size_t n_columns);
void table_done(struct table *t);

/* The next cell, row by row. NULL or "" shows as "-". */
void table_add(struct table *t, const char *text, enum table_colour colour);

/* Appends the table. width: columns of the terminal, 0 = no bound. */
void table_print(const struct table *t, size_t width, bool colours, struct buf *out);
