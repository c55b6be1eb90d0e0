/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/wire.h"

int report_cloned(int sock, pid_t pid, int stop_signal, int pidfd, int userns, int netns)
{
	struct run_report r = {
		.size = sizeof(r),
		.kind = RUN_CLONED,
		.fds = RUN_FD_PIDFD,
		.pid = pid,
		.stop_signal = stop_signal,
	};
	int fds[3] = {pidfd};
	size_t n = 1;
	ssize_t sent;

	if (userns >= 0) {
		r.fds |= RUN_FD_USERNS;
		fds[n++] = userns;
	}
	if (netns >= 0) {
		r.fds |= RUN_FD_NETNS;
		fds[n++] = netns;
	}
	sent = io_send_fds(sock, &r, sizeof(r), fds, n);
	return sent < 0 ? (int)sent : 0;
}

void report_failed(int sock, const char *step, const struct fail *f)
{
	struct run_report r = {.size = sizeof(r), .kind = RUN_FAILED, .code = f->code};

	snprintf(r.step, sizeof(r.step), "%s", step);
	snprintf(r.text, sizeof(r.text), "%s", f->text);
	if (write(sock, &r, sizeof(r)) < 0)
		dprintf(STDERR_FILENO, "orlop-run: no one to tell: ");
	dprintf(STDERR_FILENO, "orlop-run: %s: %s\n", step, f->text);
}
