/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json_out.h"
#include "base/wire.h"
#include "base/words.h"
#include "runtime/inroot.h"

#define PTMX_DEVICE makedev(5, 2)
#define PTS_MAJOR   136

static int send_line(struct session *s, const struct buf *line, const int *fds, size_t n)
{
	_buf_ struct buf frame = {0};
	ssize_t sent;

	frame_add(&frame, s->id, line->data, line->len);
	if (line->bad || frame.bad)
		return -ENOMEM;
	sent = io_send_fds(s->client, frame.data, frame.len, fds, n);
	return sent < 0 ? (int)sent : 0;
}

/* Tells the client which fds come along: "pipes" (in, out, error) or "terminal". */
static int offer(struct session *s, const char *what, const int *fds, size_t n, struct fail *f)
{
	_buf_ struct buf line = {0};
	struct json_out j;
	int r;

	json_init(&j, &line);
	json_object(&j, NULL);
	json_str(&j, "stdio", what);
	json_end(&j);
	r = send_line(s, &line, fds, n);
	return r < 0 ? fail_set(f, -r, "answering the client") : 0;
}

int session_open(struct session *s, struct fail *f)
{
	int in[2], out[2], error[2], ours[3], r;

	s->theirs[0] = s->theirs[1] = s->theirs[2] = -1;
	if (!s->on || s->tty)
		return 0;
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0)
		return fail_set(f, errno, "pipe"); /* the process ends, and its fds with it */
	ours[0] = in[1];
	ours[1] = out[0];
	ours[2] = error[0];
	r = offer(s, "pipes", ours, 3, f);
	for (int i = 0; i < 3; i++)
		close(ours[i]);
	s->theirs[0] = in[0];
	s->theirs[1] = out[1];
	s->theirs[2] = error[1];
	return r;
}

/* --- in the container ------------------------------------------------------------------------- */

/* Neither master nor slave is ever opened by a name that the container could have put there: the master by a
 * path without links, and then looked at; the slave by the master (CVE-2025-52565). */
static int open_terminal(struct session *s, int root, int *ret_slave, struct fail *f)
{
	struct winsize size = {(unsigned short)s->rows, (unsigned short)s->columns, 0, 0};
	struct stat st;
	int unlock = 0;
	_fd_
	int master = inroot_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS, f);

	if (master < 0)
		return master;
	if (fstat(master, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE)
		return fail_set(f, EINVAL,
				"the container's /dev/pts is not what was mounted there");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return fail_set(f, errno, "unlocking a terminal");
	*ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_slave < 0)
		return fail_set(f, errno, "opening a terminal");
	if (fstat(*ret_slave, &st) < 0 || major(st.st_rdev) != PTS_MAJOR)
		return fail_set(f, EINVAL, "the terminal is none");
	if (s->rows && s->columns)
		(void)ioctl(master, TIOCSWINSZ, &size);
	return take_fd(&master);
}

int session_enter(struct session *s, int root, struct fail *f)
{
	int slave = -1;

	if (!s->on)
		return 0;
	if (s->tty) {
		int r, master = open_terminal(s, root, &slave, f);

		if (master < 0)
			return master;
		r = offer(s, "terminal", &master, 1, f);
		close(master);
		if (r < 0)
			return r;
		s->theirs[0] = s->theirs[1] = s->theirs[2] = slave;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (fd == 0 && !s->input && !s->tty)
			continue; /* 0 is /dev/null */
		if (dup2(s->theirs[fd], fd) < 0)
			return fail_set(f, errno, "standard input and output");
	}
	return 0;
}

/* --- while it runs ---------------------------------------------------------------------------- */

/* Words of the client: false when it has gone. */
static bool take_words(struct session *s, pid_t pid)
{
	char packet[sizeof(struct frame_head) + 256];
	struct frame_head head;
	struct words_iter it;
	const char *payload, *verb, *number;
	size_t used;
	ssize_t n = recv(s->client, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if (frame_parse(packet, (size_t)n, &head, &payload, &used) != FRAME_READY || !head.len ||
	    payload[head.len - 1])
		return true; /* nothing that we know */
	words_iter_init(&it, payload, head.len);
	verb = words_next(&it);
	number = words_next(&it);
	if (verb && number && !strcmp(verb, "signal"))
		kill(pid, atoi(number));
	return true;
}

int session_wait(struct session *s, pid_t pid, int pidfd, struct fail *f)
{
	int status;

	while (s->on) {
		struct pollfd p[] = {{.fd = pidfd, .events = POLLIN},
				     {.fd = s->client, .events = POLLIN}};

		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return fail_set(f, errno, "poll");
		if (p[0].revents)
			break;
		if (p[1].revents && !take_words(s, pid)) {
			kill(pid, SIGKILL);
			break;
		}
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_set(f, errno, "wait");
	return status;
}

void session_end(struct session *s, int code, const char *error)
{
	_buf_ struct buf line = {0};

	if (!s->on)
		return;
	frame_end_line(&line, code, error);
	(void)send_line(s, &line, NULL, 0);
}
