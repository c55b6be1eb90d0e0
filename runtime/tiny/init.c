/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RunInit=: a container's process 1 that does what one must, for programs that do not expect to be it: it passes
 * signals on, reaps orphans, and ends as its one child does.
 *
 *     init CHILD      with all signals blocked, so that none is lost before it waits for them
 *
 * A program without libc, of a few hundred bytes, that orlop-run carries in itself and hands to each container as
 * a sealed file in memory of its own (steps_init.c): whoever finds a way to write into a page that is mapped
 * here writes into no file of the host's, and into no other container's process 1.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef __x86_64__
#error "written for x86-64"
#endif

#define SIGSET_SIZE 8 /* the kernel's */

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r = number;

	__asm__ volatile("syscall"
			 : "+a"(r)
			 : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static void __attribute__((noreturn)) end(int code)
{
	for (;;)
		call(SYS_exit_group, code, 0, 0, 0);
}

/* Process 1 cannot be killed by a signal of its own, so the child's becomes the exit code that shells and podman
 * know. */
static void __attribute__((noreturn)) end_like(int status)
{
	end(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void reap(long child)
{
	int status;
	long pid;

	while ((pid = call(SYS_wait4, -1, (long)&status, WNOHANG, 0)) > 0)
		if (pid == child)
			end_like(status);
	if (pid == -ECHILD)
		end(0);
}

/* From the stack as the kernel makes it: the number of arguments, and their addresses. */
__attribute__((noreturn, used)) static void run(char **stack)
{
	const unsigned long all = ~0ul;
	const char *digit = (size_t)stack[0] == 2 ? stack[2] : "";
	long child = 0;

	for (; *digit; digit++)
		child = child * 10 + *digit - '0';
	if (child <= 1)
		end(125);
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, SIGSET_SIZE);
	for (;;) {
		long sig = call(SYS_rt_sigtimedwait, (long)&all, 0, 0, SIGSET_SIZE);

		if (sig == SIGCHLD)
			reap(child);
		else if (sig > 0)
			call(SYS_kill, child, sig, 0, 0);
	}
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"mov %rsp, %rdi\n\t"
	"and $-16, %rsp\n\t"
	"call run\n");
