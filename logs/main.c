/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-log: `serve` copies the output of all units to files, `read` gives it back. See logs/serve.h and
 * logs/read.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/store.h"
#include "logs/place.h"
#include "logs/read.h"
#include "logs/serve.h"

static const char usage[] =
	"usage: orlop-log serve [--early] [--total BYTES]\n"
	"       orlop-log read [--frame-id N] [-n N] [-f] [--since TIME] UNIT\n";

static int usage_error(const char *text, const char *word)
{
	fprintf(stderr, "orlop-log: %s%s%s\n%s", text, word ? " " : "", word ? word : "", usage);
	return 2;
}

static bool parse_count(const char *text, int64_t *ret)
{
	char *end;
	long long n;

	errno = 0;
	n = text ? strtoll(text, &end, 10) : -1;
	if (n < 0 || errno || end == text || *end)
		return false;
	*ret = n;
	return true;
}

static int main_serve(int argc, char **argv)
{
	struct serve_options o = {.total = PLACE_TOTAL};
	struct fail f = {0};
	int64_t total;

	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "--early"))
			o.early = true;
		else if (!strcmp(argv[i], "--total") && parse_count(argv[i + 1], &total) && ++i)
			o.total = (uint64_t)total;
		else
			return usage_error("serve does not know", argv[i]);
	if (serve(&o, &f) == 0)
		return 0;
	fprintf(stderr, "orlop-log: %s\n", f.text);
	return 1;
}

struct read_words {
	const char *frame_id, *lines, *since;
	bool follow;
	const char *unit;
};

static int parse_read(int argc, char **argv, struct read_words *w)
{
	const struct {
		const char *name;
		const char **value;
	} valued[] = {{"--frame-id", &w->frame_id}, {"-n", &w->lines}, {"--since", &w->since}};

	for (int i = 2; i < argc; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(valued) && !found; k++)
			if (!strcmp(argv[i], valued[k].name) && i + 1 < argc) {
				*valued[k].value = argv[++i];
				found = true;
			}
		if (found)
			continue;
		if (!strcmp(argv[i], "-f"))
			w->follow = true;
		else if (argv[i][0] != '-' && !w->unit)
			w->unit = argv[i];
		else
			return usage_error("read does not know", argv[i]);
	}
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* What is wrong with the words, for the one who asked; NULL: nothing, *o is filled. */
static const char *read_options(const struct read_words *w, struct read_options *o)
{
	*o = (struct read_options){.unit = w->unit, .lines = -1, .follow = w->follow};
	if (!w->unit || !store_name_valid(w->unit))
		return "logs: that is no unit name";
	if (w->lines && !parse_count(w->lines, &o->lines))
		return "logs: -n wants a number of lines";
	if (w->since && !line_parse_since(w->since, now_ns(), &o->since))
		return "logs: --since wants a time: 10m, 2h, 3d, 2026-01-31T12:00:00Z or @SECONDS";
	return NULL;
}

static int main_read(int argc, char **argv)
{
	struct read_words w = {0};
	struct read_options o;
	struct fail f = {0};
	const char *error;
	struct out out;
	int r = parse_read(argc, argv, &w);

	if (r)
		return r;
	if (out_init(&out, w.frame_id, &f) < 0)
		return usage_error(f.text, NULL);
	error = read_options(&w, &o);
	if (error) {
		out_exit(&out, 2, error);
		return 2;
	}
	r = log_read(&o, &out, &f);
	if (r != -EPIPE)
		out_exit(&out, r < 0, r < 0 ? f.text : NULL);
	out_done(&out);
	return r < 0 && r != -EPIPE;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "serve"))
		return main_serve(argc, argv);
	if (argc > 1 && !strcmp(argv[1], "read"))
		return main_read(argc, argv);
	return usage_error("serve or read?", NULL);
}
