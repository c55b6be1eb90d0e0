/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail_set_at(struct fail *f, int code, const char *file, int line, const char *fmt, ...)
{
	va_list ap;
	size_t used;
	int n;

	if (!f)
		return code ? -code : -EINVAL;
	va_start(ap, fmt);
	n = vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	used = n < 0 ? 0 : (size_t)n;
	if (code && used < sizeof(f->text))
		snprintf(f->text + used, sizeof(f->text) - used, ": %s", strerror(code));
	f->code = code ? code : EINVAL;
	f->file = file;
	f->line = line;
	return -f->code;
}

int fail_wrap(struct fail *f, const char *fmt, ...)
{
	char inner[FAIL_TEXT_MAX];
	va_list ap;
	size_t used;
	int n;

	if (!f)
		return -EINVAL;
	memcpy(inner, f->text, sizeof(inner));
	va_start(ap, fmt);
	n = vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	used = n < 0 ? 0 : (size_t)n;
	if (used < sizeof(f->text))
		snprintf(f->text + used, sizeof(f->text) - used, ": %s", inner);
	return -f->code;
}
