/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of orlop-run: each gets what follows the verb on the command line, and returns the exit code. */
#pragma once

/* start: waits for its job, with the fds of base/wire.h (enum run_fd); 0 when the container was handed over, and when
 * no job came. */
int verb_start(int argc, char **argv);

/* exec UNIT COMMAND..., with fds 0 to 2 for the command and those of base/wire.h (enum run_exec_fd): exit code
 * of the command, 128 + signal, 127 not found, 126 not executable, 125 anything else. */
int verb_exec(int argc, char **argv);

/* plan UNIT|FILE: prints the plan of a unit, of a .container file or of an encoded spec. */
int verb_plan(int argc, char **argv);

/* clean [UNIT]: removes disposable directories that starts have left. */
int verb_clean(int argc, char **argv);

/* top -F FRAME -U UNIT, with the fds of base/wire.h (enum run_exec_fd): tells the client what runs in a container. */
int verb_top(int argc, char **argv);

/* cp -F FRAME -U UNIT read PATH, or write NAME MODE PATH: see copy.h. */
int verb_cp(int argc, char **argv);
