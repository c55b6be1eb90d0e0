/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PID 1 says to people: lines on the console, stamped with the seconds since boot.
 *
 * A terminal that does not take bytes (flow control, a dead serial line) never holds PID 1 up: lines wait
 * in a ring of CONSOLE_RING bytes; when it is full, new lines are dropped and counted, and the next one that
 * fits is preceded by how many were lost.
 *
 * Nothing goes to the kernel log but what a crash leaves behind (crash.c): the kernel writes it to the same
 * serial line, synchronously.
 */
#pragma once

#define CONSOLE_RING 8192u
#define CONSOLE_LINE 400u /* a longer line is cut */

/* Writes to fd from now on, which is non-blocking; -1 (a machine without a console): lines go nowhere. */
void console_open(int fd);

/* One line without its newline. */
void console_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As console_say, but without the stamp: a banner, a table. */
void console_plain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Revival. */
struct vault_writer;
struct fail;
void console_save(struct vault_writer *w);
int console_restore(char *const *args, struct fail *f);

/* Watches the terminal from now on, so that what waits is written when it can be. After loop_init(). */
void console_loop(void);

/* Writes what the terminal takes at once; at most that. */
void console_flush(void);
