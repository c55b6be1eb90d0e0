/* SPDX-License-Identifier: Apache-2.0 */
#include "init/power_button.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "init/loop.h"
#include "init/poweroff.h"

#define INPUT       "/dev/input"
#define BUTTONS_MAX 4 /* ACPI announces up to two */

static struct watch buttons[BUTTONS_MAX];
static unsigned n_buttons;

static void pressed(struct watch *w, uint32_t events)
{
	struct input_event e;
	ssize_t n;

	while ((n = read(w->fd, &e, sizeof(e))) == (ssize_t)sizeof(e))
		if (e.type == EV_KEY && e.code == KEY_POWER && e.value == 1)
			poweroff_button();
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || events & (EPOLLERR | EPOLLHUP)) {
		loop_unwatch(w); /* unplugged */
		close(w->fd);
	}
}

static bool has_power_key(int fd)
{
	unsigned char keys[KEY_MAX / 8 + 1] = {0};

	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
	       (keys[KEY_POWER / 8] & 1 << KEY_POWER % 8);
}

void power_button_open(void)
{
	_dir_ DIR *dir = opendir(INPUT);
	struct dirent *e;

	while (dir && n_buttons < BUTTONS_MAX && (e = readdir(dir))) {
		int fd;

		if (strncmp(e->d_name, "event", 5) != 0)
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (has_power_key(fd) &&
		    loop_watch(&buttons[n_buttons], fd, EPOLLIN, pressed, NULL) == 0)
			n_buttons++;
		else
			close(fd);
	}
}
