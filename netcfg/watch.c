/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

int watch_files(const char *const *dirs, struct fail *f)
{
	_fd_
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return fail_set(f, errno, "inotify");
	for (; *dirs; dirs++) {
		(void)io_mkdirs(*dirs, 0755, NULL);
		if (inotify_add_watch(fd, *dirs,
				      IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
			return fail_set(f, errno, "inotify(\"%s\")", *dirs);
	}
	return take_fd(&fd);
}

static bool among(const char *name, const char *const *only)
{
	for (; only && *only; only++)
		if (!strcmp(name, *only))
			return true;
	return !only;
}

bool watch_changed(int fd, const char *const *only)
{
	alignas(struct inotify_event) char data[16384];
	bool changed = false;
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		for (char *at = data; at < data + n;) {
			const struct inotify_event *e = (const struct inotify_event *)at;

			changed |= (e->mask & IN_Q_OVERFLOW) || (e->len && among(e->name, only));
			at += sizeof(*e) + e->len;
		}
	return changed;
}

int watch_signals(struct fail *f)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return fail_set(f, errno, "sigprocmask");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? fail_set(f, errno, "signalfd") : fd;
}
