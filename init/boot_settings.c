/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "init/boot.h"
#include "init/console.h"

struct setting {
	const char *path, *value;
};

static const struct setting settings[] = {
	/* A core file would go to the current directory of whatever crashed, inside its container. An empty
	 * pattern writes none; the newline is what makes the write more than nothing. */
	{"/proc/sys/kernel/core_pattern", "\n"},
	{"/proc/sys/kernel/core_uses_pid", "0"},
	/* A host that nobody watches comes back by itself. */
	{"/proc/sys/kernel/panic", "10"},
	/* Names of what lies in other people's processes are nobody's business. */
	{"/proc/sys/kernel/kptr_restrict", "1"},
	{"/proc/sys/kernel/dmesg_restrict", "1"},
	{"/proc/sys/kernel/unprivileged_bpf_disabled", "1"},
	{"/proc/sys/fs/protected_hardlinks", "1"},
	{"/proc/sys/fs/protected_symlinks", "1"},
	{"/proc/sys/fs/suid_dumpable", "0"},
};

void boot_cmdline(struct host_options *options)
{
	_free_
	char *line = NULL;
	size_t len;

	if (io_read_file(AT_FDCWD, "/proc/cmdline", CMDLINE_MAX, &line, &len, NULL) < 0)
		line = NULL;
	cmdline_parse(options, line ? line : "");
}

int64_t boot_image_day(void)
{
	struct stat st;

	return stat(PATH_INIT, &st) < 0 ? 0 : st.st_mtim.tv_sec;
}

void boot_clock_floor(int64_t seconds, const char *what)
{
	struct timespec floor = {.tv_sec = seconds}, now;

	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec < seconds &&
	    clock_settime(CLOCK_REALTIME, &floor) == 0)
		console_say("clock: was before %s, set forward", what);
}

/* /etc/hostname of the image, unless the command line says otherwise. */
static void set_hostname(const struct host_options *options)
{
	_free_
	char *text = NULL;
	const char *name = options->hostname;
	size_t len;

	if (!name[0] && io_read_file(AT_FDCWD, "/etc/hostname", 255, &text, &len, NULL) == 0) {
		text[strcspn(text, " \t\n")] = '\0';
		name = text;
	}
	if (!name[0])
		name = "orlop";
	if (sethostname(name, strnlen(name, 64)) < 0)
		console_say("host name \"%s\": %s", name, strerror(errno));
}

void boot_settings(const struct host_options *options)
{
	set_hostname(options);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		struct fail f = {0};

		if (io_write_file(AT_FDCWD, settings[i].path, settings[i].value, &f) < 0 &&
		    f.code != ENOENT)
			console_say("setting: %s", f.text);
	}
}
