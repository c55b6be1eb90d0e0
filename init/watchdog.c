/* SPDX-License-Identifier: Apache-2.0 */
#include "init/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "init/console.h"
#include "init/loop.h"
#include "init/task.h"

#define LOAD_TIME (10 * NSEC_PER_SEC)

static struct {
	int fd;
	unsigned seconds;
	struct task load;
	uint64_t interval;
	bool due;
	struct timer timer;
} watchdog = {.fd = -1};

static void feed_due(struct timer *t)
{
	(void)t;
	watchdog.due = true; /* when this pass has come to its end */
}

static bool open_device(void)
{
	int timeout = (int)watchdog.seconds;

	watchdog.fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (watchdog.fd < 0)
		return false;
	if (ioctl(watchdog.fd, WDIOC_SETTIMEOUT, &timeout) < 0)
		ioctl(watchdog.fd, WDIOC_GETTIMEOUT, &timeout);
	/* three chances: one late pass is no reason to reboot */
	watchdog.interval = (uint64_t)(timeout > 0 ? timeout : 60) * NSEC_PER_SEC / 3;
	watchdog.due = true;
	console_say("watchdog: %d s", timeout);
	return true;
}

static void loaded(struct task *t, enum task_end end)
{
	(void)t;
	(void)end;
	if (!open_device())
		console_say("watchdog: /dev/watchdog: %s", strerror(errno));
}

void watchdog_open(unsigned seconds)
{
	/* A machine without a watchdog of its own has the kernel's. It needs a working kernel, which is
	 * what there is most of the time when PID 1 hangs. */
	static const char *const argv[] = {"/sbin/modprobe", "softdog", NULL};
	struct fail f = {0};

	watchdog.seconds = seconds;
	if (!seconds || open_device())
		return;
	if (errno != ENOENT)
		console_say("watchdog: /dev/watchdog: %s", strerror(errno));
	else if (task_start(&watchdog.load, "modprobe", argv, NULL, 0, LOAD_TIME, loaded, &f) < 0)
		console_say("watchdog: %s", f.text);
}

void watchdog_pass(void)
{
	if (watchdog.fd < 0 || !watchdog.due)
		return;
	watchdog.due = false;
	ioctl(watchdog.fd, WDIOC_KEEPALIVE, 0);
	loop_timer(&watchdog.timer, loop_now() + watchdog.interval, feed_due);
}

void watchdog_disarm(void)
{
	if (watchdog.fd >= 0 && write(watchdog.fd, "V", 1) == 1)
		close(watchdog.fd);
	watchdog.fd = -1;
}
