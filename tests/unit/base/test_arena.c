/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

struct list {
	uint64_t *items;
	size_t n;
};

static void push(struct arena *arena, struct list *list, uint64_t value)
{
	uint64_t *slot = ARENA_PUSH(arena, list->items, list->n);

	assert_non_null(slot);
	assert_int_equal(*slot, 0);
	*slot = value;
}

static void check(const struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		assert_int_equal(list->items[i], i + 1);
}

static void an_array_alone_grows_where_it_is(void **state)
{
	struct arena *arena = arena_new();
	struct list list = {0};
	uint64_t *first;

	(void)state;
	push(arena, &list, 1);
	first = list.items;
	for (uint64_t i = 2; i <= 64; i++)
		push(arena, &list, i);
	assert_ptr_equal(list.items, first);
	check(&list);
	arena_free(arena);
}

static void arrays_side_by_side_keep_what_is_in_them(void **state)
{
	struct arena *arena = arena_new();
	struct list lists[3] = {0};

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		for (size_t k = 0; k < 3; k++)
			push(arena, &lists[k], i);
		if (i % 7 == 0) /* what comes behind is not overwritten */
			assert_string_equal(arena_strdup(arena, "text"), "text");
	}
	for (size_t k = 0; k < 3; k++)
		check(&lists[k]);
	arena_free(arena);
}

static void what_comes_out_after_a_reset_is_zero(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct list list = {0};

		for (uint64_t i = 1; i <= 1000; i++)
			push(arena, &list, i);
		check(&list);
		arena_reset(arena);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_alone_grows_where_it_is),
		cmocka_unit_test(arrays_side_by_side_keep_what_is_in_them),
		cmocka_unit_test(what_comes_out_after_a_reset_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
