/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-init in which one call fails: linked into build/tests/ns/faulty-init with --wrap of everything named below.
 *
 * PID 1 maps /usr/lib/orlop/faults, which the test (test_init_faults.py) has mapped too and writes: which function
 * fails, at its how-manieth call from now on (or at each), with which errno. It counts calls of PID 1 and of its
 * children until they exec: what happens between clone and exec is part of a start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clone.h"

enum function {
	NONE,
	CLONE3,
	FORK,
	PIPE2,
	OPENAT,
	MOUNT,
	EPOLL_CTL,
	READ,
	WRITE,
	MALLOC,
	SOCKETPAIR,
	MEMFD,
	MKDIRAT,
};

struct control {
	uint32_t function, at, always;
	int32_t error;
	uint32_t calls, hits;
};

static volatile struct control *control;

static void __attribute__((constructor)) map_control(void)
{
	int fd;
	void *p;

	if (syscall(SYS_getpid) != 1)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/usr/lib/orlop/faults", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		control = p;
}

static int fails(enum function function)
{
	uint32_t n;

	if (!control || control->function != function)
		return 0;
	n = ++control->calls;
	if (n != control->at && !control->always)
		return 0;
	control->hits++;
	errno = control->error;
	return 1;
}

#define WRAP(type, name, ...)            \
	type __wrap_##name(__VA_ARGS__); \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(pid_t, clone_vfork, struct clone_args *args, void (*go)(void *arg), void *arg)
{
	return fails(CLONE3) ? -1 : __real_clone_vfork(args, go, arg);
}

WRAP(pid_t, fork, void)
{
	return fails(FORK) ? -1 : __real_fork();
}

WRAP(int, pipe2, int *fds, int flags)
{
	return fails(PIPE2) ? -1 : __real_pipe2(fds, flags);
}

WRAP(int, openat, int dir, const char *path, int flags, mode_t mode)
{
	return fails(OPENAT) ? -1 : __real_openat(dir, path, flags, mode);
}

WRAP(int, open, const char *path, int flags, mode_t mode)
{
	return fails(OPENAT) ? -1 : __real_open(path, flags, mode);
}

WRAP(int, __openat_2, int dir, const char *path, int flags)
{
	return fails(OPENAT) ? -1 : __real___openat_2(dir, path, flags);
}

WRAP(int, __open_2, const char *path, int flags)
{
	return fails(OPENAT) ? -1 : __real___open_2(path, flags);
}

WRAP(void *, opendir, const char *path)
{
	return fails(OPENAT) ? NULL : __real_opendir(path);
}

WRAP(int, mount, const char *source, const char *target, const char *type, unsigned long flags,
     const void *data)
{
	return fails(MOUNT) ? -1 : __real_mount(source, target, type, flags, data);
}

WRAP(int, epoll_ctl, int epoll, int op, int fd, struct epoll_event *event)
{
	return fails(EPOLL_CTL) ? -1 : __real_epoll_ctl(epoll, op, fd, event);
}

WRAP(ssize_t, read, int fd, void *data, size_t len)
{
	return fails(READ) ? -1 : __real_read(fd, data, len);
}

WRAP(ssize_t, __read_chk, int fd, void *data, size_t len, size_t size)
{
	return fails(READ) ? -1 : __real___read_chk(fd, data, len, size);
}

WRAP(ssize_t, pread, int fd, void *data, size_t len, off_t at)
{
	return fails(READ) ? -1 : __real_pread(fd, data, len, at);
}

WRAP(ssize_t, recv, int fd, void *data, size_t len, int flags)
{
	return fails(READ) ? -1 : __real_recv(fd, data, len, flags);
}

WRAP(ssize_t, write, int fd, const void *data, size_t len)
{
	return fails(WRITE) ? -1 : __real_write(fd, data, len);
}

WRAP(ssize_t, send, int fd, const void *data, size_t len, int flags)
{
	return fails(WRITE) ? -1 : __real_send(fd, data, len, flags);
}

WRAP(void *, malloc, size_t size)
{
	return fails(MALLOC) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t n, size_t size)
{
	return fails(MALLOC) ? NULL : __real_calloc(n, size);
}

WRAP(void *, realloc, void *p, size_t size)
{
	return fails(MALLOC) ? NULL : __real_realloc(p, size);
}

WRAP(void *, reallocarray, void *p, size_t n, size_t size)
{
	return fails(MALLOC) ? NULL : __real_reallocarray(p, n, size);
}

WRAP(int, socketpair, int domain, int type, int protocol, int *fds)
{
	return fails(SOCKETPAIR) ? -1 : __real_socketpair(domain, type, protocol, fds);
}

WRAP(int, memfd_create, const char *name, unsigned flags)
{
	return fails(MEMFD) ? -1 : __real_memfd_create(name, flags);
}

WRAP(int, mkdirat, int dir, const char *path, mode_t mode)
{
	return fails(MKDIRAT) ? -1 : __real_mkdirat(dir, path, mode);
}
