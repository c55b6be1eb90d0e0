/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output of units: one pipe for each, whose both ends PID 1 keeps, so that neither a restart of the unit nor of
 * orlop-log nor of PID 1 loses a line. orlop-log is a child that is started again when it dies; it gets
 * every read end anew then (one packet for each: the service's name with its NUL, and the fd).
 *
 * Until orlop-log runs (before the data disk is there) the kernel keeps 64 KiB of each unit.
 */
#pragma once

#include <stdbool.h>

#include "base/fail.h"

/* The write end for a service's stdout and stderr, made when it is not there yet. Borrowed. */
int logs_pipe(const char *service, struct fail *f);

/* The unit is gone for good: closes its pipe; orlop-log reads what is left to its end. */
void logs_forget(const char *service);

/* Its log is removed too, once what is left has been read. After logs_forget(). */
void logs_erase(const char *service);

/* Runs orlop-log from now on. */
void logs_start(void);

/* Revival. */
struct vault_writer;
void logs_save(struct vault_writer *w);
int logs_restore_pipe(char *const *args, struct fail *f);
int logs_restore_child(char *const *args, struct fail *f);

/* Ends orlop-log: it sees the end of its socket, writes what it has and leaves; `done` is called then, or after two
 * seconds. No units may run any more. */
void logs_stop(void (*done)(void));
