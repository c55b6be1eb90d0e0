/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define GAP          2
#define COLUMN_LEAST 8 /* a narrower column gives way no further */

static const char *const colour_on[] = {
	[TABLE_PLAIN] = "",        [TABLE_GOOD] = "\x1b[32m", [TABLE_BAD] = "\x1b[31m",
	[TABLE_BUSY] = "\x1b[33m", [TABLE_DIM] = "\x1b[2m",
};

void table_init(struct table *t, const char *const *headings, size_t n_columns)
{
	*t = (struct table){.n_columns = n_columns < TABLE_COLUMNS_MAX ? n_columns
								       : TABLE_COLUMNS_MAX};
	for (size_t i = 0; i < t->n_columns; i++)
		table_add(t, headings[i], TABLE_PLAIN);
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){0};
}

void table_add(struct table *t, const char *text, enum table_colour colour)
{
	_buf_ struct buf b = {0};
	struct table_cell *cells = realloc(t->cells, (t->n_cells + 1) * sizeof(*cells));

	if (!cells) {
		t->bad = true;
		return;
	}
	t->cells = cells;
	if (!text || !*text)
		text = "-";
	text_escape(&b, text, strlen(text), false);
	cells[t->n_cells].text = buf_take(&b);
	cells[t->n_cells].colour = colour;
	if (cells[t->n_cells].text)
		t->n_cells++;
	else
		t->bad = true;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->n_cells; i += t->n_columns) {
		size_t w = text_width(t->cells[i].text, strlen(t->cells[i].text));

		width = w > width ? w : width;
	}
	return width;
}

static size_t total_width(const size_t *widths, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += widths[i] + (i ? GAP : 0);
	return total;
}

/* Makes the table fit: the widest column gives way, column by column, down to a least width; what is too
 * much even then is cut off at the right. */
static void shrink(size_t *widths, size_t n, size_t width)
{
	size_t total = total_width(widths, n);

	while (total > width) {
		size_t widest = 0;

		for (size_t i = 1; i < n; i++)
			if (widths[i] >= widths[widest])
				widest = i;
		if (widths[widest] <= COLUMN_LEAST)
			break;
		widths[widest]--;
		total--;
	}
	for (size_t i = n; i > 0 && total > width; i--) {
		size_t less = total - width < widths[i - 1] ? total - width : widths[i - 1];

		widths[i - 1] -= less;
		total = total_width(widths, n);
	}
}

static void print_cell(const struct table_cell *cell, size_t width, bool last, bool colours,
		       struct buf *out)
{
	size_t len = strlen(cell->text);
	bool cut = text_width(cell->text, len) > width;
	size_t fit = text_fit(cell->text, len, cut && width ? width - 1 : width);
	bool coloured = colours && cell->colour != TABLE_PLAIN && fit;

	if (coloured)
		buf_str(out, colour_on[cell->colour]);
	buf_add(out, cell->text, fit);
	if (cut && width)
		buf_str(out, "\xe2\x80\xa6"); /* ... */
	if (coloured)
		buf_str(out, "\x1b[0m");
	if (last)
		return;
	for (size_t w = text_width(cell->text, fit) + (cut && width); w < width + GAP; w++)
		buf_chr(out, ' ');
}

void table_print(const struct table *t, size_t width, bool colours, struct buf *out)
{
	size_t rows = t->n_columns ? t->n_cells / t->n_columns : 0;
	size_t widths[TABLE_COLUMNS_MAX];

	for (size_t c = 0; c < t->n_columns; c++)
		widths[c] = column_width(t, c);
	if (width)
		shrink(widths, t->n_columns, width);
	for (size_t row = 0; row < rows; row++) {
		for (size_t c = 0; c < t->n_columns; c++)
			print_cell(&t->cells[row * t->n_columns + c], widths[c],
				   c + 1 == t->n_columns, colours, out);
		buf_chr(out, '\n');
	}
}
