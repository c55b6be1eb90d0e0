/* SPDX-License-Identifier: Apache-2.0 */
/* orlop check, orlop show: unit files without a running host, by the same code as PID 1. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/print.h"
#include "cli/units_arg.h"
#include "cli/verbs.h"
#include "units/unit_json.h"

static void print_json(const struct unit *u)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	json_init(&j, &b);
	unit_json(&j, u);
	if (!b.bad)
		print_line(b.data, b.len);
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

/* A diagnostic of a file that is no unit: it counts where no single units were asked for, or that file. */
static bool file_chosen(const struct chosen_units *c, const struct diag *d)
{
	for (size_t i = 0; i < c->n_only; i++)
		if (strcmp(c->only[i], last_part(d->at.file)) == 0)
			return true;
	return !c->n_only;
}

static bool chosen(const struct chosen_units *c, const struct diag *d)
{
	return d->unit ? units_arg_has(c, d->unit) : file_chosen(c, d);
}

static void print_file_json(const struct diag *d)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	json_init(&j, &b);
	json_object(&j, NULL);
	json_str(&j, "unit", last_part(d->at.file));
	json_null(&j, "service");
	json_str(&j, "state", "rejected");
	json_array(&j, "source");
	json_str(&j, NULL, d->at.file);
	json_end(&j);
	json_array(&j, "diagnostics");
	diag_json(&j, NULL, d);
	json_end(&j);
	json_end(&j);
	if (!b.bad)
		print_line(b.data, b.len);
}

static void print_units(const struct chosen_units *c)
{
	for (size_t i = 0; i < c->set->n_diags; i++)
		if (!c->set->diags[i]->unit && file_chosen(c, c->set->diags[i]))
			print_file_json(c->set->diags[i]);
	for (size_t i = 0; i < c->set->n; i++)
		if (units_arg_has(c, c->set->units[i]))
			print_json(c->set->units[i]);
	for (size_t i = 0; i < c->set->n_templates; i++)
		if (units_arg_has(c, c->set->templates[i]))
			print_json(c->set->templates[i]);
}

struct tally {
	size_t errors, warnings, units;
};

static struct tally count(const struct chosen_units *c)
{
	struct tally t = {0};

	for (size_t i = 0; i < c->set->n_diags; i++) {
		if (!chosen(c, c->set->diags[i]))
			continue;
		t.errors += c->set->diags[i]->severity == DIAG_ERROR;
		t.warnings += c->set->diags[i]->severity == DIAG_WARNING;
	}
	for (size_t i = 0; i < c->set->n; i++)
		t.units += units_arg_has(c, c->set->units[i]);
	for (size_t i = 0; i < c->set->n_templates; i++)
		t.units += units_arg_has(c, c->set->templates[i]);
	return t;
}

static void print_diags(const struct chosen_units *c)
{
	_buf_ struct buf b = {0};

	for (size_t i = 0; i < c->set->n_diags; i++) {
		if (!chosen(c, c->set->diags[i]))
			continue;
		buf_reset(&b);
		diag_print(c->set->diags[i], &b);
		if (!b.bad)
			print_line(b.data, b.len);
	}
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int load_failed(const struct fail *f)
{
	print_problem("%s", f->text);
	return f->code == ENOENT ? CLI_USAGE : CLI_ERROR;
}

int cmd_check(int argc, char **argv)
{
	struct chosen_units c;
	struct fail f = {0};
	struct tally t;
	struct args a;

	if (args_parse(verb_find("check"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (units_arg_load(a.words, a.n_words, false, &c, &f) < 0)
		return load_failed(&f);
	t = count(&c);
	if (args_has(&a, "json")) {
		print_units(&c);
	} else {
		print_diags(&c);
		printf("%zu unit%s: %zu error%s, %zu warning%s\n", t.units, plural(t.units),
		       t.errors, plural(t.errors), t.warnings, plural(t.warnings));
	}
	units_arg_done(&c);
	return t.errors || (t.warnings && args_has(&a, "strict")) ? CLI_ERROR : CLI_OK;
}

int cmd_show(int argc, char **argv)
{
	struct chosen_units c;
	struct fail f = {0};
	struct tally t;
	struct args a;

	if (args_parse(verb_find("show"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	if (units_arg_load(a.words, a.n_words, true, &c, &f) < 0)
		return load_failed(&f);
	t = count(&c);
	print_units(&c);
	units_arg_done(&c);
	return t.errors || (t.warnings && args_has(&a, "strict")) ? CLI_ERROR : CLI_OK;
}
