/* SPDX-License-Identifier: Apache-2.0 */
/* orlop inspect: all that is known of a unit or an image, as one JSON object. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/verbs.h"

/* The first answer is the object; the second, of a unit, what its files say. */
static int take(json_t *object, void *data)
{
	json_t **whole = data;

	if (!*whole) {
		*whole = json_incref(object);
		return 0;
	}
	return json_object_set(*whole, "definition", object) < 0;
}

int cmd_inspect(int argc, char **argv)
{
	const char *words[] = {"inspect", NULL, NULL};
	json_t *whole = NULL;
	struct fail f = {0};
	struct args a;
	int code;

	if (args_parse(verb_find(argv[0]), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	words[1] = a.words[0];
	code = client_run(words, a.verb->timeout_sec, false, take, &whole);
	if (whole) {
		/* ASCII: nothing of it does anything to a terminal */
		_free_
		char *text = json_dumps(
			whole,
			JSON_ENSURE_ASCII | (args_has(&a, "json") ? JSON_COMPACT : JSON_INDENT(2)));

		if (!text || print_line(text, strlen(text)) < 0)
			code = CLI_ERROR;
		json_decref(whole);
	}
	return code;
}
