/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/text.h"
#include "cli/verbs.h"

void print_problem(const char *fmt, ...)
{
	_buf_ struct buf out = {0};
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(&out, text, strlen(text), false);
	fprintf(stderr, "orlop: %s\n", out.data ? out.data : "");
}

int print_fail(const struct fail *f)
{
	print_problem("%s", f->text);
	return f->code == ETIMEDOUT ? CLI_TIMEOUT : CLI_ERROR;
}

int print_usage_error(const struct fail *f, const char *verb)
{
	print_problem("%s", f->text);
	fprintf(stderr, "Try: orlop %s --help\n", verb);
	return CLI_USAGE;
}

int print_line(const char *text, size_t len)
{
	if (fwrite(text, 1, len, stdout) != len || putchar('\n') < 0 || fflush(stdout) < 0)
		return errno ? -errno : -EIO;
	return 0;
}

bool print_is_terminal(void)
{
	return isatty(STDOUT_FILENO);
}

bool print_colours(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return print_is_terminal() && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

size_t print_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	long n = columns ? strtol(columns, NULL, 10) : 0;

	if (!print_is_terminal())
		return 0;
	if (n <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
		n = w.ws_col;
	return n > 0 ? (size_t)n : 0;
}
