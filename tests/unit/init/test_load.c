/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and reviving: all or nothing, whatever memory and bytes do. Linked with wrapped allocators. */
#include "tests/unit/init/drive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the k-th allocation fails ------------------------------------------------------------------ */

static int fail_at; /* 0: none; counts down */

static bool fails(void)
{
	return fail_at && --fail_at == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

static void make_units(struct drive *d)
{
	uint32_t db, web, target;

	drive_init(d);
	db = drive_unit(d, "db.container", UNIT_CONTAINER);
	web = drive_unit(d, "web.container", UNIT_CONTAINER);
	target = drive_unit(d, "default.target", UNIT_TARGET);
	drive_edge(d, web, DEP_REQUIRES, db);
	drive_edge(d, web, DEP_AFTER, db);
	drive_edge(d, target, DEP_WANTS, web);
	d->policies[db].restart = POLICY_RESTART_ALWAYS;
	drive_load(d);
	drive_event(d, EVENT_START, target, 0);
	drive_run(d, db);
	drive_exit(d, db, EXIT_STATUS(1));
}

static void expect_state(struct drive *d, const struct buf *want)
{
	struct buf now = {0};

	sup_encode(d->sup, &now);
	assert_int_equal(now.len, want->len);
	assert_memory_equal(now.data, want->data, now.len);
	buf_done(&now);
}

static void a_load_without_memory_changes_nothing(void **state)
{
	struct buf before = {0};
	struct drive d;
	int k = 1;

	(void)state;
	make_units(&d);
	sup_encode(d.sup, &before);
	d.configs[0].hash = 2;
	for (; k < 100; k++) {
		int r;

		fail_at = k;
		r = sup_load(d.sup, d.configs, 2, false, NULL);
		if (fail_at) /* fewer allocations than k: it went well */
			break;
		assert_int_equal(r, -ENOMEM);
		expect_state(&d, &before);
	}
	fail_at = 0;
	assert_in_range(k, 10, 99);
	drive_event(&d, EVENT_TIMER, SUP_NONE, 0);
	drive_wait(&d, 60000); /* the one that was removed goes, the changed one is made anew */
	assert_int_equal(sup_find(d.sup, "default.target"), SUP_NONE);
	buf_done(&before);
	drive_done(&d);
}

static void a_revival_without_memory_changes_nothing(void **state)
{
	struct buf before = {0};
	struct drive d, other;
	int k = 1;

	(void)state;
	make_units(&d);
	sup_encode(d.sup, &before);
	make_units(&other);
	drive_event(&other, EVENT_STOP, 2, 0);
	for (; k < 1000; k++) {
		int r;

		fail_at = k;
		r = sup_decode(other.sup, before.data, before.len, NULL);
		if (fail_at)
			break;
		assert_int_equal(r, -ENOMEM);
	}
	fail_at = 0;
	expect_state(&other, &before);
	buf_done(&before);
	drive_done(&other);
	drive_done(&d);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void a_state_that_is_cut_off_is_refused(void **state)
{
	struct buf whole = {0}, before = {0};
	struct fail f = {0};
	struct drive d;

	(void)state;
	make_units(&d);
	sup_encode(d.sup, &whole);
	drive_event(&d, EVENT_STOP, 1, 0);
	sup_encode(d.sup, &before);
	for (size_t len = 0; len < whole.len; len++) {
		assert_int_equal(sup_decode(d.sup, whole.data, len, &f), -EINVAL);
		assert_true(*f.text);
	}
	expect_state(&d, &before);
	assert_int_equal(sup_decode(d.sup, whole.data, whole.len, &f), 0);
	expect_state(&d, &whole);
	buf_done(&whole);
	buf_done(&before);
	drive_done(&d);
}

/* Whatever a damaged state says: refused, or a core that still steps. */
static void a_damaged_state_does_no_harm(void **state)
{
	struct buf whole = {0};
	struct drive d;
	int taken = 0;

	(void)state;
	make_units(&d);
	sup_encode(d.sup, &whole);
	for (size_t i = 0; i < whole.len; i++)
		for (int c = 0; c < 4; c++) {
			char was = whole.data[i];

			whole.data[i] = "9\0-z"[c];
			taken += !sup_decode(d.sup, whole.data, whole.len, NULL);
			whole.data[i] = was;
			for (int k = 0; k < 20 && sup_step(d.sup, NULL, d.now); k++)
				;
		}
	assert_true(taken > 0);
	buf_done(&whole);
	drive_done(&d);
}

static void a_name_may_not_come_twice(void **state)
{
	struct fail f = {0};
	struct drive d;

	(void)state;
	drive_init(&d);
	drive_unit(&d, "a.service", UNIT_SERVICE);
	drive_unit(&d, "b.service", UNIT_SERVICE);
	drive_unit(&d, "a.service", UNIT_SERVICE);
	assert_int_equal(sup_load(d.sup, d.configs, d.n, false, &f), -EEXIST);
	assert_non_null(strstr(f.text, "a.service"));
	assert_int_equal(sup_count(d.sup), 0);
	drive_done(&d);
}

/* --- many units ------------------------------------------------------------------------------- */

struct many {
	struct sup_unit_config *configs;
	struct sup_edge *edges;
	char (*names)[24];
};

/* A target that wants n services, each after the one before it and requiring it. */
static void make_many(struct many *m, uint32_t n, const struct unit_policy *policy)
{
	m->configs = calloc(n + 1, sizeof(*m->configs));
	m->edges = calloc(4 * n + 4, sizeof(*m->edges));
	m->names = calloc(n + 1, sizeof(*m->names));
	assert_true(m->configs && m->edges && m->names);
	for (uint32_t i = 0; i <= n; i++) {
		struct sup_unit_config *c = &m->configs[i];

		snprintf(m->names[i], sizeof(m->names[i]), "unit%u.service", i);
		*c = (struct sup_unit_config){.name = m->names[i],
					      .kind = i < n ? UNIT_SERVICE : UNIT_TARGET,
					      .policy = policy,
					      .edges = m->edges + 2 * i};
		if (i && i < n) {
			m->edges[2 * i] = (struct sup_edge){DEP_REQUIRES, i - 1};
			m->edges[2 * i + 1] = (struct sup_edge){DEP_AFTER, i - 1};
			c->n_edges = 2;
		}
	}
	m->configs[n].n_edges = n;
	for (uint32_t i = 0; i < n; i++)
		m->edges[2 * n + i] = (struct sup_edge){DEP_WANTS, i};
}

/* Steps to quiet; which unit is to be started or stopped now, in a chain at most one. */
static uint32_t run(struct sup *sup, struct event e)
{
	uint32_t next = SUP_NONE;
	bool more = true, first = true;

	for (; more; first = false) {
		const struct action *a;
		size_t n;

		more = sup_step(sup, first ? &e : NULL, e.now);
		a = sup_actions(sup, &n);
		for (size_t i = 0; i < n; i++)
			if (a[i].kind == ACTION_SPAWN_SERVICE || a[i].kind == ACTION_SIGNAL_MAIN)
				next = a[i].unit;
	}
	return next;
}

/* Boots and shuts down a chain of n; returns the number of starts and stops. */
static uint32_t boot_and_halt(struct sup *sup, uint32_t n)
{
	uint32_t done = 0;
	uint64_t now = 1000;
	uint32_t next = run(sup, (struct event){.kind = EVENT_START, .unit = n, .now = now});

	for (; next != SUP_NONE; done++) {
		run(sup, (struct event){.kind = EVENT_CLONED, .unit = next, .now = ++now});
		next = run(sup, (struct event){.kind = EVENT_EXECED, .unit = next, .now = now});
	}
	next = run(sup, (struct event){.kind = EVENT_SHUTDOWN, .code = SUP_HALT, .now = now});
	for (; next != SUP_NONE; done++) {
		run(sup, (struct event){.kind = EVENT_EXITED, .unit = next, .now = ++now});
		next = run(sup,
			   (struct event){.kind = EVENT_CGROUP_EMPTY, .unit = next, .now = now});
	}
	return done;
}

static double seconds_for(uint32_t n)
{
	struct unit_policy policy = {.ready = POLICY_READY_EXEC,
				     .start_timeout_usec = 90000000,
				     .stop_timeout_usec = 90000000};
	struct many m;
	struct timespec a, b;
	struct sup *sup = sup_new(NULL);

	make_many(&m, n, &policy);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	assert_int_equal(sup_load(sup, m.configs, n + 1, false, NULL), 0);
	assert_int_equal(boot_and_halt(sup, n), 2 * n);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	sup_free(sup);
	free(m.configs);
	free(m.edges);
	free(m.names);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* The work grows with the units, not with their square; the bound is generous, for slow machines. */
static void ten_thousand_units_in_a_chain(void **state)
{
	double thousand = seconds_for(1000), ten = seconds_for(10000);

	(void)state;
	print_message("load, boot, shutdown: 1,000 units %.3f s, 10,000 units %.3f s\n", thousand,
		      ten);
	assert_true(ten < 40 * thousand + 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_load_without_memory_changes_nothing),
		cmocka_unit_test(a_revival_without_memory_changes_nothing),
		cmocka_unit_test(a_state_that_is_cut_off_is_refused),
		cmocka_unit_test(a_damaged_state_does_no_harm),
		cmocka_unit_test(a_name_may_not_come_twice),
		cmocka_unit_test(ten_thousand_units_in_a_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
