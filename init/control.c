/* SPDX-License-Identifier: Apache-2.0 */
#include "init/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/wire.h"
#include "init/client.h"
#include "init/vault.h"

/* Connections taken in one pass: a flood of them does not keep the rest waiting. */
#define BURST 32

static struct {
	struct watch watch;
	int spare; /* closed for a moment when no other fd is left, so that a client can be turned away */
} control = {.spare = -1};

static void packet(struct watch *w, uint32_t events)
{
	/* one for all: nothing waits in it between two calls */
	static char data[sizeof(struct frame_head) + LIMIT_FRAME];
	struct client *c = container_of(w, struct client, watch);
	struct frame_head head;
	const char *payload;
	size_t used;
	ssize_t n;

	if (events & EPOLLOUT && !client_flush(c))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n > sizeof(data) ||
	    frame_parse(data, (size_t)n, &head, &payload, &used) != FRAME_READY ||
	    used != (size_t)n)
		client_close(c);
	else
		client_request(c, head.id, payload, head.len);
}

static int accept_one(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Whether a process is in our pid namespace: root of a container with UserNS=host, who was given the socket as
 * a volume, is uid 0 too. Pid 0 is a process outside of it, around us: no container of ours (and only where orlop is
 * not the machine's PID 1). */
static bool one_of_ours(pid_t pid)
{
	char path[64], theirs[64], ours[64];
	ssize_t a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	a = readlink(path, theirs, sizeof(theirs));
	b = readlink("/proc/self/ns/pid", ours, sizeof(ours));
	return pid == 0 || (a > 0 && a == b && !memcmp(theirs, ours, (size_t)a));
}

static void take_in(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    !client_new(fd, false, peer.uid == 0 && one_of_ours(peer.pid), packet))
		client_refuse(fd);
}

static void incoming(struct watch *w, uint32_t events)
{
	(void)events;
	if (control.spare < 0)
		control.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < BURST; i++) {
		int fd = accept_one(w->fd);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE) && control.spare >= 0) {
			close(control.spare);
			fd = accept_one(w->fd);
			if (fd >= 0)
				client_refuse(fd);
			control.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
			return;
		}
		if (fd < 0)
			return;
		take_in(fd);
	}
}

int control_open(struct fail *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PATH_CONTROL};
	_fd_
	int fd = -1;
	int r = io_mkdirs(PATH_RUNDIR, 0755, f);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_set(f, errno, "control socket");
	unlink(PATH_CONTROL);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_set(f, errno, "bind(\"" PATH_CONTROL "\")");
	if (chmod(PATH_CONTROL, 0666) < 0 || listen(fd, LIMIT_CLIENTS) < 0)
		return fail_set(f, errno, "listen(\"" PATH_CONTROL "\")");
	control.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = loop_watch(&control.watch, fd, EPOLLIN, incoming, f);
	if (r < 0)
		return r;
	take_fd(&fd);
	return 0;
}

void control_save(struct vault_writer *w)
{
	if (!control.watch.active)
		return;
	vault_word(w, "control");
	vault_fd(w, control.watch.fd);
	client_save(w);
}

int control_restore(char *const *args, struct fail *f)
{
	control.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return loop_watch(&control.watch, atoi(args[0]), EPOLLIN, incoming, f);
}

int control_restore_client(char *const *args, struct fail *f)
{
	struct client *c = client_restore(args, packet, false);

	(void)f;
	if (c)
		client_flush(c);
	else
		vault_close(atoi(args[0]));
	return 0;
}
