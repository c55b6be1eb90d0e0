/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* One heap for all deadlines, with every timer's place in it, so that arming and disarming are O(log n)
 * and allocate nothing: there is room for every timer of every unit. */
#include "init/sup_core.h"

static uint64_t at(const struct sup *sup, uint32_t item)
{
	return sup->units[item / TIMER__N].deadline[item % TIMER__N];
}

/* Equal deadlines are served in the order of units and timers: the same answer every time. */
static bool before(const struct sup *sup, uint32_t a, uint32_t b)
{
	return at(sup, a) != at(sup, b) ? at(sup, a) < at(sup, b) : a < b;
}

static void place(struct sup *sup, uint32_t i, uint32_t item)
{
	sup->heap.items[i] = item;
	sup->units[item / TIMER__N].heap_at[item % TIMER__N] = i;
}

static void sift_up(struct sup *sup, uint32_t i)
{
	uint32_t item = sup->heap.items[i];

	while (i && before(sup, item, sup->heap.items[(i - 1) / 2])) {
		place(sup, i, sup->heap.items[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(sup, i, item);
}

static void sift_down(struct sup *sup, uint32_t i)
{
	uint32_t item = sup->heap.items[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= sup->heap.n)
			break;
		if (child + 1 < sup->heap.n &&
		    before(sup, sup->heap.items[child + 1], sup->heap.items[child]))
			child++;
		if (!before(sup, sup->heap.items[child], item))
			break;
		place(sup, i, sup->heap.items[child]);
		i = child;
	}
	place(sup, i, item);
}

void timer_disarm(struct sup *sup, struct sup_unit *u, enum sup_timer timer)
{
	uint32_t i = u->heap_at[timer];

	u->deadline[timer] = SUP_NEVER;
	if (i == HEAP_NOWHERE)
		return;
	u->heap_at[timer] = HEAP_NOWHERE;
	sup->heap.n--;
	if (i == sup->heap.n)
		return;
	place(sup, i, sup->heap.items[sup->heap.n]);
	sift_up(sup, i);
	sift_down(sup, i);
}

void timer_arm(struct sup *sup, struct sup_unit *u, enum sup_timer timer, uint64_t deadline)
{
	timer_disarm(sup, u, timer);
	if (deadline == SUP_NEVER)
		return;
	u->deadline[timer] = deadline;
	place(sup, sup->heap.n, unit_id(sup, u) * TIMER__N + timer);
	sift_up(sup, sup->heap.n++);
}

uint64_t timer_next(const struct sup *sup)
{
	return sup->heap.n ? at(sup, sup->heap.items[0]) : SUP_NEVER;
}

bool timer_pop(struct sup *sup, struct sup_unit **ret_u, enum sup_timer *ret_timer)
{
	uint32_t item;

	if (timer_next(sup) > sup->now)
		return false;
	item = sup->heap.items[0];
	*ret_u = &sup->units[item / TIMER__N];
	*ret_timer = item % TIMER__N;
	timer_disarm(sup, *ret_u, *ret_timer);
	return true;
}

/* All by the same amount: the order stays. */
void timer_shift_all(struct sup *sup, uint64_t nsec)
{
	for (uint32_t i = 0; i < sup->heap.n; i++) {
		uint32_t item = sup->heap.items[i];

		sup->units[item / TIMER__N].deadline[item % TIMER__N] += nsec;
	}
}

uint64_t deadline_in(const struct sup *sup, uint64_t usec)
{
	if (usec > (UINT64_MAX - sup->now) / USEC)
		return SUP_NEVER;
	return sup->now + usec * USEC;
}
