/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the supervisor (sup.h, pure) and the world: events are queued here by whoever saw something happen,
 * and once in a pass of the loop shell_pump() steps the supervisor and carries out what it wants (exec.c)
 * until both are quiet.
 *
 * Callbacks of the loop call shell_push() and never the supervisor itself, so no action is carried out in the
 * middle of another module's work.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "init/sup.h"
#include "units/unit.h"

int shell_init(struct fail *f);

/* The supervisor, for looking at it (verbs). */
const struct sup *shell_sup(void);

/* The units that are in force; NULL before they were read. */
const struct unit_set *shell_set(void);

/* A unit by its id in the supervisor; NULL if its files are gone. */
const struct unit *shell_unit(uint32_t id);

/* By what people type: "web", "web.container", an alias. SUP_NONE if there is none. */
uint32_t shell_find(const char *name);

/* Queues an event; `now` is filled in, texts are copied. */
void shell_push(const struct event *event);

/* Steps and acts until all is quiet. */
void shell_pump(void);

struct diag;

struct shell_load {
	bool strict; /* a mistake anywhere: -EINVAL, and nothing has changed (a reload) */
	void (*tell)(void *ctx, const struct diag *d); /* hears every mistake; NULL = nobody */
	void *ctx;
	size_t errors; /* how many mistakes, set by the load */
};

/* The unit folders are read by an errand (errand.h), and what it has written (packed.h; the fd stays the caller's) is
 * put in force here, all or nothing. Units with mistakes are in force as refused. */
int shell_load_units(struct shell_load *load, int packed, struct fail *f);

/* The same, but nothing is put in force. */
int shell_read_units(int packed, struct unit_set **ret, struct fail *f);

/* Puts one new unit in force with the rest as it is. tell hears what is wrong with that unit. -errno, and nothing has
 * changed: it has mistakes; or other units' files have changed since they were read (f names one): a reload is somebody's
 * decision. */
int shell_add_unit(const char *name, int packed, void (*tell)(void *ctx, const struct diag *d),
		   void *ctx, struct fail *f);

/* What the units in force were read from, for a revival. -1: there are none. */
int shell_packed(void);

/* Takes one unit out of force, without a look at any file. The set still has it until the next load: shell_known(). */
int shell_drop_unit(const char *name, struct fail *f);

/* Whether a unit of the set is in force. */
bool shell_known(const struct unit *u);

/* A mistake as one line: "FILE:LINE:COLUMN: error[CODE]: MESSAGE; HINT". */
void shell_diag_line(const struct diag *d, char *text, size_t size);

/* Revival. */
struct vault_writer;
void shell_save(struct vault_writer *w);
int shell_restore_dropped(char *const *args, struct fail *f);
int shell_restore_units(char *const *args, struct fail *f);
int shell_restore_core(const char *words, size_t len, struct fail *f);
