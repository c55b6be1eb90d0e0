/* SPDX-License-Identifier: Apache-2.0 */
#include "init/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "init/loop.h"
#include "init/vault.h"

static struct {
	int fd;
	bool looped;
	struct watch watch;
	char ring[CONSOLE_RING];
	size_t from, used;
	unsigned dropped;
} console = {.fd = -1};

void console_open(int fd)
{
	console.fd = fd;
	console_flush();
}

/* Watched only while something waits: a terminal is writable nearly always. */
static void watch_if_needed(void);

void console_flush(void)
{
	while (console.used && console.fd >= 0) {
		size_t run = CONSOLE_RING - console.from;
		ssize_t n = write(console.fd, console.ring + console.from,
				  run < console.used ? run : console.used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) { /* gone (EIO after a hang-up): what waits would wait for ever */
			console.used = 0;
			break;
		}
		console.from = (console.from + (size_t)n) % CONSOLE_RING;
		console.used -= (size_t)n;
	}
	watch_if_needed();
}

static void writable(struct watch *w, uint32_t events)
{
	(void)w;
	if (events & (EPOLLERR | EPOLLHUP)) {
		console.used = 0;
		loop_unwatch(&console.watch);
		return;
	}
	console_flush();
}

static void watch_if_needed(void)
{
	bool want = console.looped && console.used && console.fd >= 0;

	if (want && !console.watch.active)
		loop_watch(&console.watch, console.fd, EPOLLOUT, writable, NULL);
	else if (!want)
		loop_unwatch(&console.watch);
}

void console_loop(void)
{
	console.looped = true;
	watch_if_needed();
}

static bool ring_put(const char *line, size_t len)
{
	if (len > CONSOLE_RING - console.used)
		return false;
	for (size_t i = 0; i < len; i++)
		console.ring[(console.from + console.used + i) % CONSOLE_RING] = line[i];
	console.used += len;
	return true;
}

static void put_line(const char *line, size_t len)
{
	char marker[64];
	int n;

	if (console.dropped) {
		n = snprintf(marker, sizeof(marker), "(%u lines dropped)\n", console.dropped);
		if (!ring_put(marker, (size_t)n)) {
			console.dropped++;
			return;
		}
		console.dropped = 0;
	}
	if (!ring_put(line, len))
		console.dropped++;
	console_flush();
}

static void __attribute__((format(printf, 2, 0))) say(bool stamp, const char *fmt, va_list ap)
{
	char line[CONSOLE_LINE + 1];
	uint64_t now = loop_now();
	int n = 0, m;

	if (stamp)
		n = snprintf(line, CONSOLE_LINE, "[%3llu.%02llu] ",
			     (unsigned long long)(now / NSEC_PER_SEC),
			     (unsigned long long)(now % NSEC_PER_SEC / (10 * NSEC_PER_MSEC)));
	m = vsnprintf(line + n, CONSOLE_LINE - (size_t)n, fmt, ap);
	n = n + m < (int)CONSOLE_LINE ? n + m : (int)CONSOLE_LINE - 1;
	for (int i = 0; i < n; i++) /* a unit's text does not steer the terminal */
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	put_line(line, (size_t)n);
}

void console_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(true, fmt, ap);
	va_end(ap);
}

void console_plain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(false, fmt, ap);
	va_end(ap);
}

void console_save(struct vault_writer *w)
{
	vault_word(w, "console");
	vault_fd(w, console.fd);
}

int console_restore(char *const *args, struct fail *f)
{
	(void)f;
	console_open(atoi(args[0]));
	return 0;
}
