/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/disk/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

#define OUTPUT_MAX (64u << 10)

/* The output goes to a memfd: a pipe would need reading while we wait, or stop the tool when full. */
static int start(const char *const argv[], int out, int *ret_pidfd, struct fail *f)
{
	const struct spawn s = {
		.argv = argv,
		.cgroup = -1,
		.fds = {-1, out, out},
		.n_fds = 3,
	};

	return spawn(&s, ret_pidfd, f);
}

/* The last line that says something. e2fsprogs print the reason there. */
static void last_line(int out, const char *name, int status, struct fail *f)
{
	_free_
	char *text = NULL;
	size_t len = 0;

	if (lseek(out, 0, SEEK_SET) < 0 || io_read_fd(out, name, OUTPUT_MAX, &text, &len, NULL) < 0)
		len = 0;
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	const char *line = len ? strrchr(text, '\n') : NULL;

	line = line ? line + 1 : len ? text : "";
	fail_set(f, 0, "%s: exit code %d%s%s", name, status, *line ? ": " : "", line);
}

int tool_run(const char *const argv[], int seconds, struct fail *f)
{
	const char *name = strrchr(argv[0], '/') + 1;
	_fd_
	int out = memfd_create(name, MFD_CLOEXEC);
	_fd_
	int pidfd = -1;

	if (out < 0)
		return fail_set(f, errno, "memfd_create");
	int pid = start(argv, out, &pidfd, f);

	if (pid < 0)
		return pid;
	struct pollfd wait = {pidfd, POLLIN, 0};
	int ended = poll(&wait, 1, seconds * 1000);
	int status = 0;

	if (ended != 1)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ended != 1)
		return fail_set(f, ETIMEDOUT, "%s: killed after %d s", name, seconds);
	if (!WIFEXITED(status))
		return fail_set(f, EPIPE, "%s: died of signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		last_line(out, name, WEXITSTATUS(status), f);
	return WEXITSTATUS(status);
}
