/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/*
 * The state as words: a header, then one record for each unit: its name and its numbers, by table. What the
 * configuration says is not in it; sup_load() brings that.
 *
 * Only integers and texts of fixed size are stored, each by a row of the table; a new field is a new row,
 * and a state that has other rows is refused, so that a changed program never misreads an old one.
 */
#include "base/words.h"
#include "init/sup_core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *key;
	size_t offset, size;
	bool text;
	uint64_t below; /* numbers: must be smaller, 0 = any */
};

#define NUMBER(type, field, limit)                                                              \
	{                                                                                       \
#field, offsetof(struct type, field), sizeof(((struct type *)0)->field), false, \
			limit                                                                   \
	}
#define TEXT(type, field)                                                                        \
	{                                                                                        \
#field, offsetof(struct type, field), sizeof(((struct type *)0)->field), true, 0 \
	}

static const struct row unit_rows[] = {
	NUMBER(sup_unit, state, SUP_STATE__N),
	NUMBER(sup_unit, want, SUP_WANT__N),
	NUMBER(sup_unit, since, 0),
	NUMBER(sup_unit, has, 32),
	NUMBER(sup_unit, owes, 8),
	NUMBER(sup_unit, helper, SUP_HELPER__N),
	NUMBER(sup_unit, helper_killed, 2),
	NUMBER(sup_unit, caused, 2),
	NUMBER(sup_unit, ready, 2),
	NUMBER(sup_unit, finished, 2),
	NUMBER(sup_unit, posted, 2),
	NUMBER(sup_unit, execed, 2),
	NUMBER(sup_unit, start_deadline, 0),
	NUMBER(sup_unit, run_since, 0),
	NUMBER(sup_unit, result, SUP_RESULT__N),
	NUMBER(sup_unit, pid, 0),
	NUMBER(sup_unit, wait_status, 0),
	NUMBER(sup_unit, exited, 2),
	NUMBER(sup_unit, ever_exited, 2),
	NUMBER(sup_unit, oom, 2),
	NUMBER(sup_unit, ran, 0),
	NUMBER(sup_unit, error, 0),
	TEXT(sup_unit, step),
	TEXT(sup_unit, text),
	TEXT(sup_unit, status),
	NUMBER(sup_unit, disabled, 2),
	NUMBER(sup_unit, by_hand, 2),
	NUMBER(sup_unit, restarts, 0),
	NUMBER(sup_unit, failures, 0),
	NUMBER(sup_unit, limit.begin, 0),
	NUMBER(sup_unit, limit.count, 0),
	NUMBER(sup_unit, health, SUP_HEALTH__N),
	NUMBER(sup_unit, probe_failures, 0),
	NUMBER(sup_unit, probe_successes, 0),
	NUMBER(sup_unit, probe_startup, 2),
	NUMBER(sup_unit, probe_killed, 2),
	NUMBER(sup_unit, reload_token, 0),
	NUMBER(sup_unit, saving, 2),
	NUMBER(sup_unit, saved_disabled, 2),
	NUMBER(sup_unit, save_error, 0),
	TEXT(sup_unit, save_text),
	NUMBER(sup_unit, deadline[TIMER_STATE], 0),
	NUMBER(sup_unit, deadline[TIMER_RUNTIME], 0),
	NUMBER(sup_unit, deadline[TIMER_WATCHDOG], 0),
	NUMBER(sup_unit, deadline[TIMER_PROBE], 0),
	NUMBER(sup_unit, hash, 0),
	NUMBER(sup_unit, pinned, 0),
	NUMBER(sup_unit, outdated, 2),
};

static const struct row sup_rows[] = {
	NUMBER(sup, now, 0),           NUMBER(sup, net, 3),
	TEXT(sup, net_text),           NUMBER(sup, shutdown, SUP_SHUTDOWN__N),
	NUMBER(sup, forced, 2),        NUMBER(sup, shutdown_said, 2),
	NUMBER(sup, shutdown_tick, 0), NUMBER(sup, shutdown_kill, 0),
	NUMBER(sup, shutdown_end, 0),  NUMBER(sup, seq, 0),
};

#define N_UNIT_ROWS (sizeof(unit_rows) / sizeof(unit_rows[0]))
#define N_SUP_ROWS  (sizeof(sup_rows) / sizeof(sup_rows[0]))

/* --- out -------------------------------------------------------------------------------------- */

static uint64_t load_number(const struct row *row, const void *object)
{
	uint64_t v = 0;

	memcpy(&v, (const char *)object + row->offset,
	       row->size); /* little-endian, as all we run on */
	return v;
}

static void put_number(struct buf *b, uint64_t v)
{
	buf_fmt(b, "%" PRIu64, v);
	buf_chr(b, '\0');
}

static void put_rows(struct buf *b, const struct row *rows, size_t n, const void *object)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].text)
			words_add(b, (const char *)object + rows[i].offset);
		else
			put_number(b, load_number(&rows[i], object));
}

/* The names of the rows are the version. */
static void put_head(struct buf *b)
{
	words_add(b, "orlop-state");
	put_number(b, N_SUP_ROWS);
	put_number(b, N_UNIT_ROWS);
	for (size_t i = 0; i < N_SUP_ROWS; i++)
		words_add(b, sup_rows[i].key);
	for (size_t i = 0; i < N_UNIT_ROWS; i++)
		words_add(b, unit_rows[i].key);
}

static void put_waiters(const struct sup *sup, struct buf *b)
{
	for (int i = 0; i < SUP_WAITERS; i++) {
		const struct sup_waiter *w = &sup->waiters[i];

		if (!w->token || !sup->units[w->unit].used)
			continue;
		words_add(b, "waiter");
		words_add(b, sup->units[w->unit].name);
		put_number(b, w->token);
		put_number(b, w->goal);
	}
}

void sup_encode(const struct sup *sup, struct buf *b)
{
	put_head(b);
	put_rows(b, sup_rows, N_SUP_ROWS, sup);
	for (uint32_t i = 0; i < sup->n_names; i++) {
		const struct sup_unit *u = &sup->units[sup->by_name[i]];

		words_add(b, "unit");
		words_add(b, u->name);
		put_rows(b, unit_rows, N_UNIT_ROWS, u);
	}
	put_waiters(sup, b);
	words_add(b, "end"); /* a state that was cut off is none */
}

/* --- in --------------------------------------------------------------------------------------- */

static bool parse_number(const char *word, uint64_t *ret)
{
	char *end;

	if (!word || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*ret = strtoull(word, &end, 10);
	return !errno && !*end;
}

static int get_rows(struct words_iter *it, const struct row *rows, size_t n, void *object,
		    struct fail *f)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = words_next(it);
		char *at = (char *)object + rows[i].offset;
		uint64_t v;

		if (rows[i].text) {
			if (!word)
				return fail_set(f, EINVAL, "state: %s is missing", rows[i].key);
			text_set(at, rows[i].size, word);
			continue;
		}
		if (!parse_number(word, &v) || (rows[i].below && v >= rows[i].below) ||
		    (rows[i].size < 8 && v >> (8 * rows[i].size)))
			return fail_set(f, EINVAL, "state: %s is \"%s\"", rows[i].key,
					word ? word : "");
		memcpy(at, &v, rows[i].size);
	}
	return 0;
}

static int get_head(struct words_iter *it, struct fail *f)
{
	struct buf b = {0};
	struct words_iter own;
	const char *word;
	int r = 0;

	put_head(&b);
	words_iter_init(&own, b.data, b.len);
	while (!r && (word = words_next(&own))) {
		const char *other = words_next(it);

		if (!other || strcmp(word, other))
			r = fail_set(f, EINVAL, "state: of another version (\"%s\", not \"%s\")",
				     other ? other : "", word);
	}
	if (b.bad)
		r = fail_set(f, ENOMEM, "state");
	buf_done(&b);
	return r;
}

/* `spare` takes what is no longer known. */
static int get_unit(struct sup *sup, struct words_iter *it, struct fail *f)
{
	const char *name = words_next(it);
	uint32_t id = name ? sup_find(sup, name) : SUP_NONE;
	struct sup_unit spare = {0};
	int r;

	if (!name)
		return fail_set(f, EINVAL, "state: a unit without a name");
	r = get_rows(it, unit_rows, N_UNIT_ROWS, id == SUP_NONE ? &spare : &sup->units[id], f);
	return r < 0 ? fail_wrap(f, "unit \"%s\"", name) : 0;
}

static int get_waiter(struct sup *sup, struct words_iter *it, struct fail *f)
{
	const char *name = words_next(it);
	uint64_t token, goal;
	uint32_t id;

	if (!name || !parse_number(words_next(it), &token) ||
	    !parse_number(words_next(it), &goal) || token > UINT32_MAX || goal >= GOAL__N)
		return fail_set(f, EINVAL, "state: bad waiter");
	id = sup_find(sup, name);
	if (id != SUP_NONE)
		waiter_add(sup, (uint32_t)token, &sup->units[id], (enum sup_goal)goal);
	return 0;
}

static int get_all(struct sup *sup, struct words_iter *it, struct fail *f)
{
	const char *word;
	int r = get_head(it, f);

	if (!r)
		r = get_rows(it, sup_rows, N_SUP_ROWS, sup, f);
	while (!r && (word = words_next(it))) {
		if (!strcmp(word, "end"))
			return 0;
		if (!strcmp(word, "unit"))
			r = get_unit(sup, it, f);
		else if (!strcmp(word, "waiter"))
			r = get_waiter(sup, it, f);
		else
			r = fail_set(f, EINVAL, "state: \"%s\"?", word);
	}
	return r ? r : fail_set(f, EINVAL, "state: it is cut off");
}

/* Places in the heap, probes that run: what follows from the rest. */
static void restore(struct sup *sup)
{
	sup->heap.n = 0;
	sup_count_busy(sup);
	sup->probes = 0;
	for_each_unit (u, sup) {
		for (int t = 0; t < TIMER__N; t++)
			u->heap_at[t] = HEAP_NOWHERE;
	}
	for_each_unit (u, sup) {
		for (int t = 0; t < TIMER__N; t++)
			timer_arm(sup, u, t, u->deadline[t]);
		sup->probes += u->has & HAS_PROBE ? 1 : 0;
		u->blocker = UINT32_MAX;
		sup_queue(sup, u);
	}
}

/* All or nothing: what was there before is put back if the state cannot be read. */
int sup_decode(struct sup *sup, const char *data, size_t len, struct fail *f)
{
	struct sup_unit *units = malloc((sup->n + 1) * sizeof(*units));
	struct sup *before = malloc(sizeof(*before));
	struct words_iter it;
	int r;

	if (!units || !before) {
		r = fail_set(f, ENOMEM, "state");
	} else if (!words_valid(data, len)) {
		r = fail_set(f, EINVAL, "state: it is cut off");
	} else {
		if (sup->n)
			memcpy(units, sup->units, sup->n * sizeof(*units));
		*before = *sup;
		words_iter_init(&it, data, len);
		r = get_all(sup, &it, f);
		if (r) {
			if (sup->n)
				memcpy(sup->units, units, sup->n * sizeof(*units));
			*sup = *before;
		}
		restore(sup);
	}
	free(units);
	free(before);
	return r;
}
