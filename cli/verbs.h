/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the command `orlop`: one row each, in one table, from which dispatch, `orlop help`,
 * `orlop VERB --help`, the options a verb takes, and the suggestion after a misspelled verb come.
 *
 * To add a verb: a file cli/<verb>.c with `int cmd_<verb>(int argc, char **argv)`, its declaration below,
 * and a row in cli/verbs.c. argv[0] is the verb; what it returns is the exit code of the program. A verb
 * reads its options with args_parse() (cli/args.h) from the rows given here.
 */
#pragma once

#include <stddef.h>

/* Exit codes of `orlop`, all of them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_ERROR = 1,
	CLI_USAGE = 2,
	CLI_NOT_RUNNING = 3,
	CLI_NO_SUCH_UNIT = 4,
	CLI_REFUSED = 5,
	CLI_TIMEOUT = 124,
};

struct verb_option {
	char letter;      /* 0 = long form only */
	const char *name; /* without the dashes; NULL ends a list */
	const char *arg;  /* what its value is called, or NULL for a switch */
	const char *help;
};

#define VERB_WORDS_ANY     (-1)
#define VERB_WORDS_COMMAND (-2) /* any, and options end at the first: a command has its own */

struct verb {
	const char *name;
	const char *usage; /* what follows the verb and its options: "UNIT...", or "" */
	const char *help;  /* one line */
	int (*run)(int argc, char **argv);
	int min_words, max_words; /* words that are no options; VERB_WORDS_ANY = no upper bound */
	int timeout_sec;          /* deadline for the whole answer unless --timeout; 0 = none */
	const struct verb_option *options;
};

/* Ends with a row whose name is NULL; in the order of `orlop help`. */
extern const struct verb verbs[];

const struct verb *verb_find(const char *name); /* or NULL */

/* The verb that somebody who typed `name` may have meant, or NULL. */
const struct verb *verb_guess(const char *name);

int cmd_boot(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_halt(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_image(int argc, char **argv);
int cmd_images(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_upgrade(int argc, char **argv);
int cmd_enable(int argc, char **argv);
int cmd_disable(int argc, char **argv);
int cmd_reset_failed(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_network(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_ports(int argc, char **argv);
int cmd_poweroff(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_reboot(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_unpause(int argc, char **argv);
int cmd_version(int argc, char **argv);
