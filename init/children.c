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

struct unclaimed {
	pid_t pid;
	int code, status;
};

static struct {
	struct child *buckets[BUCKETS];
	struct unclaimed unclaimed[UNCLAIMED]; /* a ring: the oldest is overwritten */
	unsigned next_unclaimed;
	int expected;
	bool restoring;     /* children are being added whose ends may be known already */
	struct child *late; /* ended before they were added */
	uint64_t orphans;
} children;

static struct child **bucket(pid_t pid)
{
	return &children.buckets[(unsigned)pid % BUCKETS];
}

static struct unclaimed *unclaimed_find(pid_t pid)
{
	for (unsigned i = 0; i < UNCLAIMED; i++)
		if (children.unclaimed[i].pid == pid)
			return &children.unclaimed[i];
	return NULL;
}

void children_add(struct child *c, pid_t pid, int pidfd, void (*ended)(struct child *, int, int))
{
	struct unclaimed *u = children.expected || children.restoring ? unclaimed_find(pid) : NULL;
	struct child **list = u ? &children.late : bucket(pid);

	*c = (struct child){.pid = pid, .pidfd = pidfd, .ended = ended, .next = *list};
	*list = c;
	vault_touch();
	if (u) {
		c->code = u->code;
		c->status = u->status;
		u->pid = 0;
	}
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

void children_expect(int change)
{
	children.expected += change;
	if (children.expected <= 0) {
		children.expected = 0;
		for (unsigned i = 0; i < UNCLAIMED; i++)
			children.unclaimed[i].pid = 0; /* pids come round again */
	}
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
	if (children.expected)
		children.unclaimed[children.next_unclaimed++ % UNCLAIMED] =
			(struct unclaimed){.pid = pid, .code = code, .status = status};
}

void children_reap(void (*before)(void))
{
	siginfo_t info = {0}, ignored;

	children.restoring = false;
	while (children.late)
		end(children.late, children.late->code, children.late->status);
	/* looked at, noted, and only then reaped: a crash in between loses nothing */
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		if (find(info.si_pid))
			before(); /* what it said comes before its end, and is known to be its while it is not reaped */
		vault_note_exit(info.si_pid, info.si_code, info.si_status);
		waitid(P_PID, (id_t)info.si_pid, &ignored, WEXITED | WNOHANG);
		reap_one(info.si_pid, info.si_code, info.si_status);
		info.si_pid = 0;
	}
}

void children_restore_exits(void)
{
	const struct vault_head *head = vault_head();

	for (uint32_t i = 0; i < head->n_exits && i < VAULT_EXITS_MAX; i++)
		children.unclaimed[children.next_unclaimed++ % UNCLAIMED] =
			(struct unclaimed){.pid = head->exits[i].pid,
					   .code = head->exits[i].code,
					   .status = head->exits[i].status};
	children.restoring = head->n_exits > 0;
}

uint64_t children_orphans(void)
{
	return children.orphans;
}
