/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clone.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#ifndef __x86_64__
#error "clone_vfork() is written for x86-64"
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

/* The child's frames are marked in the shadow of the stack that was ours as well, and it never left them. */
static void forget_frames(void)
{
	enum { REACH = 256 << 10 };

	__asan_unpoison_memory_region((char *)__builtin_frame_address(0) - REACH, REACH);
}
#else
static void forget_frames(void)
{
}
#endif

/* The child goes on below our stack frames, from where it does not return: hence the assembler. The 128
 * bytes below the stack pointer may be in use by the compiler. */
static pid_t call_and_go(long number, long a, long b, void (*go)(void *arg), void *arg)
{
	long r = number;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "sub $128, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %[arg], %%rdi\n\t"
			 "call *%[go]\n\t"
			 "ud2\n"
			 "1:"
			 : "+a"(r)
			 : "D"(a), "S"(b), [arg] "r"(arg), [go] "r"(go)
			 : "rcx", "r11", "memory", "cc");
	forget_frames();
	if (r < 0)
		errno = (int)-r;
	return r < 0 ? -1 : (pid_t)r;
}

pid_t clone_vfork(struct clone_args *args, void (*go)(void *arg), void *arg)
{
	args->flags |= CLONE_VM | CLONE_VFORK;
	return call_and_go(SYS_clone3, (long)args, sizeof(*args), go, arg);
}

pid_t vfork_call(void (*go)(void *arg), void *arg)
{
	return call_and_go(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, go, arg);
}
