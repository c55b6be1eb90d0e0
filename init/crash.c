/* SPDX-License-Identifier: Apache-2.0 */
#include "init/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/paths.h"
#include "init/vault.h"

#define STACK_SIZE  65536
#define TOO_SOON    (60 * 1000000000ull)
#define TRACE_DEPTH 12

extern const char __ehdr_start[], etext[]; /* the linker's: the image's text lies between them */

static char stack[STACK_SIZE] __attribute__((aligned(64)));
static volatile sig_atomic_t depth;

static const struct {
	int signal;
	const char *name;
} fatal[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGABRT, "SIGABRT"}, {SIGILL, "SIGILL"},
	{SIGFPE, "SIGFPE"},   {SIGSYS, "SIGSYS"}, {SIGTRAP, "SIGTRAP"},
};

/* A line for the kernel log, put together without libc. */
struct text {
	char data[700];
	size_t len;
};

static void add(struct text *t, const char *s)
{
	while (*s && t->len < sizeof(t->data) - 1)
		t->data[t->len++] = *s++;
}

static void add_hex(struct text *t, uint64_t n)
{
	char digits[19] = "0x";
	int at = 2;

	for (int shift = 60; shift >= 0; shift -= 4)
		if (n >> shift || !shift)
			digits[at++] = "0123456789abcdef"[n >> shift & 15];
	digits[at] = '\0';
	add(t, digits);
}

static void add_number(struct text *t, unsigned n)
{
	char digits[12];
	int at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	add(t, digits + at);
}

/* Addresses within our text that lie on the stack, as offsets for addr2line: callers, near enough. */
static void add_trace(struct text *t, const ucontext_t *context)
{
#ifdef __x86_64__
	const uintptr_t *at = (const uintptr_t *)context->uc_mcontext.gregs[REG_RSP];
	uintptr_t base = (uintptr_t)__ehdr_start, end = (uintptr_t)etext;
	uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	uintptr_t words[256];
	struct iov {
		const void *base;
		size_t len;
	} local = {words, sizeof(words)}, remote = {at, sizeof(words)};
	int found = 0;
	/* read like another process' memory: a wild stack pointer is an error then, not a fault */
	long n = syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);

	add(t, ", at ");
	add_hex(t, pc >= base && pc < end ? pc - base : pc);
	add(t, " from");
	for (long i = 0; i < n / (long)sizeof(words[0]) && found < TRACE_DEPTH; i++) {
		if (words[i] <= base || words[i] >= end)
			continue;
		add(t, " ");
		add_hex(t, words[i] - base);
		found++;
	}
#else
	(void)t;
	(void)context;
#endif
}

static void tell(const char *data, size_t len)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (write(fd, data, len) < 0)
		errno = 0;
	close(fd);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* Lets the fds of the state in force through an exec, or takes that back. */
static void set_cloexec(const struct vault_head *head, int flag)
{
	unsigned active = head->active & 1;

	for (uint32_t i = 0; i < head->n_fds[active] && i < VAULT_FDS_MAX; i++)
		fcntl(head->fds[active][i], F_SETFD, flag);
	fcntl(vault_memfd(), F_SETFD, flag);
}

int crash_exec(const char *path)
{
	struct vault_head *head = vault_head();
	struct text number = {0};
	char *argv[] = {(char *)PATH_INIT, (char *)"--revive", number.data, NULL};
	char *envp[] = {NULL};
	int saved;

	if (!head)
		return -ENOENT;
	if (!path)
		path = head->program;
	add_number(&number, (unsigned)vault_memfd());
	set_cloexec(head, 0);
	execve(path, argv, envp);
	saved = errno;
	set_cloexec(head, FD_CLOEXEC);
	return -saved;
}

static void die_of(int sig)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t set;

	sigaction(sig, &dfl, NULL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	syscall(SYS_kill, syscall(SYS_getpid), sig);
	_exit(128 + sig);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	struct vault_head *head = vault_head();
	struct text t = {0};
	bool sent = info->si_code <= 0 && info->si_pid != 1; /* abort() is our own */

	if (syscall(SYS_getpid) != 1)
		die_of(sig);
	if (sent && depth)
		return; /* somebody is impatient: it is being done */
	/* the handler itself has failed, and failed again: nothing is left to try */
	if (depth++ > 2)
		reboot(RB_AUTOBOOT);
	add(&t, "<2>orlop-init: ");
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		if (fatal[i].signal == sig)
			add(&t, fatal[i].name);
	if (sent) {
		add(&t, " sent by pid ");
		add_number(&t, (unsigned)info->si_pid);
	} else {
		add(&t, " address ");
		add_hex(&t, (uintptr_t)info->si_addr);
	}
	add_trace(&t, context);
	add(&t, ", reviving\n");
	tell(t.data, t.len);
	if (head && head->trial == VAULT_TRIAL_BEGUN) {
		head->trial = VAULT_TRIAL_FAILED;
		memcpy(head->reason, "it crashed", sizeof("it crashed"));
	} else if (head && !sent) {
		memmove(head->crashes + 1, head->crashes,
			(VAULT_CRASHES - 1) * sizeof(head->crashes[0]));
		head->crashes[0] = now();
	}
	crash_exec(NULL);
	/* cannot be replaced: a signal that was sent is survived by doing nothing, a fault is not */
	depth--;
	if (sent)
		return;
	tell("<2>orlop-init: cannot be revived, reboot\n", 41);
	reboot(RB_AUTOBOOT);
	_exit(1);
}

void crash_install(void)
{
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = handler,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	sigset_t none;

	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i].signal, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool crash_too_many(void)
{
	const struct vault_head *head = vault_head();

	return head && head->crashes[1] && head->crashes[0] - head->crashes[1] < TOO_SOON;
}
