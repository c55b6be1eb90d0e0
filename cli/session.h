/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command in a container and the person before it: copies between this process's standard input and output
 * and the pipes or the terminal that the host hands over, until the command has ended.
 */
#pragma once

#include <stdbool.h>

/* Sends words, which ask for a command; returns its exit code. tty: it has a terminal, and ours (if 0 is one)
 * passes every key on. unit: whose main process the command is, which signals go to; NULL: whoever answers
 * passes them on. */
int session_run(const char *const *words, bool tty, const char *unit);

/* Our terminal's size as "ROWSxCOLUMNS"; "0x0" if there is none. */
void session_size(char text[24]);
