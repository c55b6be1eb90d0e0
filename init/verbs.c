/* SPDX-License-Identifier: Apache-2.0 */
#include "init/verbs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/words.h"
#include "init/upgrade.h"

struct verb_row {
	const char *name;
	size_t min, max; /* words, the verb included */
	bool changes;    /* only root */
	void (*run)(const struct request *r);
};

#define ANY VERB_WORDS_MAX

static const struct verb_row rows[] = {
	{"ps", 1, 2, false, verb_ps},
	{"status", 1, 2, false, verb_status},
	{"start", 2, ANY, true, verb_change},
	{"stop", 2, ANY, true, verb_change},
	{"restart", 2, ANY, true, verb_change},
	{"enable", 2, ANY, true, verb_change},
	{"disable", 2, ANY, true, verb_change},
	{"reset-failed", 2, ANY, true, verb_change},
	{"kill", 2, ANY, true, verb_kill},
	{"ports", 1, 1, false, verb_ports},
	{"logs", 2, 16, true, verb_logs}, /* what a unit writes may be secret */
	{"network", 2, 3, false, verb_network},
	{"images", 1, 8, false, verb_images},
	{"boot", 1, 1, false, verb_boot},
	{"events", 1, 1, false, verb_events},
	{"reload", 1, ANY, true, verb_reload},
	{"poweroff", 1, 2, true, verb_power},
	{"reboot", 1, 2, true, verb_power},
	{"inspect", 2, 2, true, verb_inspect}, /* environments may be secret */
	{"stats", 1, ANY, false, verb_stats},
	{"top", 2, 2, true, verb_top},
	{"cp", 4, 6, true, verb_cp},
	{"image", 2, 3, true, verb_image},
	{"run", 3, 12, true, verb_run_unit},
	{"rm", 2, ANY, true, verb_rm},
	{"exec", 3, ANY, true, verb_exec},
	{"pause", 2, ANY, true, verb_pause},
	{"unpause", 2, ANY, true, verb_pause},
	{"halt", 1, 2, true, verb_power},
	{"version", 1, 1, false, verb_version},
	{"upgrade-init", 2, 2, true, verb_upgrade},
};

static const struct verb_row *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

void verb_run(const struct answer *a, const char *words, size_t len)
{
	struct request r = {.answer = *a};
	const struct verb_row *row;
	struct words_iter it;
	const char *word;
	char text[96];

	words_iter_init(&it, words, len);
	while ((word = words_next(&it)) && r.argc < VERB_WORDS_MAX)
		r.argv[r.argc++] = word;
	row = find(r.argv[0]);
	if (!row) {
		snprintf(text, sizeof(text), "there is no verb \"%.40s\"", r.argv[0]);
		answer_end(a, EXIT_BAD_USAGE, text);
	} else if (word || r.argc < row->min || r.argc > row->max) {
		snprintf(text, sizeof(text), "%s: wrong number of words", row->name);
		answer_end(a, EXIT_BAD_USAGE, text);
	} else if (row->changes && !a->client->may_change) {
		snprintf(text, sizeof(text), "%s: only root may do that", row->name);
		answer_end(a, EXIT_REFUSED, text);
	} else {
		row->run(&r);
	}
}

void line_begin(struct line *l)
{
	*l = (struct line){0};
	json_init(&l->j, &l->buf);
	json_object(&l->j, NULL);
}

void line_send(struct line *l, const struct answer *a)
{
	json_end(&l->j);
	answer_line(a, &l->buf);
	buf_done(&l->buf);
}

int64_t wall_usec(uint64_t boottime)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 -
	       ((int64_t)loop_now() - (int64_t)boottime) / 1000;
}
