/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/notify_parse.h"

#include <string.h>

static bool is(const char *line, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(line, word, len);
}

/* The value if the line begins with this name, else NULL. */
static const char *value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && !memcmp(line, name, n) ? line + n : NULL;
}

static void take_status(struct notify_message *m, const char *text, size_t len)
{
	len = len < sizeof(m->status) - 1 ? len : sizeof(m->status) - 1;
	for (size_t i = 0; i < len; i++)
		m->status[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	m->status[len] = '\0';
	m->has_status = true;
}

static bool take_number(const char *text, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || n > UINT64_MAX / 10 - 10)
			return false;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = n;
	return len > 0;
}

static void take_line(struct notify_message *m, const char *line, size_t len)
{
	uint64_t n;
	const char *v;

	m->ready |= is(line, len, "READY=1");
	m->stopping |= is(line, len, "STOPPING=1");
	m->watchdog |= is(line, len, "WATCHDOG=1");
	m->trigger |= is(line, len, "WATCHDOG=trigger");
	if ((v = value(line, len, "STATUS=")))
		take_status(m, v, len - (size_t)(v - line));
	if ((v = value(line, len, "EXTEND_TIMEOUT_USEC=")) &&
	    take_number(v, len - (size_t)(v - line), &n)) {
		m->extend_usec = n;
		m->has_extend = true;
	}
	if ((v = value(line, len, "MAINPID=")) && take_number(v, len - (size_t)(v - line), &n) &&
	    n <= INT32_MAX)
		m->main_pid = (int)n;
}

void notify_parse(struct notify_message *m, const char *text, size_t len)
{
	*m = (struct notify_message){0};
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		take_line(m, text, n);
		n += end != NULL;
		text += n;
		len -= n;
	}
}
