/* SPDX-License-Identifier: Apache-2.0 */
#include "init/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/spawn.h"
#include "base/wire.h"
#include "init/loop.h"

/* What has just begun has the processors for itself until then; no restart follows sooner (RestartSec=). */
#define SPARE_AFTER (100 * NSEC_PER_MSEC)

struct waiting {
	pid_t pid; /* 0 = there is none */
	int pidfd, sock;
};

static struct waiting spare;
static struct timer soon;
static bool ended, namespaces; /* it is the end; the next one makes them */

static int make(struct waiting *w, bool fresh, struct fail *f)
{
	const char *const argv[] = {PATH_RUN, "start", fresh ? "-n" : NULL, NULL};
	struct spawn s = {.argv = argv, .cgroup = -1, .n_fds = RUN_IN_REPORT + 1};
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_set(f, errno, "socketpair");
	for (int i = 0; i < RUN_IN_REPORT; i++)
		s.fds[i] = -1;
	s.fds[RUN_IN_REPORT] = pair[1];
	pid = spawn(&s, &w->pidfd, f);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return (int)pid;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	w->sock = pair[0];
	w->pid = pid;
	return 0;
}

/* It reads the end of its socket and ends; it is reaped as an orphan. */
static void dismiss(struct waiting *w)
{
	if (!w->pid)
		return;
	close(w->sock);
	close(w->pidfd);
	w->pid = 0;
}

static bool lives(const struct waiting *w)
{
	struct pollfd p = {.fd = w->pidfd, .events = POLLIN};

	return w->pid && poll(&p, 1, 0) == 0;
}

static void due(struct timer *t)
{
	(void)t;
	if (!spare.pid && !ended)
		make(&spare, namespaces, NULL); /* where it cannot be made there is none */
}

pid_t spare_take(bool fresh, int *ret_pidfd, int *ret_sock, struct fail *f)
{
	struct waiting w;
	int e;

	if (!lives(&spare))
		dismiss(&spare);
	e = spare.pid ? 0 : make(&spare, false, f);
	if (e < 0)
		return e;
	w = spare;
	spare.pid = 0;
	namespaces = fresh;
	loop_timer(&soon, loop_now() + SPARE_AFTER, due);
	*ret_pidfd = w.pidfd;
	*ret_sock = w.sock;
	return w.pid;
}

void spare_end(void)
{
	ended = true;
	loop_untimer(&soon);
	dismiss(&spare);
}
