/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping other people's servers running (dhcpcd, dnsmasq): as many as are wanted just now, each started again
 * when it ends or when its arguments or configuration change, told by SIGHUP when only its data do.
 *
 * One that ends by itself comes back after a second, then two, four, ... sixty; one that ran for a minute
 * starts at one second again. What one of them does never stops the others.
 *
 * Usage, once for every change: keeper_begin, keeper_want for each, keeper_end; then keeper_wait until the next.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

#define KEEPER_ARGS_MAX 512

struct kept {
	char *name;                      /* for messages, and who it is from one time to the next */
	char *argv[KEEPER_ARGS_MAX + 1]; /* owned */
	uint64_t tag, data;
	bool wanted, running, ending;
	int pidfd;
	unsigned fails;
	int64_t started, due; /* ms on CLOCK_MONOTONIC */
};

struct keeper {
	struct kept **items;
	size_t n;
	void (*tell)(const struct fail *f);
};

void keeper_begin(struct keeper *k);

/* tag: changes when it must be started anew, beside argv; data: when it must be told. 0 or -errno. */
int keeper_want(struct keeper *k, const char *name, const char *const *argv, uint64_t tag,
		uint64_t data, struct fail *f);

/* Ends those that are not wanted any more. */
void keeper_end(struct keeper *k);

/* SIGHUP to one that runs. */
void keeper_hup(struct keeper *k, const char *name);

/* Starts what is due, looks after those that ended, and returns when one of `more` has an event, or after
 * max_ms (-1 = never). */
int keeper_wait(struct keeper *k, struct pollfd *more, size_t n_more, int max_ms, struct fail *f);

/* Ends them all and waits for it, eight seconds at most; then they are killed. */
void keeper_done(struct keeper *k);
