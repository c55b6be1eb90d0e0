/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-image: see verbs[] for what it does, docs/man/orlop-image.8 for how. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/started.h"
#include "rootfs/images/doc.h"
#include "rootfs/images/verbs.h"

#define USAGE 2

static const struct verb {
	const char *name, *args, *help;
	size_t min, max; /* arguments */
	int (*run)(const struct options *, struct fail *);
} verbs[] = {
	{"import", "FILE...", "archives into the store", 1, 1000, verb_import},
	{"preload", "[DIR]", "import what is in a folder and not in the store", 0, 1, verb_preload},
	{"has", "FILE", "exit 0 if importing it would change nothing, 1 if it would", 1, 1,
	 verb_has},
	{"list", "", "the images in the store", 0, 0, verb_list},
	{"inspect", "IMAGE", "what is known of an image", 1, 1, verb_inspect},
	{"rm", "IMAGE...", "take a name, and with the last one the image, out of the store", 1,
	 1000, verb_rm},
	{"check", "", "look whether the store is whole; exit 1 if not", 0, 0, verb_check},
	{"prune", "", "remove layers of no image and what killed imports left", 0, 0, verb_prune},
};

/* Options: a flag sets a bool; a string is kept; a number is read; a list grows. */
enum option_kind { OPT_FLAG, OPT_STRING, OPT_NUMBER, OPT_FRAME, OPT_KEEP, OPT_RUNNING };

static const struct option_row {
	const char *name, *help;
	enum option_kind kind;
	size_t field;
} option_rows[] = {
	{"--json", "JSON, one line each", OPT_FLAG, offsetof(struct options, out.json)},
	{"--name", "REF: the name the image gets (import, has)", OPT_STRING,
	 offsetof(struct options, name)},
	{"--max-bytes", "N: unpacked size of an image (32 GiB)", OPT_NUMBER,
	 offsetof(struct options, limits.max_bytes)},
	{"--max-entries", "N: files in an image (2000000)", OPT_NUMBER,
	 offsetof(struct options, limits.max_entries)},
	{"--max-ratio", "N: unpacked to packed size of a layer (250)", OPT_NUMBER,
	 offsetof(struct options, limits.max_ratio)},
	{"--keep", "IMAGE: not to be removed, may be repeated (prune, rm)", OPT_KEEP, 0},
	{"--running", "UNIT: what this container is made of stays, may be repeated (prune)",
	 OPT_RUNNING, 0},
	{"--unnamed", "images without a name too, unless kept (prune)", OPT_FLAG,
	 offsetof(struct options, unnamed)},
	{"--all", "all images too that are not kept (prune)", OPT_FLAG,
	 offsetof(struct options, all)},
	{"--frame-id", "N: answer in frames on fd 3", OPT_FRAME, 0},
};

static void help(FILE *to)
{
	fputs("usage: orlop-image VERB [OPTIONS] ...\n\n", to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-8s %-9s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
	fputs("\n", to);
	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
		fprintf(to, "  %-14s %s\n", option_rows[i].name, option_rows[i].help);
}

static bool number(const char *s, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && !errno;
}

/* What orlop-run has noted when it started the unit's container. */
static int add_running(struct options *o, const char *unit, struct fail *f)
{
	_free_
	char *data = NULL;
	struct words_iter ids;
	const char *id;
	int r = started_images(unit, &ids, &data, f);

	while (r == 0 && (id = words_next(&ids)))
		r = names_add(&o->running, id, f);
	return r;
}

static int set_option(struct options *o, const struct option_row *row, const char *value,
		      struct fail *f)
{
	void *field = (char *)o + row->field;
	uint64_t n = 0;

	if (row->kind != OPT_FLAG && !value)
		return fail_set(f, 0, "%s wants a value", row->name);
	if ((row->kind == OPT_NUMBER || row->kind == OPT_FRAME) && (!number(value, &n) || n == 0))
		return fail_set(f, 0, "%s \"%s\" is not a number above 0", row->name, value);
	switch (row->kind) {
	case OPT_FLAG: *(bool *)field = true; break;
	case OPT_STRING: *(const char **)field = value; break;
	case OPT_NUMBER: *(uint64_t *)field = n; break;
	case OPT_KEEP: o->keep[o->n_keep++] = value; break;
	case OPT_RUNNING: return add_running(o, value, f);
	case OPT_FRAME:
		o->out = (struct out){.json = true, .frames = true, .id = (uint32_t)n};
		break;
	}
	return 0;
}

/* Options may stand anywhere; "--" ends them. What is no option moves to the front of argv. */
static int parse(int argc, char **argv, struct options *o, struct fail *f)
{
	bool options = true;

	o->args = (const char *const *)argv;
	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i], *equals = strchr(arg, '=');
		size_t len = equals ? (size_t)(equals - arg) : strlen(arg), k = 0;
		int r;

		if (!options || arg[0] != '-' || !arg[1]) {
			argv[o->n_args++] = argv[i];
			continue;
		}
		if (!strcmp(arg, "--")) {
			options = false;
			continue;
		}
		while (k < ARRAY_LEN(option_rows) &&
		       (strncmp(option_rows[k].name, arg, len) != 0 || option_rows[k].name[len]))
			k++;
		if (k == ARRAY_LEN(option_rows))
			return fail_set(f, 0, "unknown option \"%s\"", arg);
		if (option_rows[k].kind == OPT_FLAG)
			r = set_option(o, &option_rows[k], NULL, f);
		else
			r = set_option(o, &option_rows[k], equals ? equals + 1 : argv[++i], f);
		if (r < 0)
			return r;
	}
	return 0;
}

static int usage(const struct options *o, const struct fail *f)
{
	if (!o->out.frames && !f->code)
		help(stderr);
	return out_end(&o->out, USAGE, f);
}

int main(int argc, char **argv)
{
	struct options o = {.limits = {LIMIT_IMAGE_BYTES, LIMIT_IMAGE_ENTRIES, LIMIT_IMAGE_RATIO}};
	const struct verb *verb = NULL;
	struct fail f = {0};
	int r;

	signal(SIGPIPE, SIG_IGN);
	umask(022);
	doc_seed();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		help(stdout);
		return 0;
	}
	o.keep = calloc((size_t)argc + 1, sizeof(*o.keep));
	if (argc < 2 || !o.keep)
		return usage(&o, &f);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].name, argv[1]))
			verb = &verbs[i];
	if (parse(argc - 2, argv + 2, &o, &f) < 0)
		return usage(&o, &f);
	if (!verb)
		fail_set(&f, 0, "unknown verb \"%s\"; orlop-image help lists them", argv[1]);
	else if (o.n_args < verb->min || o.n_args > verb->max)
		fail_set(&f, 0, "usage: orlop-image %s %s", verb->name, verb->args);
	if (f.code)
		return usage(&o, &f);
	r = verb->run(&o, &f);
	return out_end(&o.out, r < 0 ? 1 : r, &f);
}
