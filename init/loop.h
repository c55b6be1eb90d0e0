/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one thread, one epoll, one timerfd on CLOCK_BOOTTIME (which goes on during suspend and
 * is never stepped). There is one loop in the process, so nothing here takes a context.
 *
 * A module embeds a `struct watch` for each fd and a `struct timer` for each deadline, and gets a call when
 * it is due. Callbacks read what is there, and only tell the supervisor about it (shell.h); the actions that
 * come of it are carried out after all callbacks of a pass. Nothing called from here may block.
 *
 * Watches and timers may be removed from any callback, their own included: what the current pass still
 * holds for a removed watch is dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Nanoseconds of CLOCK_BOOTTIME, as in the supervisor's events. */
uint64_t loop_now(void);
#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

struct watch {
	int fd; /* borrowed: closing it is the owner's business, after loop_unwatch() */
	void (*ready)(struct watch *w, uint32_t events); /* EPOLL bits */
	bool active;
};

struct timer {
	uint64_t at; /* nanoseconds since boot */
	void (*due)(struct timer *t);
	struct timer *next, **link; /* NULL link = not armed */
};

int loop_init(struct fail *f);

/* Level-triggered. `events` may be 0: hang-up and error are always reported. */
int loop_watch(struct watch *w, int fd, uint32_t events, void (*ready)(struct watch *, uint32_t),
	       struct fail *f);
void loop_rewatch(struct watch *w, uint32_t events);
void loop_unwatch(struct watch *w); /* not watched: nothing happens */

/* Arms or re-arms; in the past = in the next pass. */
void loop_timer(struct timer *t, uint64_t at, void (*due)(struct timer *));
void loop_untimer(struct timer *t);

/* Runs passes for ever: wait, callbacks, then `after` (step the supervisor, carry out actions). */
void loop_run(void (*after)(void)) __attribute__((noreturn));
