/* SPDX-License-Identifier: Apache-2.0 */
/* Where the verbs print: messages on stderr, lines on stdout, both safe for a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"

/* "orlop: TEXT\n" on stderr; TEXT is escaped. */
void print_problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same with f's text. Returns the exit code that belongs to it: CLI_TIMEOUT or CLI_ERROR. */
int print_fail(const struct fail *f);

/* "orlop: TEXT" and how the verb is used, on stderr. Returns CLI_USAGE. */
int print_usage_error(const struct fail *f, const char *verb);

/* One line as it is, and flushed. 0, or -errno (EPIPE: nobody reads any more). */
int print_line(const char *text, size_t len);

/* Whether stdout is a terminal; whether colours are welcome there (NO_COLOR, TERM=dumb); how wide it
 * is in columns, 0 = not a terminal, print everything. COLUMNS overrides the width. */
bool print_is_terminal(void);
bool print_colours(void);
size_t print_width(void);
