/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/state-machine.md and its picture are printed from the rules table; this test holds them to it.
 * After a change of the rules: DOC_UPDATE=1 build/tests/unit/init/test_state_machine_doc writes both
 * (the SVG with graphviz's dot, if that is installed).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "init/rules.h"

#define DOC "docs/state-machine.md"
#define DOT "docs/state-machine.dot"
#define SVG "docs/state-machine.svg"

static const char *const intro =
	"# The life of a unit\n"
	"\n"
	"Printed from the table in `init/rules.c` by `tests/unit/init/test_state_machine_doc`; do not edit.\n"
	"\n"
	"Every unit has two axes: what is wanted of it (down, up, restart, held) and what it is (the states\n"
	"below). Requests and dependencies change the first, these rules the second. A cue is what can happen to\n"
	"a unit: some come from the world (a process ended), others are due by themselves as soon as what is\n"
	"wanted and what the other units do allow it (`init/jobs.c`): *begin, go-up, go-down, dep-failed, gone,\n"
	"clean, cleaned, net-up, net-failed, force, refuse, accept*. In a cell the first alternative whose guard\n"
	"holds is taken: its effects run, then the state changes. Guards and effects are in `init/effects.c`.\n"
	"\n"
	"What is not listed for a state either happens there and means nothing, or cannot come because the\n"
	"facts that the core keeps about the unit (start helper, main process, helper, cgroup) hold it back.\n"
	"A unit test lists cells that nobody decided: there are none.\n"
	"\n"
	"![states](state-machine.svg)\n";

static const char *const meanings[SUP_STATE__N] = {
	[SUP_DOWN] = "Nothing of it exists; it was stopped, ended well, or was never started.",
	[SUP_FAILED] = "Nothing of it exists; its result says why.",
	[SUP_WAITING] = "To be started; waits for other units.",
	[SUP_PRE] = "Conditions and `ExecStartPre=`.",
	[SUP_STARTING] = "Its start helper works; a network: is being set up.",
	[SUP_EXECING] = "The main process exists; whether its exec worked is not known yet.",
	[SUP_READYING] = "It runs, but is not ready, or as a oneshot not finished, yet.",
	[SUP_POST] = "`ExecStartPost=`.",
	[SUP_UP] = "Up.",
	[SUP_DONE] = "A oneshot with `RemainAfterExit=` that ended well: counts as up.",
	[SUP_STOP_CMD] = "`ExecStop=`.",
	[SUP_STOPPING] = "The stop signal is sent.",
	[SUP_ENDING] =
		"The main process is gone or the cgroup was killed; waits until nothing is left.",
	[SUP_STUCK] =
		"It did not die when killed (D state). Never started again before it is gone.",
	[SUP_CLEANING] = "`ExecStopPost=`, its end of the network, its cgroup.",
	[SUP_BACKOFF] = "Waits before the next start.",
};

static void print_rule(struct buf *b, enum sup_state state, enum cue cue, int i)
{
	const struct rule *r = &rules[state][cue].alts[i];

	buf_fmt(b, "| %s | %s | ", i ? "" : cue_names[cue], r->when ? r->when->name : "");
	for (int k = 0; k < RULE_EFFECTS && r->does[k]; k++)
		buf_fmt(b, "%s%s", k ? ", " : "", r->does[k]->name);
	if (r->next == state)
		buf_str(b, " | |\n");
	else
		buf_fmt(b, " | **%s** |\n", sup_state_names[r->next]);
}

static void print_state(struct buf *b, enum sup_state state)
{
	buf_fmt(b, "\n## %s\n\n%s\n\n| cue | if | effects | then |\n|---|---|---|---|\n",
		sup_state_names[state], meanings[state]);
	for (int c = CUE_NONE + 1; c < CUE__N; c++)
		for (int i = 0; i < RULE_ALTS && rules[state][c].alts[i].verdict == RULE_GO; i++)
			print_rule(b, state, (enum cue)c, i);
}

/* All cues that lead from one state to another, as the label of one edge. `force` leads everywhere to
 * `ending` and would hide the rest. */
static void print_edge(struct buf *b, enum sup_state from, enum sup_state to)
{
	struct buf label = {0};

	for (int c = CUE_NONE + 1; c < CUE__N; c++)
		for (int i = 0; i < RULE_ALTS; i++) {
			const struct rule *r = &rules[from][c].alts[i];

			if (r->verdict != RULE_GO || r->next != to || from == to || c == CUE_FORCE)
				continue;
			buf_fmt(&label, "%s%s", label.len ? "\\n" : "", cue_names[c]);
			break;
		}
	if (label.len)
		buf_fmt(b, "\t\"%s\" -> \"%s\" [label=\"%s\"];\n", sup_state_names[from],
			sup_state_names[to], label.data);
	buf_done(&label);
}

static void print_dot(struct buf *b)
{
	buf_str(b, "digraph unit {\n\tnode [shape=box, style=rounded, fontname=sans];\n"
		   "\tedge [fontname=sans, fontsize=9];\n");
	for (int s = 0; s < SUP_STATE__N; s++)
		if (state_traits[s] & STATE_UP || state_traits[s] & STATE_OVER)
			buf_fmt(b, "\t\"%s\" [style=\"rounded,filled\", fillcolor=\"%s\"];\n",
				sup_state_names[s],
				state_traits[s] & STATE_UP ? "#d0f0d0" : "#e8e8e8");
	for (int s = 0; s < SUP_STATE__N; s++)
		for (int t = 0; t < SUP_STATE__N; t++)
			print_edge(b, (enum sup_state)s, (enum sup_state)t);
	buf_str(b, "}\n");
}

static void hold(const char *path, const struct buf *b)
{
	FILE *file = fopen(path, getenv("DOC_UPDATE") ? "w" : "r");
	char *text = NULL;
	size_t len = 0;

	assert_non_null(file);
	if (getenv("DOC_UPDATE")) {
		assert_int_equal(fwrite(b->data, 1, b->len, file), b->len);
	} else {
		assert_true(getdelim(&text, &len, '\0', file) > 0);
		if (strcmp(text, b->data))
			fail_msg("%s is not what the rules say; DOC_UPDATE=1 writes it anew", path);
	}
	fclose(file);
	free(text);
}

static void the_page_is_what_the_rules_say(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_str(&b, intro);
	for (int s = 0; s < SUP_STATE__N; s++)
		print_state(&b, (enum sup_state)s);
	hold(DOC, &b);
	buf_done(&b);
}

static void the_picture_is_what_the_rules_say(void **state)
{
	struct buf b = {0};

	(void)state;
	print_dot(&b);
	hold(DOT, &b);
	if (getenv("DOC_UPDATE") && system("dot -Tsvg -o " SVG " " DOT))
		print_message("no dot: " SVG " stays as it is\n");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_what_the_rules_say),
		cmocka_unit_test(the_picture_is_what_the_rules_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
