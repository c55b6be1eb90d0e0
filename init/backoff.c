/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "init/restart.h"

#define NSEC_PER_USEC 1000ull

static uint64_t to_nsec(uint64_t usec)
{
	return usec > UINT64_MAX / NSEC_PER_USEC ? UINT64_MAX : usec * NSEC_PER_USEC;
}

static long double power(long double x, uint32_t n)
{
	long double result = 1;

	for (; n; n >>= 1, x *= x)
		if (n & 1)
			result *= x;
	return result;
}

/* The n-th root of ratio >= 1, by halving: pure arithmetic, and exact to the last bits. */
static long double nth_root(long double ratio, uint32_t n)
{
	long double low = 1, high = ratio;

	for (int i = 0; i < 128; i++) {
		long double middle = low + (high - low) / 2;

		if (power(middle, n) > ratio)
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* r_0 * (r_n / r_0) ^ (i / n): from the first delay to the longest one in n steps, then no longer. */
static uint64_t stepped(const struct unit_policy *p, uint32_t i)
{
	long double first = p->restart_usec, last = p->restart_max_delay_usec;

	if (i >= p->restart_steps)
		return p->restart_max_delay_usec;
	if (i == 0 || first <= 0)
		return p->restart_usec;
	return (uint64_t)(first * power(nth_root(last / first, p->restart_steps), i) + 0.5L);
}

static uint64_t doubled(const struct unit_policy *p, uint32_t i)
{
	uint64_t delay = p->restart_usec;

	while (i-- && delay < p->restart_max_delay_usec)
		delay = delay > UINT64_MAX / 2 ? UINT64_MAX : delay * 2;
	return delay < p->restart_max_delay_usec ? delay : p->restart_max_delay_usec;
}

static uint64_t written_delay(const struct unit_policy *p, uint32_t failures)
{
	bool bounded = p->restart_max_delay_usec != POLICY_INFINITY &&
		       p->restart_max_delay_usec > p->restart_usec;

	if (p->restart_doubles)
		return to_nsec(doubled(p, failures));
	/* Both keys must be written, and the longest delay be the longer one, else there is no curve. */
	return to_nsec(p->restart_steps && bounded ? stepped(p, failures) : p->restart_usec);
}

/* RestartSec=0 must not become a loop that eats a CPU: nothing else stops it where no limit is set. */
uint64_t restart_delay(const struct unit_policy *p, uint32_t failures)
{
	uint64_t delay = written_delay(p, failures);

	return delay > RESTART_DELAY_MIN ? delay : RESTART_DELAY_MIN;
}

static bool in_window(const struct unit_policy *p, const struct start_limit *limit, uint64_t now)
{
	return limit->count && now - limit->begin < to_nsec(p->start_limit_interval_usec);
}

bool start_limit_hit(const struct unit_policy *p, const struct start_limit *limit, uint64_t now)
{
	return p->start_limit_burst && p->start_limit_interval_usec && in_window(p, limit, now) &&
	       limit->count >= p->start_limit_burst;
}

void start_limit_count(const struct unit_policy *p, struct start_limit *limit, uint64_t now)
{
	if (!in_window(p, limit, now))
		*limit = (struct start_limit){.begin = now};
	if (limit->count < UINT32_MAX)
		limit->count++;
}
