/* SPDX-License-Identifier: Apache-2.0 */
#include "init/boot_store.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "base/words.h"
#include "init/aide.h"
#include "init/boot.h"
#include "init/boot_network.h"
#include "init/console.h"
#include "init/errand.h"
#include "init/intent.h"
#include "init/packed.h"
#include "init/task.h"
#include "init/text.h"
#include "units/load.h"

static void (*store_over)(int packed, const char *why);
static char why_not[256];

static void is_disabled(const char *word)
{
	intent_found(word, false);
}

static void clock_was(const char *word)
{
	boot_clock_floor(strtoll(word, NULL, 10), "the last shutdown");
}

static void take_list(const struct packed *packed)
{
	static const struct {
		const char *key;
		void (*take)(const char *word);
	} rows[] = {{"disabled", is_disabled}, {"gone", boot_network_forget}, {"clock", clock_was}};
	struct words_iter it;
	const char *key, *word;

	words_iter_init(&it, packed->list, packed->list_len);
	while ((key = words_next(&it)) && (word = words_next(&it)))
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (!strcmp(rows[i].key, key))
				rows[i].take(word);
}

static void rest_read(void *ctx, const struct errand_end *end)
{
	(void)ctx;
	if (end->error)
		console_say("store: %s", end->error);
	store_over(end->fd, why_not);
}

/* Those below /var hang with it. */
static void read_the_rest(void)
{
	static const char *const words[] = {"units", NULL};
	const char *folders[8] = {NULL};
	size_t n = 0;

	for (const char *const *dir = units_dirs; *dir && n + 1 < ARRAY_LEN(folders); dir++)
		if (strncmp(*dir, "/var/", 5) != 0)
			folders[n++] = *dir;
	errand_send(&(struct errand){
		.words = words, .more = folders, .over = rest_read, .elsewhere = true});
}

static void store_read(void *ctx, const struct errand_end *end)
{
	struct packed packed;

	(void)ctx;
	if (end->error) {
		text_cut(why_not, sizeof(why_not), end->error);
		read_the_rest();
		return;
	}
	if (packed_open(&packed, end->fd, NULL) == 0)
		take_list(&packed);
	packed_close(&packed);
	aide_remove_leftovers();
	store_over(end->fd, NULL);
}

void boot_store(void (*over)(int packed, const char *why))
{
	static const char *const words[] = {"boot", NULL};

	store_over = over;
	errand_send(&(struct errand){.words = words, .more = units_dirs, .over = store_read});
}

/* --- preloaded archives ----------------------------------------------------------------------- */

static struct task preload;
static void (*preload_over)(bool ok);

static void preloaded(struct task *t, enum task_end end)
{
	(void)t;
	preload_over(end == TASK_OK);
}

static bool has_archives(void)
{
	_dir_ DIR *dir = opendir(PATH_PRELOAD);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			return true;
	return false;
}

void boot_preload(uint64_t timeout, void (*over)(bool ok))
{
	static const char *const argv[] = {PATH_IMAGE, "preload", NULL};
	struct fail f = {0};

	preload_over = over;
	if (!has_archives()) {
		over(true);
	} else if (task_start(&preload, "orlop-image", argv, NULL, 0, timeout, preloaded, &f) < 0) {
		console_say("images: %s", f.text);
		over(false);
	}
}
