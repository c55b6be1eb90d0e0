/* SPDX-License-Identifier: Apache-2.0 */
#include "init/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/loop.h"
#include "init/notify_parse.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/slice.h"
#include "init/vault.h"

#define MESSAGE_MAX 4096
/* Messages taken in one pass, so that a unit that floods the socket does not keep everybody else waiting. */
#define BURST       64

static struct watch watch;

/* The unit in whose cgroup the process is; SUP_NONE. */
static uint32_t unit_of(pid_t pid)
{
	static const char prefix[] = "0::/" CGROUP_UNITS "/";
	_free_
	char *text = NULL;
	char path[64], *line, *end;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (io_read_file(AT_FDCWD, path, 1 << 16, &text, &len, NULL) < 0)
		return SUP_NONE;
	line = strstr(text, prefix);
	if (!line || (line != text && line[-1] != '\n'))
		return SUP_NONE;
	line += strlen(prefix);
	for (;; line = end + 1) {
		bool more;

		end = line + strcspn(line, "/\n");
		more = *end == '/';
		*end = '\0';
		if (!more || !slice_is_one(line))
			return run_by_service(line);
	}
}

static void tell(uint32_t unit, const struct notify_message *m)
{
	const struct {
		bool said;
		enum event_kind kind;
	} rows[] = {
		{m->has_extend, EVENT_NOTIFY_EXTEND},
		{m->has_status, EVENT_NOTIFY_STATUS},
		{m->watchdog, EVENT_NOTIFY_WATCHDOG},
		{m->trigger, EVENT_NOTIFY_TRIGGER},
		{m->ready, EVENT_READY},
		{m->stopping, EVENT_NOTIFY_STOPPING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].said)
			shell_push(&(struct event){
				.kind = rows[i].kind,
				.unit = unit,
				.text = m->status,
				.nsec = m->extend_usec < UINT64_MAX / 1000 ? m->extend_usec * 1000
									   : UINT64_MAX,
			});
}

/* MAINPID=: another process of the same unit. Its pidfd is taken first, so that it is the same one afterwards. */
static void take_main(uint32_t unit, pid_t pid)
{
	int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (pidfd >= 0 && unit_of(pid) == unit &&
	    syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0)
		run_main_is(unit, pid, pidfd);
	else if (pidfd >= 0)
		close(pidfd);
}

/* Fds that come along (FDSTORE=1) are not kept. */
static pid_t sender(struct msghdr *msg)
{
	pid_t pid = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct ucred cred;
		int fd;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(cred))) {
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			pid = cred.pid;
		}
		for (size_t at = 0;
		     c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(fd)) <= c->cmsg_len;
		     at += sizeof(fd)) {
			memcpy(&fd, CMSG_DATA(c) + at, sizeof(fd));
			close(fd);
		}
	}
	return pid;
}

static bool take_one(int socket)
{
	char text[MESSAGE_MAX];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 253)];
	} control;
	struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct notify_message m;
	uint32_t unit;
	pid_t pid;

	if (n < 0)
		return errno == EINTR;
	pid = sender(&msg);
	unit = pid > 0 && !(msg.msg_flags & MSG_TRUNC) ? unit_of(pid) : SUP_NONE;
	if (unit != SUP_NONE) {
		notify_parse(&m, text, (size_t)n);
		take_main(unit, m.main_pid);
		tell(unit, &m);
	}
	return true;
}

void notify_read(void)
{
	for (int i = 0; i < BURST && watch.active && take_one(watch.fd); i++)
		;
}

static void ready(struct watch *w, uint32_t events)
{
	(void)w;
	(void)events;
	notify_read();
}

int notify_open(struct fail *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PATH_NOTIFY};
	const int on = 1;
	_fd_
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return fail_set(f, errno, "notify socket");
	unlink(PATH_NOTIFY);
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(PATH_NOTIFY, 0666) < 0)
		return fail_set(f, errno, "\"" PATH_NOTIFY "\"");
	r = loop_watch(&watch, fd, EPOLLIN, ready, f);
	if (r < 0)
		return r;
	take_fd(&fd);
	return 0;
}

void notify_save(struct vault_writer *w)
{
	if (!watch.active)
		return;
	vault_word(w, "notify");
	vault_fd(w, watch.fd);
}

int notify_restore(char *const *args, struct fail *f)
{
	return loop_watch(&watch, atoi(args[0]), EPOLLIN, ready, f);
}
