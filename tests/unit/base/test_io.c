/* SPDX-License-Identifier: Apache-2.0 */
/* io: files, memfds and sockets, for real, in a folder of its own under /tmp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

static char root[] = "/tmp/orlop-io-XXXXXX";
static int dir = -1;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	int r;

	(void)state;
	close(dir);
	r = io_remove_tree(AT_FDCWD, root, NULL);
	return r < 0 || access(root, F_OK) == 0 ? -1 : 0;
}

static int open_fds(void)
{
	_dir_ DIR *list = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(list))
		n++;
	return n;
}

static void put(const char *name, const char *text)
{
	_fd_
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void files_are_read_whole(void **state)
{
	_free_
	char *data = NULL, *proc = NULL, *none = NULL;
	struct fail f = {0};
	size_t len;

	(void)state;
	put("a", "hello\n");
	assert_int_equal(io_read_file(dir, "a", 6, &data, &len, &f), 0);
	assert_int_equal(len, 6);
	assert_string_equal(data, "hello\n");
	assert_int_equal(io_read_file(dir, "a", 5, &none, &len, &f), -EFBIG);
	assert_int_equal(io_read_file(dir, "missing", 5, &none, &len, &f), -ENOENT);
	assert_non_null(strstr(f.text, "open(\"missing\")"));
	assert_int_equal(io_read_file(dir, ".", 5, &none, &len, &f), -EISDIR);
	assert_null(none);
	/* procfs says 0 bytes and has more than a page */
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/smaps", 1 << 20, &proc, &len, &f), 0);
	assert_true(len > 4096 && strlen(proc) == len);
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/smaps", 1000, &none, &len, &f), -EFBIG);
}

static void a_fifo_or_device_is_never_waited_for(void **state)
{
	_free_
	char *data = NULL;
	size_t len;

	(void)state;
	assert_int_equal(mkfifoat(dir, "fifo", 0644), 0);
	assert_int_equal(io_read_file(dir, "fifo", 5, &data, &len, NULL), -EINVAL);
	assert_int_equal(io_read_file(AT_FDCWD, "/dev/zero", 5, &data, &len, NULL), -EINVAL);
	assert_null(data);
}

static void replacing_keeps_old_or_new(void **state)
{
	_free_
	char *data = NULL;
	struct stat st;
	size_t len;
	int before = open_fds();

	(void)state;
	assert_int_equal(io_replace_file(dir, "conf", "one", 3, 0600, NULL), 0);
	assert_int_equal(io_replace_file(dir, "conf", "two\0x", 5, 0640, NULL), 0);
	assert_int_equal(io_read_file(dir, "conf", 10, &data, &len, NULL), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "two\0x", 5);
	assert_int_equal(fstatat(dir, "conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(fstatat(dir, ".conf.tmp", &st, 0), -1);
	assert_int_equal(io_replace_file(dir, "a/b", "x", 1, 0600, NULL), -ENAMETOOLONG);
	/* what cannot be replaced leaves nothing behind */
	assert_int_equal(mkdirat(dir, "folder", 0755), 0);
	assert_int_equal(io_replace_file(dir, "folder", "x", 1, 0600, NULL), -EISDIR);
	assert_int_equal(fstatat(dir, ".folder.tmp", &st, 0), -1);
	assert_int_equal(open_fds(), before);
}

/* A temporary file that an interrupted attempt left behind has another mode; the new one must win. */
static void a_left_over_temporary_does_not_decide_the_mode(void **state)
{
	struct stat st;

	(void)state;
	put(".secret.tmp", "left over");
	assert_int_equal(fchmodat(dir, ".secret.tmp", 0666, 0), 0);
	assert_int_equal(io_replace_file(dir, "secret", "x", 1, 0600, NULL), 0);
	assert_int_equal(fstatat(dir, "secret", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 1);
}

static void write_file_writes_into_what_exists(void **state)
{
	_free_
	char *data = NULL;
	size_t len;

	(void)state;
	put("knob", "");
	assert_int_equal(io_write_file(dir, "knob", "+memory", NULL), 0);
	assert_int_equal(io_read_file(dir, "knob", 100, &data, &len, NULL), 0);
	assert_string_equal(data, "+memory");
	assert_int_equal(io_write_file(dir, "no-knob", "1", NULL), -ENOENT);
}

static void directories_are_made_on_the_way(void **state)
{
	char path[100];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/m/n//o/", root);
	assert_int_equal(io_mkdirs(path, 0750, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(io_mkdirs(path, 0750, NULL), 0);
	put("file", "");
	snprintf(path, sizeof(path), "%s/file/x", root);
	assert_int_equal(io_mkdirs(path, 0755, NULL), -ENOTDIR);
	/* a file where the last directory should be is an error too */
	snprintf(path, sizeof(path), "%s/file", root);
	assert_int_equal(io_mkdirs(path, 0755, NULL), -ENOTDIR);
}

static void removing_a_tree_follows_nothing(void **state)
{
	char path[100];
	struct stat st;
	int before = open_fds();

	(void)state;
	snprintf(path, sizeof(path), "%s/t/a/b/c", root);
	assert_int_equal(io_mkdirs(path, 0755, NULL), 0);
	put("outside", "stays");
	assert_int_equal(mkdirat(dir, "keep", 0755), 0);
	put("keep/file", "stays");
	put("t/a/.hidden", "x");
	assert_int_equal(symlinkat("../../keep", dir, "t/a/link"), 0);
	assert_int_equal(symlinkat("../outside", dir, "t/link"), 0);
	assert_int_equal(mkfifoat(dir, "t/a/b/fifo", 0644), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "t/a/file-%d", i);
		put(path, "");
	}
	assert_int_equal(io_remove_tree(dir, "t", NULL), 0);
	assert_int_equal(fstatat(dir, "t", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(dir, "outside", &st, 0), 0);
	assert_int_equal(fstatat(dir, "keep/file", &st, 0), 0);
	assert_int_equal(io_remove_tree(dir, "t", NULL), 0); /* nothing there */
	assert_int_equal(symlinkat("keep", dir, "link"), 0);
	assert_int_equal(io_remove_tree(dir, "link", NULL), 0);
	assert_int_equal(fstatat(dir, "keep/file", &st, 0), 0);
	assert_int_equal(open_fds(), before);
}

static void a_tree_may_be_deep(void **state)
{
	_fd_
	int at = dup(dir);

	(void)state;
	for (int i = 0; i < 490; i++) {
		int next;

		assert_int_equal(mkdirat(at, "deep", 0755), 0);
		next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	assert_int_equal(io_remove_tree(dir, "deep", NULL), 0);
}

static void a_sealed_memfd_cannot_be_changed(void **state)
{
	_fd_
	int fd = io_sealed_memfd("spec", "abc", 3, NULL);
	_free_
	char *data = NULL;
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(io_read_fd(fd, "spec", 10, &data, &len, NULL), 0);
	assert_string_equal(data, "abc");
}

static void fds_travel_close_on_exec(void **state)
{
	int pair[2], sent[IO_FDS_MAX + 1], got[IO_FDS_MAX], before;
	char data[8];
	size_t n_fds;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	before = open_fds();
	for (size_t i = 0; i < ARRAY_LEN(sent); i++)
		sent[i] = dir;
	assert_int_equal(io_send_fds(pair[0], "abc", 3, sent, IO_FDS_MAX), 3);
	assert_int_equal(io_recv_fds(pair[1], data, sizeof(data), got, &n_fds), 3);
	assert_int_equal(n_fds, IO_FDS_MAX);
	for (size_t i = 0; i < n_fds; i++) {
		assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
		close(got[i]);
	}
	assert_int_equal(io_send_fds(pair[0], "abc", 3, sent, IO_FDS_MAX + 1), -E2BIG);
	assert_int_equal(io_send_fds(pair[0], "none", 4, NULL, 0), 4);
	assert_int_equal(io_recv_fds(pair[1], data, sizeof(data), got, &n_fds), 4);
	assert_int_equal(n_fds, 0);
	/* too long a packet, too many fds: refused, and no fd stays open */
	assert_int_equal(io_send_fds(pair[0], "123456789", 9, sent, 2), 9);
	assert_int_equal(io_recv_fds(pair[1], data, sizeof(data), got, &n_fds), -EMSGSIZE);
	assert_int_equal(n_fds, 0);
	assert_int_equal(open_fds(), before);
	close(pair[0]);
	assert_int_equal(io_recv_fds(pair[1], data, sizeof(data), got, &n_fds), 0);
	assert_int_equal(io_send_fds(pair[1], "x", 1, NULL, 0), -EPIPE);
	close(pair[1]);
}

/* SCM_RIGHTS can carry 253; what does not fit is refused and closed. */
static void more_fds_than_we_take_are_refused(void **state)
{
	char control[CMSG_SPACE(sizeof(int) * 20)] = {0}, data[8];
	struct iovec iov = {.iov_base = data, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pair[2], fds[20], got[IO_FDS_MAX], before;
	size_t n_fds;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	before = open_fds();
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = dir;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	assert_int_equal(sendmsg(pair[0], &msg, 0), 1);
	assert_int_equal(io_recv_fds(pair[1], data, sizeof(data), got, &n_fds), -EMSGSIZE);
	assert_int_equal(n_fds, 0);
	assert_int_equal(open_fds(), before);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_whole),
		cmocka_unit_test(a_fifo_or_device_is_never_waited_for),
		cmocka_unit_test(replacing_keeps_old_or_new),
		cmocka_unit_test(a_left_over_temporary_does_not_decide_the_mode),
		cmocka_unit_test(write_file_writes_into_what_exists),
		cmocka_unit_test(directories_are_made_on_the_way),
		cmocka_unit_test(removing_a_tree_follows_nothing),
		cmocka_unit_test(a_tree_may_be_deep),
		cmocka_unit_test(a_sealed_memfd_cannot_be_changed),
		cmocka_unit_test(fds_travel_close_on_exec),
		cmocka_unit_test(more_fds_than_we_take_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
