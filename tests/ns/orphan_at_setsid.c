/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orphan_at_setsid COMMAND...: runs COMMAND; when a process that it has made is about to call setsid(), COMMAND is
 * killed, and only when nothing is left of it does that process go on. Prints the process's pid and ends.
 * So an order of events that otherwise takes luck, the parent's death in the middle of its child's start, is certain.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC)
#define AT_SYSCALL (SIGTRAP | 0x80)

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void orphan(pid_t child, pid_t parent)
{
	int status;

	if (kill(parent, SIGKILL) < 0)
		die("kill");
	do
		if (waitpid(parent, &status, __WALL) < 0)
			die("wait for the command's end");
	while (!WIFSIGNALED(status));
	printf("%d\n", (int)child);
	fflush(stdout);
	if (ptrace(PTRACE_DETACH, child, NULL, NULL) < 0)
		die("detach");
	exit(0);
}

static pid_t begin(char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execv(argv[0], argv);
		die(argv[0]);
	}
	if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS) < 0 ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
		die("trace");
	return pid;
}

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	pid_t command, pid;
	int status;

	if (argc < 2)
		return 2;
	command = begin(argv + 1);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

		if (!WIFSTOPPED(status)) {
			if (pid != command)
				continue;
			fprintf(stderr, "%s ended before\n", argv[1]);
			return 1;
		}
		if (sig == AT_SYSCALL && pid != command &&
		    ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0 && regs.orig_rax == SYS_setsid)
			orphan(pid, command);
		/* its own stops, and those that a new process begins with, are ours, not signals for it */
		if (sig == AT_SYSCALL || sig == SIGTRAP || sig == SIGSTOP)
			sig = 0;
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
	}
	die("wait");
}
