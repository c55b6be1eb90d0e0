/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that change something and say little: start, stop, restart, kill, reload and the power verbs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/text.h"
#include "cli/verbs.h"

/* An answer about a unit: "web.container: up", or what went wrong with it on stderr. */
static int print_unit(json_t *object, void *data)
{
	const char *unit = json_string_value(json_object_get(object, "unit"));
	const char *state = json_string_value(json_object_get(object, "state"));
	const char *error = json_string_value(json_object_get(object, "error"));
	const char *text = json_string_value(json_object_get(object, "text"));
	const char *pruned = json_string_value(json_object_get(object, "pruned"));
	_buf_ struct buf line = {0};

	(void)data;
	if (error) {
		print_problem("%s%s%s", unit ? unit : "", unit ? ": " : "", error);
		return 0;
	}
	if (!state)
		state = text ? text : pruned;
	if (!state)
		return 0;
	if (unit)
		buf_fmt(&line, "%s: ", unit);
	buf_str(&line, state);
	if (line.bad)
		return 0;
	if (print_is_terminal()) {
		_buf_ struct buf safe = {0};

		text_escape(&safe, line.data, line.len, false);
		print_line(safe.data ? safe.data : "", safe.len);
	} else {
		print_line(line.data, line.len);
	}
	return 0;
}

/* verb [-s SIGNAL] WORD... as it was typed. */
static int send_verb(int argc, char **argv)
{
	_free_
	const char **words = calloc((size_t)argc + 8, sizeof(*words));
	const char *signal = NULL;
	struct fail f = {0};
	struct args a;
	size_t n = 0;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (!words)
		return CLI_ERROR;
	words[n++] = argv[0];
	signal = args_value(&a, "signal");
	if (signal) {
		words[n++] = "-s";
		words[n++] = signal;
	}
	if (args_has(&a, "dry-run"))
		words[n++] = "--dry-run";
	if (args_has(&a, "force"))
		words[n++] = "-f";
	if (args_has(&a, "volumes"))
		words[n++] = "-v";
	for (int i = 0; i < a.n_words; i++)
		words[n++] = a.words[i];
	return client_run(words, a.verb->timeout_sec, args_has(&a, "json"), print_unit, NULL);
}

int cmd_start(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_stop(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_restart(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_kill(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_reload(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_enable(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_disable(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_reset_failed(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_upgrade(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_poweroff(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_reboot(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_halt(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_pause(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_unpause(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_rm(int argc, char **argv)
{
	return send_verb(argc, argv);
}

int cmd_image(int argc, char **argv)
{
	const char *words[] = {"image", NULL, NULL, NULL};
	struct fail f = {0};
	struct args a;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	words[1] = a.words[0];
	if (args_has(&a, "all"))
		words[2] = "-a";
	return client_run(words, a.verb->timeout_sec, args_has(&a, "json"), print_unit, NULL);
}
