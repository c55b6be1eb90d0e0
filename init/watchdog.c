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

static struct {
	int fd;
	uint64_t interval;
	bool due;
	struct timer timer;
} watchdog = {.fd = -1};

static void feed_due(struct timer *t)
{
	(void)t;
	watchdog.due = true; /* when this pass has come to its end */
}

void watchdog_open(unsigned seconds)
{
	int timeout = (int)seconds;

	if (!seconds)
		return;
	watchdog.fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (watchdog.fd < 0) {
		console_say("watchdog: /dev/watchdog: %s", strerror(errno));
		return;
	}
	if (ioctl(watchdog.fd, WDIOC_SETTIMEOUT, &timeout) < 0)
		ioctl(watchdog.fd, WDIOC_GETTIMEOUT, &timeout);
	/* three chances: one late pass is no reason to reboot */
	watchdog.interval = (uint64_t)(timeout > 0 ? timeout : 60) * NSEC_PER_SEC / 3;
	watchdog.due = true;
	console_say("watchdog: %d s", timeout);
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
