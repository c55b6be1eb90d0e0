/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/client.h"
#include "cli/print.h"
#include "cli/verbs.h"

#define EXIT_OURS 125 /* as docker and podman: the command could not be run */

/* One direction. */
struct flow {
	int from, to; /* -1: over */
	bool input;   /* our standard input: its end is passed on by closing `to` */
	bool pipe;    /* what the command writes to is its own: ours to close */
	size_t len, sent;
	char data[16384];
};

enum { FLOW_IN, FLOW_OUT, FLOW_ERR, FLOW__N };

struct session {
	struct client client;
	struct flow flows[FLOW__N];
	int signals, terminal; /* fds; terminal: the master, or -1 */
	const char *unit; /* its main process is the command; NULL: the command is one beside it */
	int code;         /* -1 = it runs */
	bool ended;       /* a signal that ends what it reaches was passed on */
};

static struct termios saved;
static bool raw;

static void restore(void)
{
	if (raw)
		tcsetattr(0, TCSAFLUSH, &saved);
	raw = false;
}

static void make_raw(void)
{
	struct termios t;

	if (tcgetattr(0, &saved) < 0)
		return; /* no terminal: a script types */
	t = saved;
	cfmakeraw(&t);
	raw = tcsetattr(0, TCSAFLUSH, &t) == 0;
	atexit(restore);
}

void session_size(char text[24])
{
	struct winsize size = {0};

	if (ioctl(0, TIOCGWINSZ, &size) < 0)
		ioctl(1, TIOCGWINSZ, &size);
	snprintf(text, 24, "%ux%u", size.ws_row, size.ws_col);
}

/* --- copying ---------------------------------------------------------------------------------- */

/* Who writes into a pipe that nobody reads any more is to see that; a terminal is still written to. */
static void flow_end(struct flow *flow)
{
	if (flow->input && flow->to >= 0)
		close(flow->to);
	if (flow->pipe && flow->from >= 0)
		close(flow->from);
	flow->from = flow->to = -1;
	flow->len = 0;
}

static void flow_read(struct flow *flow)
{
	ssize_t n = read(flow->from, flow->data, sizeof(flow->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* EIO: the last process has closed the terminal */
		flow_end(flow);
		return;
	}
	flow->len = (size_t)n;
	flow->sent = 0;
}

/* As much as a pipe takes at once if it takes anything: it is somebody else's, too, so it may be one that blocks, and
 * whoever blocks hears no signal. */
static void flow_write(struct flow *flow)
{
	size_t left = flow->len - flow->sent;
	ssize_t n = write(flow->to, flow->data + flow->sent, left < PIPE_BUF ? left : PIPE_BUF);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		flow_end(flow); /* nobody reads any more */
		return;
	}
	flow->sent += (size_t)n;
	if (flow->sent == flow->len)
		flow->len = flow->sent = 0;
}

/* What this flow waits for. */
static struct pollfd flow_poll(const struct flow *flow)
{
	if (flow->len)
		return (struct pollfd){.fd = flow->to, .events = POLLOUT};
	return (struct pollfd){.fd = flow->from, .events = POLLIN};
}

static void flow_go_on(struct flow *flow, short events)
{
	if (!events || (flow->from < 0 && !flow->len))
		return;
	if (flow->len)
		flow_write(flow);
	else
		flow_read(flow);
}

/* --- signals ---------------------------------------------------------------------------------- */

static sigset_t ending; /* those that end a process which does nothing about them */

/* A key is a byte where there is a terminal; what comes as a signal is for the command all the same. */
static int open_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	static const int others[] = {SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t set;

	sigemptyset(&ending);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaddset(&ending, ends[i]);
	set = ending;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		sigaddset(&set, others[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The command has ended: what ends a process ends this one, which may wait for a reader for ever. The terminal is
 * somebody's again by then. */
static void be_ended(void)
{
	restore();
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

/* --- the host's answers ----------------------------------------------------------------------- */

static int take_stdio(struct session *s, const char *what, struct fail *f)
{
	struct client *c = &s->client;
	bool terminal = !strcmp(what, "terminal");

	if (c->n_fds != (terminal ? 1 : 3))
		return fail_set(f, 0, "the host sent no standard input and output");
	s->flows[FLOW_IN].to = fcntl(c->fds[0], F_DUPFD_CLOEXEC, 3);
	fcntl(s->flows[FLOW_IN].to, F_SETFL,
	      O_NONBLOCK); /* a command that does not read stops nothing else */
	s->flows[FLOW_IN].from = 0;
	s->flows[FLOW_OUT].from = c->fds[terminal ? 0 : 1];
	s->flows[FLOW_OUT].to = 1;
	if (!terminal) {
		s->flows[FLOW_ERR].from = c->fds[2];
		s->flows[FLOW_ERR].to = 2;
		s->flows[FLOW_OUT].pipe = s->flows[FLOW_ERR].pipe = true;
		close(c->fds[0]);
	} else {
		s->terminal = c->fds[0];
	}
	c->n_fds = 0; /* ours now */
	return 0;
}

static int take_answer(struct session *s, struct fail *f)
{
	static const char *const notes[] = {"warning", "problem"};
	const char *text, *what, *error;
	json_t *object;
	size_t len;
	int r = client_next(&s->client, &object, &text, &len, f);

	if (r < 0)
		return r;
	what = json_string_value(json_object_get(object, "stdio"));
	if (what)
		return take_stdio(s, what, f);
	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		what = json_string_value(json_object_get(object, notes[i]));
		if (what)
			print_problem("%s", what);
	}
	if (!json_is_integer(json_object_get(object, "exit")))
		return 0;
	s->code = (int)json_integer_value(json_object_get(object, "exit"));
	be_ended();
	error = json_string_value(json_object_get(object, "error"));
	if (error)
		print_problem("%s", error);
	return 0;
}

/* --- signals that are for the command ------------------------------------------------------------- */

/* As a request of its own, whose answer nobody reads: it has another id. */
static void send_kill(struct session *s, const char *number)
{
	const char *const words[] = {"kill", "-s", number, s->unit, NULL};
	uint32_t id = s->client.id;

	s->client.id = id == 1 ? 2 : 1;
	(void)client_send(&s->client, words, NULL);
	s->client.id = id;
}

static void take_signal(struct session *s)
{
	struct signalfd_siginfo info;
	struct winsize size;
	char number[12];
	const char *const words[] = {"signal", number, NULL};

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (sigismember(&ending, (int)info.ssi_signo) == 1)
		s->ended = true;
	if (info.ssi_signo != SIGWINCH) {
		snprintf(number, sizeof(number), "%u", info.ssi_signo);
		if (s->unit)
			send_kill(s, number);
		else
			(void)client_send(&s->client, words, NULL);
	} else if (s->terminal >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0) {
		(void)ioctl(s->terminal, TIOCSWINSZ, &size);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

/* One turn; -1: nothing was to be done. timeout: of poll(). */
static int turn(struct session *s, int timeout, struct fail *f)
{
	struct pollfd p[FLOW__N + 2];
	int n;

	for (int i = 0; i < FLOW__N; i++)
		p[i] = flow_poll(&s->flows[i]);
	p[FLOW__N] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	p[FLOW__N + 1] = (struct pollfd){.fd = s->code < 0 ? s->client.fd : -1, .events = POLLIN};
	if (s->code >=
	    0) /* it has ended: what it wrote is still to come, nothing else is waited for */
		p[FLOW_IN].fd = p[FLOW__N].fd = -1;
	n = poll(p, ARRAY_LEN(p), timeout);
	if (n <= 0)
		return n < 0 && errno == EINTR ? 0 : -1;
	for (int i = 0; i < FLOW__N; i++)
		flow_go_on(&s->flows[i], p[i].revents);
	if (p[FLOW__N].revents)
		take_signal(s);
	if (p[FLOW__N + 1].revents && take_answer(s, f) < 0)
		s->code = EXIT_OURS;
	return 0;
}

/* What was read is still to be written, however long whoever reads it takes; but who has ended the command waits for no
 * reader that has stopped. Milliseconds, as poll() has them. */
static int patience(const struct session *s)
{
	if (!s->flows[FLOW_OUT].len && !s->flows[FLOW_ERR].len)
		return 0;
	return s->ended ? 2000 : -1;
}

int session_run(const char *const *words, bool tty, const char *unit)
{
	static struct session s = {.terminal = -1, .code = -1};
	struct fail f = {0};

	s.unit = unit;
	for (int i = 0; i < FLOW__N; i++)
		s.flows[i].from = s.flows[i].to = -1;
	s.flows[FLOW_IN].input = true;
	if (client_open(&s.client, words, 0, &f) < 0)
		return print_fail(&f);
	s.signals = open_signals();
	if (tty)
		make_raw();
	while (s.code < 0)
		if (turn(&s, -1, &f) < 0)
			break;
	be_ended();
	/* the command's end closes its pipes, unless it has left somebody behind who holds them */
	while (turn(&s, patience(&s), &f) == 0)
		;
	client_close(&s.client);
	if (f.code || *f.text)
		print_problem("%s", f.text);
	return s.code < 0 ? EXIT_OURS : s.code;
}
