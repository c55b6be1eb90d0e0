/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transient units: made by a command (`orlop run`), not by somebody who wrote a file.
 *
 * PID 1 writes the text that the command sends as a file into PATH_UNITS_RUN and reads it as it reads all files, so a
 * transient unit is a unit like any other, with the same rules and messages; it is gone with the boot. What is more:
 * a command may wait for its end (attached: its input, output and terminal are the command's), and it can be removed,
 * with everything that it left: file, disposable root, log, address. A file in PATH_TRANSIENT, on the disk, names each,
 * so that the next boot removes what a power cut left.
 *
 * Making and removing are done in steps, as the disk (errand.h), the supervisor, orlop-log and orlop-net each do their
 * part in their own time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "init/client.h"

/* How a command is attached to a unit's main process. */
struct transient_attach {
	int client; /* its connection, which stays PID 1's; -1 = it is not */
	uint32_t id;
	bool input, tty;
	char size[24]; /* of the terminal: "ROWSxCOLUMNS" */
};

struct transient_wish {
	bool remove;   /* when it has ended */
	bool detached; /* the answer comes when it is up, not when it has ended */
	struct transient_attach attach;
};

/* Makes unit NAME.container from text and starts it. The answer `a` comes later, also to what is wrong with it. tell: see
 * shell_add_unit(), ctx is an answer. -errno: there is no such unit, and nothing is left. */
struct diag;
int transient_run(const struct answer *a, const char *name, const char *text,
		  const struct transient_wish *wish, void (*tell)(void *, const struct diag *),
		  struct fail *f);

/* Whether a unit was made so. */
bool transient_is(const char *unit);

/* Removes a transient unit, now if it is down, else when it is: the caller stops it. token: of the part of an answer that
 * waits for that. volumes: with the named volumes that no other unit uses. -errno: it is being removed. */
int transient_remove(const char *unit, uint32_t token, bool volumes, struct fail *f);

/* The attachment for the start of a unit's main process that is being made: for one start only. */
struct transient_attach transient_attached(const char *unit);

/* What others tell it: the unit is down or has failed; is forgotten; orlop-net has brought the network to what was
 * asked; the client who waits for this answer has gone. */
void transient_down(const char *unit);
void transient_forgotten(const char *unit);
void transient_network(void);
void transient_left(uint32_t token);

/* Revival. */
struct vault_writer;
#define TRANSIENT_WORDS 7
void transient_save(struct vault_writer *w);
int transient_restore(char *const *args, struct fail *f);
int transient_restore_made(char *const *args, struct fail *f);
void transient_resume(void);
