/* SPDX-License-Identifier: Apache-2.0 */
#include "init/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BATCH           64
#define TIMERS_PER_PASS 256

static struct {
	int epoll, timerfd;
	struct timer *timers;
	uint64_t armed; /* what the timerfd is set to; 0 = off */
	struct epoll_event batch[BATCH];
	int n_batch;
} loop = {.epoll = -1, .timerfd = -1};

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

int loop_init(struct fail *f)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll < 0)
		return fail_set(f, errno, "epoll_create1");
	loop.timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop.timerfd < 0)
		return fail_set(f, errno, "timerfd_create");
	if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, loop.timerfd, &ev) < 0)
		return fail_set(f, errno, "watch the timer");
	return 0;
}

int loop_watch(struct watch *w, int fd, uint32_t events, void (*ready)(struct watch *, uint32_t),
	       struct fail *f)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return fail_set(f, errno, "watch fd %d", fd);
	w->fd = fd;
	w->ready = ready;
	w->active = true;
	return 0;
}

void loop_rewatch(struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (w->active)
		epoll_ctl(loop.epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

void loop_unwatch(struct watch *w)
{
	if (!w->active)
		return;
	epoll_ctl(loop.epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->active = false;
	for (int i = 0; i < loop.n_batch; i++)
		if (loop.batch[i].data.ptr == w)
			loop.batch[i].data.ptr = NULL;
}

void loop_untimer(struct timer *t)
{
	if (!t->link)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
	t->next = NULL;
}

void loop_timer(struct timer *t, uint64_t at, void (*due)(struct timer *))
{
	struct timer **link = &loop.timers;

	loop_untimer(t);
	t->at = at;
	t->due = due;
	while (*link && (*link)->at <= at)
		link = &(*link)->next;
	t->next = *link;
	t->link = link;
	if (t->next)
		t->next->link = &t->next;
	*link = t;
}

/* Sets the timerfd to the first timer; a running one that is right already costs no system call. */
static void arm(void)
{
	uint64_t at = loop.timers ? loop.timers->at | 1 : 0; /* 0 would turn it off */
	struct itimerspec its = {
		.it_value = {.tv_sec = (time_t)(at / NSEC_PER_SEC),
			     .tv_nsec = (long)(at % NSEC_PER_SEC)},
	};

	if (at == loop.armed)
		return;
	if (timerfd_settime(loop.timerfd, TFD_TIMER_ABSTIME, &its, NULL) == 0)
		loop.armed = at;
}

static void run_timers(void)
{
	uint64_t now = loop_now();
	uint64_t ticks;

	if (read(loop.timerfd, &ticks, sizeof(ticks)) > 0)
		loop.armed = 0;
	/* bounded: one that arms itself in the past again and again does not keep the rest waiting */
	for (int i = 0; i < TIMERS_PER_PASS && loop.timers && loop.timers->at <= now; i++) {
		struct timer *t = loop.timers;

		loop_untimer(t);
		t->due(t);
	}
}

void loop_run(void (*after)(void))
{
	after(); /* what was begun before waits for no event */
	for (;;) {
		int n;

		arm();
		n = epoll_wait(loop.epoll, loop.batch, BATCH, -1);
		loop.n_batch = n < 0 ? 0 : n;
		for (int i = 0; i < loop.n_batch; i++) {
			struct watch *w = loop.batch[i].data.ptr;

			if (w)
				w->ready(w, loop.batch[i].events);
		}
		loop.n_batch = 0;
		run_timers();
		after();
	}
}
