/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/plan.h"

#include <string.h>

/* As a unit file would have it: quoted where a blank would tear it apart. */
static void print_word(const char *word, struct buf *out)
{
	if (*word && !strpbrk(word, " \t\n\\\"")) {
		buf_str(out, word);
		return;
	}
	buf_chr(out, '"');
	for (; *word; word++) {
		if (*word == '\n')
			buf_str(out, "\\n");
		else if (*word == '\t')
			buf_str(out, "\\t");
		else if (*word == '"' || *word == '\\')
			buf_fmt(out, "\\%c", *word);
		else
			buf_chr(out, *word);
	}
	buf_chr(out, '"');
}

static void print_list(const char *label, const struct strlist *list, struct buf *out)
{
	buf_fmt(out, "  %s", label);
	for (size_t i = 0; i < list->n; i++) {
		buf_chr(out, ' ');
		print_word(list->items[i], out);
	}
	buf_chr(out, '\n');
}

static void print_step(const struct step *step, struct buf *out)
{
	const struct step_info *info = &step_infos[step->op];

	buf_str(out, info->name);
	for (size_t i = 0; i < STEP_ARGS; i++) {
		if (!step->arg[i])
			continue;
		buf_fmt(out, " %s=", info->labels[i] ? info->labels[i] : "?");
		print_word(step->arg[i], out);
	}
	buf_chr(out, '\n');
}

void plan_show(const struct plan *plan, struct buf *out)
{
	for (size_t i = 0; i < plan->n; i++)
		print_step(&plan->steps[i], out);
	print_list("argv", &plan->process.argv, out);
	for (size_t i = 0; i < plan->process.env.n; i++) {
		buf_str(out, "  env ");
		print_word(plan->process.env.items[i], out);
		buf_chr(out, '\n');
	}
	if (plan->process.stop_signal)
		buf_fmt(out, "  stop-signal %d\n", (int)plan->process.stop_signal);
}
