/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where one unit's records go: to the store on the data disk, or, while that cannot be written (not mounted
 * yet, full, read-only), to a small ring in memory (tmpfs), from where they move to the store as soon as it
 * takes them. The ring keeps the last 64 KiB at least. What is lost on the way is counted, and said by a
 * marker in the place where it is missing. Writing never fails and never waits for anybody but the disk.
 *
 * The ring is files and not this process's memory, so that it outlives a crash of orlop-log and can be read
 * by `orlop-log read` like everything else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "logs/folder.h"

/* A write to a sink holds at most so many bytes of records. */
#define SINK_BATCH (64u << 10)

struct sink {
	char *name; /* the unit; owned */
	struct rotate_options options;
	struct rotate_budget budget;
	struct folder store, ring;
	bool in_ring;     /* records go to the ring now */
	int64_t retry_at; /* in_ring: when to try the store again; CLOCK_MONOTONIC ns, 0 = told */
	int64_t retry_delay;   /* ns */
	uint64_t dropped;      /* bytes of output not written, behind what is in the files */
	int64_t say_at;        /* dropped: when to say so, if nothing is written before; mono ns */
	uint64_t ring_dropped; /* bytes that the ring lost, in front of what it holds */
	int64_t last_time;     /* of the unit's last record */
	unsigned users;        /* sources that write here */
	bool erase;            /* with the last of them its files go */
};

struct sink *sink_new(const char *name, struct place *store, struct place *ring);
void sink_free(struct sink *s); /* NULL is allowed */

/* Writes records; `now` is the wall clock, `mono` the other one. `raw`: bytes of output they stand for. */
void sink_write(struct sink *s, const char *records, size_t len, uint64_t raw, int64_t now,
		int64_t mono);

/* Counts output that nobody will write. */
void sink_drop(struct sink *s, uint64_t raw, int64_t mono);

/* Says what was dropped, if anything was, and moves the ring to the store if it is time. */
void sink_settle(struct sink *s, int64_t now, int64_t mono);

/* The store is there (again): moves the ring there at the next chance. */
void sink_store_ready(struct sink *s);

/* When sink_settle() has something to do next (CLOCK_MONOTONIC ns); INT64_MAX = nothing. */
int64_t sink_deadline(const struct sink *s);
