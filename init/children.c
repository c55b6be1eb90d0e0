/* SPDX-License-Identifier: Apache-2.0 */
#include "init/children.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/vault.h"

#define BUCKETS   256u
#define UNCLAIMED VAULT_EXITS_MAX

static struct {
	struct child *buckets[BUCKETS];
	struct vault_exit unclaimed[UNCLAIMED]; /* a ring: the oldest is overwritten */
	unsigned n_unclaimed;                   /* ever */
	struct child *late;                     /* reaped before they were adopted */
	uint64_t orphans;
} children;

static struct child **bucket(pid_t pid)
{
	return &children.buckets[(unsigned)pid % BUCKETS];
}

static void add(struct child **list, struct child *c)
{
	c->next = *list;
	*list = c;
	vault_touch();
}

void children_add(struct child *c, pid_t pid, int pidfd, void (*ended)(struct child *, int, int))
{
	*c = (struct child){.pid = pid, .pidfd = pidfd, .ended = ended};
	add(bucket(pid), c);
}

/* A zombie can still be signalled, what was reaped cannot (pidfd_send_signal(2)). Its pid would not tell: that may
 * be another's by now. */
static bool was_reaped(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

static void note_unclaimed(struct vault_exit e)
{
	children.unclaimed[children.n_unclaimed++ % UNCLAIMED] = e;
}

/* How it ended, if that is still known: the newest of that pid. */
static struct vault_exit take_unclaimed(pid_t pid)
{
	struct vault_exit found = {pid, CLD_KILLED, SIGKILL};

	for (unsigned i = 1; i <= UNCLAIMED; i++) {
		struct vault_exit *e = &children.unclaimed[(children.n_unclaimed - i) % UNCLAIMED];

		if (e->pid != pid)
			continue;
		found = *e;
		e->pid = 0;
		break;
	}
	return found;
}

void children_adopt(struct child *c, pid_t pid, int pidfd, void (*ended)(struct child *, int, int))
{
	struct vault_exit end;

	if (!was_reaped(pidfd)) {
		children_add(c, pid, pidfd, ended);
		return;
	}
	end = take_unclaimed(pid);
	*c = (struct child){
		.pid = pid, .pidfd = pidfd, .ended = ended, .code = end.code, .status = end.status};
	add(&children.late, c);
}

static void unlink_child(struct child **list, struct child *c)
{
	for (; *list; list = &(*list)->next)
		if (*list == c) {
			*list = c->next;
			break;
		}
}

void children_drop(struct child *c)
{
	if (!c->pid)
		return;
	unlink_child(bucket(c->pid), c);
	unlink_child(&children.late, c);
	if (c->pidfd >= 0)
		vault_close(c->pidfd);
	c->pid = 0;
	c->pidfd = -1;
}

static void end(struct child *c, int code, int status)
{
	children_drop(c);
	c->ended(c, code, status);
}

int children_signal(const struct child *c, int sig)
{
	if (!c->pid || c->pidfd < 0)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

static struct child *find(pid_t pid)
{
	struct child *c = *bucket(pid);

	while (c && c->pid != pid)
		c = c->next;
	return c;
}

static void reap_one(pid_t pid, int code, int status)
{
	struct child *c = find(pid);

	if (c) {
		end(c, code, status);
		return;
	}
	children.orphans++;
	note_unclaimed((struct vault_exit){pid, code, status});
}

/* false: nothing has ended */
static bool reap_next(void (*before)(void))
{
	siginfo_t info = {0}, ignored;
	struct child *late = children.late;

	if (late) {
		end(late, late->code, late->status);
		return true;
	}
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || !info.si_pid)
		return false;
	if (find(info.si_pid))
		before(); /* what it said comes before its end, and is known to be its while it is not reaped */
	/* looked at, noted, and only then reaped: a crash in between loses nothing */
	vault_note_exit(info.si_pid, info.si_code, info.si_status);
	waitid(P_PID, (id_t)info.si_pid, &ignored, WEXITED | WNOHANG);
	reap_one(info.si_pid, info.si_code, info.si_status);
	return true;
}

/* Whoever is told of an end may adopt one that was reaped just before: it is told too, and now, as nothing may
 * wake PID 1 for it. */
void children_reap(void (*before)(void))
{
	while (reap_next(before))
		;
}

void children_restore_exits(void)
{
	const struct vault_head *head = vault_head();

	for (uint32_t i = 0; i < head->n_exits && i < VAULT_EXITS_MAX; i++)
		note_unclaimed(head->exits[i]);
}

uint64_t children_orphans(void)
{
	return children.orphans;
}
