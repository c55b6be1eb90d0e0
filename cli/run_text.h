/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `orlop run` was asked for, as the text of a .container file. PID 1 reads it as it reads any other, so that
 * every rule and every message about unit files holds for it, and nothing can be said here that a file could not.
 *
 * Values are data: what is special in unit files (specifiers, variables, quotes, escapes) is written so that
 * the reader gives back what was typed; what cannot be written that way is refused. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/fail.h"
#include "cli/args.h"

/* Appends the text. name: of the container. lookup: the value of a variable that -e names alone, or NULL if there is
 * none; it is left out then. -EINVAL with a text for the user. */
int run_text(const struct args *a, const char *name, const char *(*lookup)(const char *),
	     struct buf *text, struct fail *f);
