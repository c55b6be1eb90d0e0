/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define GAP          2
#define COLUMN_LEAST 4 /* a cut cell shows at least that much */

static const char *const colour_on[] = {
	[TABLE_PLAIN] = "",        [TABLE_GOOD] = "\x1b[32m", [TABLE_BAD] = "\x1b[31m",
	[TABLE_BUSY] = "\x1b[33m", [TABLE_DIM] = "\x1b[2m",
};

void table_init(struct table *t, const char *const *headings, size_t n_columns)
{
	*t = (struct table){.n_columns = n_columns};
	for (size_t i = 0; i < n_columns; i++)
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

static void print_cell(const struct table_cell *cell, size_t width, bool last, bool colours,
		       struct buf *out)
{
	size_t len = strlen(cell->text);
	size_t fit = text_fit(cell->text, len, width);
	bool coloured = colours && cell->colour != TABLE_PLAIN;

	if (coloured)
		buf_str(out, colour_on[cell->colour]);
	buf_add(out, cell->text, fit);
	if (coloured)
		buf_str(out, "\x1b[0m");
	if (last)
		return;
	for (size_t w = text_width(cell->text, fit); w < width + GAP; w++)
		buf_chr(out, ' ');
}

void table_print(const struct table *t, size_t width, bool colours, struct buf *out)
{
	size_t rows = t->n_columns ? t->n_cells / t->n_columns : 0;

	for (size_t row = 0; row < rows; row++) {
		size_t used = 0;

		for (size_t c = 0; c < t->n_columns; c++) {
			bool last = c + 1 == t->n_columns;
			size_t w = column_width(t, c);

			if (last && width && used + w > width)
				w = width > used + COLUMN_LEAST ? width - used : COLUMN_LEAST;
			print_cell(&t->cells[row * t->n_columns + c], w, last, colours, out);
			used += w + GAP;
		}
		buf_chr(out, '\n');
	}
}
