/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/spawn.h"
#include "netcfg/ip.h"

#define DELAY_MIN_MS 1000
#define DELAY_MAX_MS 60000
#define STEADY_MS    60000 /* ran so long: whatever was wrong before is over */
#define END_MS       8000  /* dhcpcd says good-bye to its own helpers */
#define KEPT_MAX     256   /* networks of one host, and some */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void free_args(struct kept *c)
{
	for (size_t i = 0; c->argv[i]; i++) {
		free(c->argv[i]);
		c->argv[i] = NULL;
	}
}

static struct kept *find(const struct keeper *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (!strcmp(k->items[i]->name, name))
			return k->items[i];
	return NULL;
}

static struct kept *add(struct keeper *k, const char *name)
{
	struct kept **grown = NULL, *c = NULL;

	if (k->n < KEPT_MAX)
		grown = realloc(k->items, (k->n + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	k->items = grown;
	c = calloc(1, sizeof(*c));
	if (c)
		c->name = strdup(name);
	if (!c || !c->name) {
		free(c);
		return NULL;
	}
	c->pidfd = -1;
	return k->items[k->n++] = c;
}

static void forget(struct keeper *k, size_t i)
{
	free_args(k->items[i]);
	free(k->items[i]->name);
	free(k->items[i]);
	k->items[i] = k->items[--k->n];
}

static void send(struct kept *c, int signal)
{
	if (c->running)
		(void)pidfd_send_signal(c->pidfd, signal, NULL, 0);
}

static void end(struct kept *c)
{
	if (!c->ending)
		send(c, SIGTERM);
	c->ending = true;
}

void keeper_begin(struct keeper *k)
{
	for (size_t i = 0; i < k->n; i++)
		k->items[i]->wanted = false;
}

int keeper_want(struct keeper *k, const char *name, const char *const *argv, uint64_t tag,
		uint64_t data, struct fail *f)
{
	struct kept *c = find(k, name);
	size_t n = 0;

	for (; argv[n]; n++)
		tag = ip_hash(tag, argv[n]);
	if (!c)
		c = add(k, name);
	if (!c || n > KEEPER_ARGS_MAX)
		return fail_set(f, c ? E2BIG : ENOMEM, "keeping %s", name);
	c->wanted = true;
	if (c->tag != tag) { /* also a new one's */
		free_args(c);
		for (size_t i = 0; i < n; i++) {
			c->argv[i] = strdup(argv[i]);
			if (!c->argv[i])
				return fail_set(f, ENOMEM, "keeping %s", name);
		}
		c->tag = tag;
		c->fails = 0;
		c->due = 0;
		end(c);
	} else if (c->data != data) {
		send(c, SIGHUP);
	}
	c->data = data;
	return 0;
}

void keeper_end(struct keeper *k)
{
	for (size_t i = k->n; i-- > 0;) {
		if (k->items[i]->wanted)
			continue;
		if (k->items[i]->running)
			end(k->items[i]);
		else
			forget(k, i);
	}
}

void keeper_hup(struct keeper *k, const char *name)
{
	struct kept *c = find(k, name);

	if (c)
		send(c, SIGHUP);
}

static void start(struct keeper *k, struct kept *c)
{
	struct spawn child = {.argv = (const char *const *)c->argv,
			      .cgroup = -1,
			      .hup_ignored = true,
			      .n_fds = 3,
			      .fds = {-1, STDOUT_FILENO, STDERR_FILENO}};
	struct fail why;

	c->ending = false;
	c->started = now_ms();
	c->running = spawn(&child, &c->pidfd, &why) >= 0;
	if (c->running)
		return;
	fail_wrap(&why, "%s", c->name);
	k->tell(&why);
	c->due = c->started + DELAY_MAX_MS;
}

/* It has ended: when it is to be started again. */
static void ended(struct keeper *k, struct kept *c)
{
	siginfo_t info = {0};
	struct fail why;
	int64_t now = now_ms(), delay = DELAY_MIN_MS;

	(void)waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED);
	cleanup_fd(&c->pidfd);
	c->pidfd = -1;
	c->running = false;
	if (c->ending)
		return;
	if (now - c->started > STEADY_MS)
		c->fails = 0;
	for (unsigned i = 0; i < c->fails && delay < DELAY_MAX_MS; i++)
		delay *= 2;
	if (delay > DELAY_MAX_MS)
		delay = DELAY_MAX_MS;
	c->fails++;
	c->due = now + delay;
	fail_set(&why, 0, "%s ended (%s %d), starting it again in %d s", c->name,
		 info.si_code == CLD_EXITED ? "exit code" : "signal", info.si_status,
		 (int)(delay / 1000));
	k->tell(&why);
}

/* Starts what is due; the time until the next is, at most max_ms. */
static int start_due(struct keeper *k, int max_ms)
{
	int64_t now = now_ms();

	for (size_t i = 0; i < k->n; i++) {
		struct kept *c = k->items[i];

		if (c->running || !c->wanted)
			continue;
		if (c->due <= now)
			start(k, c);
		if (!c->running && (max_ms < 0 || c->due - now < max_ms))
			max_ms = (int)(c->due - now);
	}
	return max_ms;
}

int keeper_wait(struct keeper *k, struct pollfd *more, size_t n_more, int max_ms, struct fail *f)
{
	struct pollfd fds[KEPT_MAX + 8];
	int64_t until = max_ms < 0 ? INT64_MAX : now_ms() + max_ms;

	if (n_more > 8)
		return fail_set(f, E2BIG, "fds");
	for (;;) {
		int64_t now = now_ms();
		int wait = start_due(k, until == INT64_MAX ? -1
							   : (int)(until > now ? until - now : 0));
		int r;

		for (size_t i = 0; i < k->n; i++)
			fds[i] = (struct pollfd){k->items[i]->pidfd, POLLIN,
						 0}; /* -1: passed over */
		memcpy(fds + k->n, more, n_more * sizeof(*more));
		r = poll(fds, k->n + n_more, wait);
		if (r < 0 && errno != EINTR)
			return fail_set(f, errno, "poll");
		for (size_t i = 0; r > 0 && i < k->n; i++)
			if (fds[i].revents)
				ended(k, k->items[i]);
		memcpy(more, fds + k->n, n_more * sizeof(*more));
		keeper_end(k); /* forgets those that ended and are not wanted */
		for (size_t i = 0; r > 0 && i < n_more; i++)
			if (more[i].revents)
				return 0;
		if (r >= 0 && now_ms() >= until)
			return 0;
	}
}

void keeper_done(struct keeper *k)
{
	int64_t until = now_ms() + END_MS;
	struct pollfd p = {.events = POLLIN};

	keeper_begin(k);
	keeper_end(k);
	while (k->n) {
		struct kept *c = k->items[0];
		int64_t left = until - now_ms();

		p.fd = c->pidfd;
		if (poll(&p, 1, left > 0 ? (int)left : 0) == 0)
			send(c, SIGKILL);
		ended(k, c);
		forget(k, 0);
	}
	free(k->items);
	k->items = NULL;
}
