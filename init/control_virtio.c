/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/wire.h"
#include "init/client.h"
#include "init/console.h"
#include "init/control.h"
#include "init/vault.h"

#define PORTS     "/sys/class/virtio-ports"
#define PORT_NAME "org.orlop.control"

static struct {
	struct client *client; /* NULL until the port was found */
	struct watch uevents;
	uint32_t newest; /* id of the last request */
	size_t have;     /* bytes in `in` */
	char in[sizeof(struct frame_head) + LIMIT_FRAME];
} port;

/* Takes the complete frames out of what has come. */
static void take_frames(void)
{
	size_t at = 0;

	for (;;) {
		struct frame_head head;
		const char *payload;
		size_t used;
		enum frame_result r = frame_parse(port.in + at, port.have - at, &head, &payload,
						  &used);

		if (r == FRAME_NONE)
			break;
		if (r == FRAME_READY) {
			port.newest = head.id;
			client_request(port.client, head.id, payload, head.len);
		}
		at += used;
	}
	memmove(port.in, port.in + at, port.have - at);
	port.have -= at;
}

/* Edge-triggered, so everything is read. The other end may go and come back at any byte: what was
 * half said then is garbage that frame_parse skips, and the answers that we owed are nobody's.
 *
 * The kernel tells of a client's coming and going by another queue than its bytes come by: that the one before has left
 * may be heard after the first request of the next (virtio_console.c: control_work_handler). So what belongs to the newest
 * request stays; if that was the old client's, the next one skips it, as it does any frame with another id than its own. */
static void ready(struct watch *w, uint32_t events)
{
	(void)w;
	if (events & EPOLLHUP) {
		client_keep(port.client, port.newest);
		port.have = 0;
	}
	client_flush(port.client); /* there is room again */
	for (;;) {
		ssize_t n = read(port.client->fd, port.in + port.have, sizeof(port.in) - port.have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		port.have += (size_t)n;
		take_frames();
		if (port.have ==
		    sizeof(port.in)) /* cannot be: a frame fits. Never stop reading for it */
			port.have = 0;
	}
}

static void open_port(const char *device)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%.32s", device);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		if (errno !=
		    ENOENT) /* announced, but devtmpfs has it not yet: another uevent follows */
			console_say("control port %s: %s", path, strerror(errno));
		return;
	}
	port.client = client_new(fd, true, true, ready);
	if (!port.client) {
		close(fd);
		return;
	}
	loop_unwatch(&port.uevents);
	close(port.uevents.fd);
	vault_touch();
	console_say("control: %s (" PORT_NAME ")", path);
}

/* A port's name appears in sysfs some time after the port. */
static void look_for_port(void)
{
	_dir_ DIR *dir = opendir(PORTS);
	struct dirent *e;

	while (dir && !port.client && (e = readdir(dir))) {
		char path[300];
		_free_
		char *name = NULL;
		size_t len;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PORTS "/%s/name", e->d_name);
		/* sysfs says that a file has a page, whatever is in it */
		if (io_read_file(AT_FDCWD, path, 4096, &name, &len, NULL) < 0)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (!strcmp(name, PORT_NAME))
			open_port(e->d_name);
	}
}

static void uevent(struct watch *w, uint32_t events)
{
	char text[2048];
	bool ours = false;
	ssize_t n;

	(void)events;
	while ((n = recv(w->fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0 ||
	       (n < 0 && errno == ENOBUFS))
		ours |= n < 0 || memmem(text, (size_t)n, "virtio-ports", 12);
	if (ours)
		look_for_port();
}

struct client *control_port(void)
{
	return port.client;
}

int control_restore_port(char *const *args, struct fail *f)
{
	(void)f;
	/* what it had waiting goes out with the first edge; the watch begins with one */
	port.client = client_restore(args, ready, true);
	return 0;
}

int control_virtio_open(struct fail *f)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	_fd_
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);
	int r;

	if (port.client)
		return 0; /* kept over a revival */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_set(f, errno, "uevents, for the control port");
	r = loop_watch(&port.uevents, fd, EPOLLIN, uevent, f);
	if (r < 0)
		return r;
	take_fd(&fd);
	look_for_port(); /* after the watch: nothing is announced in between */
	return 0;
}
