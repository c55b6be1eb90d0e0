/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault PID: makes the process fault by itself, as a bug would: its program counter is set to an address where there
 * is nothing. (kill -SEGV is not the same: the kernel tells who sent it.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	pid_t pid = argc == 2 ? atoi(argv[1]) : 0;

	if (pid <= 0 || ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 ||
	    waitpid(pid, NULL, __WALL) < 0)
		goto failed;
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		goto failed;
	regs.rip = 0x10;
	regs.orig_rax = (unsigned long long)-1; /* no system call to be started again */
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0 ||
	    ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		goto failed;
	return 0;
failed:
	perror("fault");
	return 1;
}
