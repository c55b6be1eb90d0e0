/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driving the core by hand: a few units, events one by one, and what came out as one line of text.
 * The clock starts at 1000 s and moves only by drive_wait().
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "init/sup.h"

#define DRIVE_MAX 16

struct drive {
	struct sup *sup;
	struct sup_unit_config configs[DRIVE_MAX];
	struct unit_policy policies[DRIVE_MAX];
	struct sup_edge edges[DRIVE_MAX][DRIVE_MAX];
	size_t n;
	uint64_t now;
	struct buf trace; /* since the last drive_trace() */
};

void drive_init(struct drive *d);
void drive_done(struct drive *d);

/* A unit; its policy may be changed until drive_load(). Returns its id. Restart=no, ready at exec. */
uint32_t drive_unit(struct drive *d, const char *name, enum unit_kind kind);
void drive_edge(struct drive *d, uint32_t from, enum dep_kind kind, uint32_t to);
void drive_load(struct drive *d);

void drive_event(struct drive *d, enum event_kind kind, uint32_t unit, int code);
void drive_send(struct drive *d, const struct event *e);
void drive_wait(struct drive *d, uint64_t msec); /* the clock, with every deadline on the way */
/* Spawned: clone and exec it. */
void drive_run(struct drive *d, uint32_t unit);
/* Its main process ends, its cgroup is empty. */
void drive_exit(struct drive *d, uint32_t unit, int wait_status);

enum sup_state drive_state(struct drive *d, uint32_t unit);

/* The actions since the last time, but for states and logs: "spawn-container web; cg-kill web". */
void drive_expect(struct drive *d, const char *text);
#define assert_state(d, unit, state) \
	assert_string_equal(sup_state_names[drive_state(d, unit)], state)

#define EXIT_STATUS(code)   ((code) << 8)
#define SIGNAL_STATUS(code) (code)
