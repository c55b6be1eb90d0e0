/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every text in tests/sim/init/scenarios must come out as it is written (see scenario.h). After a change that
 * is meant: SIM_UPDATE=1 writes them anew, and the difference is read before it is committed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "tests/sim/init/scenario.h"

#define MAX_SCENARIOS 128

static void show_difference(const char *path, const char *want, const char *got)
{
	int line = 1;

	for (; *want && *want == *got; want++, got++)
		line += *want == '\n';
	while (line > 1 && want[-1] != '\n')
		want--, got--;
	print_error("%s:%d: \"%.*s\" became \"%.*s\"\n", path, line, (int)strcspn(want, "\n"), want,
		    (int)strcspn(got, "\n"), got);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t len = 0;

	assert_non_null(file);
	if (getdelim(&text, &len, '\0', file) < 0)
		fail_msg("%s: empty", path);
	fclose(file);
	return text;
}

static void write_text(const char *path, const struct buf *b)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(b->data, 1, b->len, file), b->len);
	assert_int_equal(fclose(file), 0);
}

static void scenario(void **state)
{
	const char *path = *state, *why = "";
	char *text = read_text(path);
	struct buf out = {0};
	int line;

	if (scenario_run(text, &out, &line, &why))
		fail_msg("%s:%d: %s", path, line, why);
	if (strcmp(text, out.data)) {
		show_difference(path, text, out.data);
		if (!getenv("SIM_UPDATE"))
			fail_msg("%s came out differently", path);
		write_text(path, &out);
	}
	free(text);
	buf_done(&out);
}

int main(void)
{
	static struct CMUnitTest tests[MAX_SCENARIOS];
	glob_t found;
	int r;

	if (glob("tests/sim/init/scenarios/*.txt", 0, NULL, &found) ||
	    found.gl_pathc > MAX_SCENARIOS) {
		printf("no scenarios, or too many: run from the top of the tree\n");
		return 1;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
					       .test_func = scenario,
					       .initial_state = found.gl_pathv[i]};
	r = _cmocka_run_group_tests("scenarios", tests, found.gl_pathc, NULL, NULL);
	globfree(&found);
	return r;
}
