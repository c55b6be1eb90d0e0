/* SPDX-License-Identifier: Apache-2.0 */
#include "init/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/spawn.h"
#include "init/children.h"
#include "init/console.h"
#include "init/loop.h"
#include "init/vault.h"

struct log_pipe {
	struct log_pipe *next;
	int in, out;
	bool sent; /* this orlop-log has the read end */
	char service[];
};

#define RESPAWN_MIN (100 * NSEC_PER_MSEC)
#define RESPAWN_MAX (30 * NSEC_PER_SEC)
#define STOP_TIME   (2 * NSEC_PER_SEC)

/* What tells orlop-log to remove a log; no service is called so. */
#define ERASE "@erase"

static struct {
	struct log_pipe *pipes;
	struct log_pipe
		*erased; /* services whose logs it is still to be told to remove; no pipes */
	struct child child;
	struct watch socket; /* our end; fd -1 or stale when the child does not run */
	struct timer again;
	uint64_t delay, started;
	void (*stopped)(void); /* set: it is not started again */
} logs;

/* Hands over what was not yet; the rest when the socket can take it. */
static void hand_over(void)
{
	bool full = false;

	if (!logs.socket.active)
		return;
	for (struct log_pipe *p = logs.pipes; p && !full; p = p->next) {
		if (p->sent)
			continue;
		p->sent = io_send_fds(logs.socket.fd, p->service, strlen(p->service) + 1, &p->in,
				      1) >= 0;
		full = !p->sent;
	}
	while (!full && logs.erased) {
		char words[sizeof(ERASE) + NAME_MAX + 1];
		struct log_pipe *p = logs.erased;
		size_t len = sizeof(ERASE) + strlen(p->service) + 1;

		memcpy(words, ERASE, sizeof(ERASE));
		memcpy(words + sizeof(ERASE), p->service, len - sizeof(ERASE));
		full = io_send_fds(logs.socket.fd, words, len, NULL, 0) < 0;
		if (full)
			break;
		logs.erased = p->next;
		free(p);
	}
	loop_rewatch(&logs.socket, full ? EPOLLOUT : 0);
}

static void socket_ready(struct watch *w, uint32_t events)
{
	if (events & (EPOLLHUP | EPOLLERR)) {
		loop_unwatch(w);
		vault_close(w->fd);
	} else {
		hand_over();
	}
}

static void start(struct timer *t);

static void ended(struct child *c, int code, int status)
{
	uint64_t now = loop_now();

	(void)c;
	if (logs.socket.active) {
		loop_unwatch(&logs.socket);
		vault_close(logs.socket.fd);
	}
	if (logs.stopped) {
		loop_untimer(&logs.again);
		logs.stopped();
		return;
	}
	/* The longer it ran, the sooner it comes back. */
	logs.delay = now - logs.started > 10 * NSEC_PER_SEC ? RESPAWN_MIN : logs.delay * 2;
	logs.delay = logs.delay < RESPAWN_MIN   ? RESPAWN_MIN
		     : logs.delay > RESPAWN_MAX ? RESPAWN_MAX
						: logs.delay;
	console_say("logs: orlop-log ended (%s %d), started again in %llu ms",
		    code == CLD_EXITED ? "exit code" : "signal", status,
		    (unsigned long long)(logs.delay / NSEC_PER_MSEC));
	loop_timer(&logs.again, now + logs.delay, start);
}

static int start_child(struct fail *f)
{
	static const char *const argv[] = {PATH_LOG, "serve", NULL};
	struct spawn s = {
		.argv = argv, .cgroup = -1, .fds = {-1, -1, -1, -1}, .n_fds = 4, .oom_keep = true};
	_fd_
	int ours = -1;
	_fd_
	int theirs = -1;
	int pair[2], pidfd;
	pid_t pid;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fail_set(f, errno, "socketpair");
	ours = pair[0];
	theirs = pair[1];
	fcntl(ours, F_SETFL, O_NONBLOCK);
	s.fds[3] = theirs;
	pid = spawn(&s, &pidfd, f);
	if (pid < 0)
		return (int)pid;
	children_add(&logs.child, pid, pidfd, ended);
	r = loop_watch(&logs.socket, ours, 0, socket_ready, f);
	if (r < 0)
		return r; /* it sees the end of its socket, ends, and is started again */
	take_fd(&ours);
	return 0;
}

static void start(struct timer *t)
{
	struct fail f = {0};

	(void)t;
	logs.started = loop_now();
	for (struct log_pipe *p = logs.pipes; p; p = p->next)
		p->sent = false;
	if (start_child(&f) < 0) {
		console_say("logs: %s", f.text);
		if (!logs.child.pid)
			loop_timer(&logs.again, loop_now() + RESPAWN_MAX, start);
	}
	hand_over();
}

void logs_start(void)
{
	start(NULL);
}

static struct log_pipe *add_pipe(const char *service, int in, int out)
{
	size_t len = strlen(service) + 1;
	struct log_pipe *p = malloc(sizeof(*p) + len);

	if (!p)
		return NULL;
	*p = (struct log_pipe){.next = logs.pipes, .in = in, .out = out};
	memcpy(p->service, service, len);
	logs.pipes = p;
	vault_touch();
	return p;
}

int logs_pipe(const char *service, struct fail *f)
{
	struct log_pipe *p;
	int pipefd[2];

	for (p = logs.pipes; p; p = p->next)
		if (!strcmp(p->service, service))
			return p->out;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return fail_set(f, errno, "output pipe");
	p = add_pipe(service, pipefd[0], pipefd[1]);
	if (!p) {
		close(pipefd[0]);
		close(pipefd[1]);
		return fail_set(f, ENOMEM, "output pipe");
	}
	hand_over();
	return p->out;
}

void logs_forget(const char *service)
{
	for (struct log_pipe **link = &logs.pipes; *link; link = &(*link)->next) {
		struct log_pipe *p = *link;

		if (strcmp(p->service, service) != 0)
			continue;
		*link = p->next;
		vault_close(p->in);
		vault_close(p->out);
		free(p);
		return;
	}
}

void logs_erase(const char *service)
{
	size_t len = strlen(service) + 1;
	struct log_pipe *p = len > NAME_MAX ? NULL : malloc(sizeof(*p) + len);

	if (!p)
		return;
	*p = (struct log_pipe){.next = logs.erased, .in = -1, .out = -1};
	memcpy(p->service, service, len);
	logs.erased = p;
	hand_over();
}

/* Killed, and still there: its disk does not answer. */
static void stop_given_up(struct timer *t)
{
	(void)t;
	console_say("logs: orlop-log does not die, left behind");
	children_drop(&logs.child);
	logs.stopped();
}

static void stop_late(struct timer *t)
{
	children_signal(&logs.child, SIGKILL);
	loop_timer(t, loop_now() + STOP_TIME, stop_given_up);
}

void logs_stop(void (*done)(void))
{
	logs.stopped = done;
	loop_untimer(&logs.again);
	if (!logs.child.pid) {
		done();
		return;
	}
	/* End of file on the pipes it holds, then on its socket. */
	while (logs.pipes)
		logs_forget(logs.pipes->service);
	if (logs.socket.active) {
		loop_unwatch(&logs.socket);
		vault_close(logs.socket.fd);
	}
	loop_timer(&logs.again, loop_now() + STOP_TIME, stop_late);
}

void logs_save(struct vault_writer *w)
{
	for (struct log_pipe *p = logs.pipes; p; p = p->next) {
		vault_word(w, "log-pipe");
		vault_word(w, p->service);
		vault_fd(w, p->in);
		vault_fd(w, p->out);
	}
	if (!logs.started)
		return;
	vault_word(w, "log-child");
	vault_number(w, logs.child.pid);
	vault_fd(w, logs.child.pid ? logs.child.pidfd : -1);
	vault_fd(w, logs.socket.active ? logs.socket.fd : -1);
}

int logs_restore_pipe(char *const *args, struct fail *f)
{
	struct log_pipe *p = add_pipe(args[0], atoi(args[1]), atoi(args[2]));

	if (!p)
		return fail_set(f, ENOMEM, "output pipe");
	p->sent = true; /* orlop-log has it; if it has died meanwhile, its successor gets all */
	return 0;
}

int logs_restore_child(char *const *args, struct fail *f)
{
	pid_t pid = atoi(args[0]);
	int socket = atoi(args[2]);

	logs.started = loop_now();
	if (socket >= 0 && loop_watch(&logs.socket, socket, 0, socket_ready, f) < 0)
		return -f->code;
	if (pid)
		children_adopt(&logs.child, pid, atoi(args[1]), ended);
	else
		loop_timer(&logs.again, loop_now(), start);
	return 0;
}
