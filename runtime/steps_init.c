/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RunInit=: the container's process 1 is a program of ours (tiny/init.c), and its own one is that one's child.
 *
 * The program is a part of orlop-run. Every container gets it as a sealed file in memory: nobody can write to it,
 * and its pages are no other container's and no file's of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clone.h"
#include "base/io.h"
#include "runtime/run.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

__asm__(".section .rodata\n"
	".local tiny_init, tiny_init_end\n"
	"tiny_init:\n"
	".incbin \"build/tiny/init\"\n"
	"tiny_init_end:\n"
	".previous\n");
extern const char tiny_init[] __attribute__((visibility("hidden")));
extern const char tiny_init_end[] __attribute__((visibility("hidden")));

int init_apply(struct run *run, char *const *arg, struct fail *f)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	_fd_
	int fd = memfd_create("init", flags | MFD_EXEC);
	int r;

	(void)arg;
	if (fd < 0 && errno == EINVAL) /* a kernel of before, where all are executable */
		fd = memfd_create("init", flags);
	if (fd < 0)
		return fail_set(f, errno, "memfd_create");
	r = io_write_all(fd, tiny_init, (size_t)(tiny_init_end - tiny_init));
	if (r < 0)
		return fail_set(f, -r, "writing the init");
	if (fchmod(fd, 0555) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return fail_set(f, errno, "sealing the init");
	run->init = take_fd(&fd);
	return 0;
}

void init_undo(struct run *run, char *const *arg)
{
	(void)arg;
	close(take_fd(&run->init));
}

struct program {
	int (*exec)(struct run *run);
	struct run *run;
	int error;
};

static void program_main(void *arg)
{
	struct program *program = arg;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	program->error = program->exec(program->run);
	_exit(1);
}

int run_exec_below_init(struct run *run, int (*exec)(struct run *run), int *ret_error,
			struct fail *f)
{
	struct program program = {.exec = exec, .run = run};
	char name[] = "init", pid[16];
	char *const argv[] = {name, pid, NULL}, *const envp[] = {NULL};
	sigset_t all;
	pid_t child;

	sigfillset(&all);
	/* blocked before there is a child, so that neither its end nor a signal for it is lost */
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return fail_set(f, errno, "sigprocmask");
	child = vfork_call(program_main, &program);
	if (child < 0)
		return fail_set(f, errno, "vfork");
	*ret_error = program.error;
	if (program.error)
		return 0;
	snprintf(pid, sizeof(pid), "%d", (int)child);
	syscall(SYS_execveat, run->init, "", argv, envp, AT_EMPTY_PATH);
	return fail_set(f, errno, "exec of the init");
}
