/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RunInit=: a container's process 1 that does what one must, for programs that do not expect to be it: it
 * passes signals on, reaps orphans, and ends as its one child does.
 *
 * It is the container's first process itself, which then never execs: same user, filter and capabilities
 * as the program, nothing in it but this loop. It is not dumpable, so the container cannot look into it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/run.h"

/* Ends as the child did. Process 1 cannot be killed by a signal of its own, so that becomes the exit code
 * that shells and podman know. */
static void __attribute__((noreturn)) end_like(int status)
{
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void reap(pid_t child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == child)
			end_like(status);
	if (pid < 0 && errno == ECHILD)
		_exit(0);
}

static void __attribute__((noreturn)) be_init(pid_t child, const sigset_t *signals)
{
	close_range(0, ~0u, 0); /* the report socket too: PID 1 waits for its end */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	for (;;) {
		int sig = sigwaitinfo(signals, NULL);

		if (sig == SIGCHLD)
			reap(child);
		else if (sig > 0)
			kill(child, sig);
	}
}

int init_apply(struct run *run, char *const *arg, struct fail *f)
{
	sigset_t signals, none;
	pid_t pid;

	(void)run;
	(void)arg;
	sigfillset(&signals);
	sigemptyset(&none);
	/* blocked before there is a child, so that neither its end nor a signal for it is lost */
	if (sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
		return fail_set(f, errno, "sigprocmask");
	pid = fork();
	if (pid < 0)
		return fail_set(f, errno, "fork");
	if (pid > 0)
		be_init(pid, &signals);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return fail_set(f, errno, "sigprocmask");
	return 0;
}
