/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled filter, run in an interpreter of the kernel's instruction set: the verdict of every system
 * call against a frozen table, and the calls that are refused by their arguments.
 * After a change on purpose: UPDATE=1 build/tests/unit/filter/test_filter, and read the diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "filter/filter.h"
#include "tests/unit/filter/interpret.h"

#define TABLE   "tests/unit/filter/golden/seccomp.table"
#define LAST    470
#define X32_BIT 0x40000000u

static char *file;
static const struct sock_filter *program;
static size_t length;

static void compile(uint64_t caps)
{
	struct fail f = {0};
	const struct filter_file *head;
	size_t len = 0;
	int fd = memfd_create("filter", MFD_CLOEXEC);

	free(file);
	if (filter_compile(caps, fd, &f) < 0 ||
	    io_read_fd(fd, "filter", 1 << 20, &file, &len, &f) < 0)
		fail_msg("%s", f.text);
	close(fd);
	head = (const struct filter_file *)(void *)file;
	program = head->insns;
	length = head->n;
	assert_int_equal(head->magic, FILTER_MAGIC);
	assert_int_equal(len, sizeof(*head) + length * sizeof(*program));
}

static uint32_t verdict(uint32_t arch, uint32_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data data = {.nr = (int)number, .arch = arch, .args = {a0, a1, a2}};

	return interpret(program, length, &data);
}

static const char *verdict_name(uint32_t v, char text[32])
{
	if (v == SECCOMP_RET_ALLOW)
		return "allow";
	if ((v & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		snprintf(text, 32, "action %x", v);
	else if ((v & SECCOMP_RET_DATA) == EPERM)
		return "EPERM";
	else if ((v & SECCOMP_RET_DATA) == ENOSYS)
		return "ENOSYS";
	else
		snprintf(text, 32, "errno %u", v & SECCOMP_RET_DATA);
	return text;
}

static void print_table(struct buf *b)
{
	static const struct {
		const char *name;
		uint32_t arch, bit;
	} arches[] = {{"x86_64", AUDIT_ARCH_X86_64, 0},
		      {"x86", AUDIT_ARCH_I386, 0},
		      {"x32", AUDIT_ARCH_X86_64, X32_BIT},
		      {"arm", AUDIT_ARCH_ARM, 0}};
	char text[32];

	for (size_t i = 0; i < sizeof(arches) / sizeof(arches[0]); i++)
		for (uint32_t n = 0; n <= LAST; n++) {
			uint32_t v = verdict(arches[i].arch, n | arches[i].bit, 0, 0, 0);

			/* what a program gets for a call that nobody has heard of goes unsaid */
			if (v != (SECCOMP_RET_ERRNO | ENOSYS))
				buf_fmt(b, "%s %u %s\n", arches[i].name, n, verdict_name(v, text));
		}
}

static void frozen_table(void **state)
{
	struct buf b = {0};
	char *want;
	size_t len = 0;

	(void)state;
	compile(0x800405fb);
	print_table(&b);
	if (getenv("UPDATE")) {
		FILE *f = fopen(TABLE, "w");

		fputs(b.data, f);
		fclose(f);
	}
	assert_int_equal(io_read_file(AT_FDCWD, TABLE, 1 << 20, &want, &len, NULL), 0);
	assert_string_equal(b.data, want);
	free(want);
	buf_done(&b);
}

#define NATIVE(n, a, b, c) verdict(AUDIT_ARCH_X86_64, n, a, b, c)
#define REFUSED(e)         (SECCOMP_RET_ERRNO | (e))
#define HIGH               0xdeadbeef00000000ull

static void refused_by_arguments(void **state)
{
	(void)state;
	compile(0x800405fb);
	assert_int_equal(NATIVE(SYS_ioctl, 0, TIOCSTI, 0), REFUSED(EPERM));
	assert_int_equal(NATIVE(SYS_ioctl, 0, HIGH | TIOCSTI, 0), REFUSED(EPERM));
	assert_int_equal(NATIVE(SYS_ioctl, 0, TIOCLINUX, 0), REFUSED(EPERM));
	assert_int_equal(NATIVE(SYS_ioctl, 0, TCGETS, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(AUDIT_ARCH_I386, 54, 0, TIOCSTI, 0), REFUSED(EPERM));
	assert_int_equal(verdict(AUDIT_ARCH_I386, 54, 0, TCGETS, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(NATIVE(SYS_socket, 40, 1, 0), REFUSED(EPERM));
	assert_int_equal(NATIVE(SYS_socket, HIGH | 40, 1, 0), REFUSED(EPERM));
	assert_int_equal(NATIVE(SYS_socket, 2, 1, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(NATIVE(SYS_socket, 16, 3, 9), REFUSED(EINVAL));
	assert_int_equal(NATIVE(SYS_socket, HIGH | 16, 3, HIGH | 9), REFUSED(EINVAL));
	assert_int_equal(NATIVE(SYS_socket, 16, 3, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(verdict(AUDIT_ARCH_I386, 102, 1, 0, 0), SECCOMP_RET_ALLOW);
}

static void namespaces_are_refused(void **state)
{
	static const uint64_t flags[] = {0x00020000, 0x02000000, 0x04000000, 0x08000000,
					 0x10000000, 0x20000000, 0x40000000};

	(void)state;
	compile(0x800405fb);
	assert_int_equal(NATIVE(SYS_clone, 0x11, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(NATIVE(SYS_clone, 0x3d0f00, 0, 0), SECCOMP_RET_ALLOW); /* a thread */
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		assert_int_equal(NATIVE(SYS_clone, flags[i] | 0x11, 0, 0), REFUSED(EPERM));
		assert_int_equal(NATIVE(SYS_clone, HIGH | flags[i], 0, 0), REFUSED(EPERM));
		assert_int_equal(verdict(AUDIT_ARCH_I386, 120, flags[i], 0, 0), REFUSED(EPERM));
	}
	assert_int_equal(NATIVE(SYS_clone3, 0, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(NATIVE(SYS_unshare, 0, 0, 0), REFUSED(EPERM));
}

static void personality_by_value(void **state)
{
	(void)state;
	compile(0x800405fb);
	assert_int_equal(NATIVE(SYS_personality, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(NATIVE(SYS_personality, 0xffffffff, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(NATIVE(SYS_personality, 0x0400000, 0, 0), REFUSED(ENOSYS));
	assert_int_equal(NATIVE(SYS_personality, 0x0040000, 0, 0), REFUSED(ENOSYS));
}

static void capabilities_open_what_needs_them(void **state)
{
	static const struct {
		int cap;
		uint32_t call;
	} cases[] = {
		{CAP_SYS_ADMIN, SYS_mount},         {CAP_SYS_ADMIN, SYS_unshare},
		{CAP_SYS_ADMIN, SYS_clone3},        {CAP_SYS_ADMIN, SYS_setns},
		{CAP_SYS_PTRACE, SYS_ptrace},       {CAP_SYS_PTRACE, SYS_process_vm_readv},
		{CAP_SYS_BOOT, SYS_reboot},         {CAP_SYS_CHROOT, SYS_chroot},
		{CAP_SYS_MODULE, SYS_init_module},  {CAP_SYS_PACCT, SYS_acct},
		{CAP_SYS_RAWIO, SYS_iopl},          {CAP_SYS_TIME, SYS_settimeofday},
		{CAP_SYS_TTY_CONFIG, SYS_vhangup},  {CAP_SYS_NICE, SYS_mbind},
		{CAP_SYSLOG, SYS_syslog},           {CAP_BPF, SYS_bpf},
		{CAP_PERFMON, SYS_perf_event_open}, {CAP_DAC_READ_SEARCH, SYS_open_by_handle_at},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		compile(0);
		assert_int_not_equal(NATIVE(cases[i].call, 0, 0, 0), SECCOMP_RET_ALLOW);
		compile(UINT64_C(1) << cases[i].cap);
		assert_int_equal(NATIVE(cases[i].call, 0, 0, 0), SECCOMP_RET_ALLOW);
	}
	compile(FILTER_CAP(SYS_ADMIN));
	assert_int_equal(NATIVE(SYS_clone, 0x10000000, 0, 0), SECCOMP_RET_ALLOW);
	compile(FILTER_CAP(AUDIT_WRITE));
	assert_int_equal(NATIVE(SYS_socket, 16, 3, 9), SECCOMP_RET_ALLOW);
}

/* Each instruction is checked, translated and compiled at each start; what libseccomp writes has a thousand. */
static void it_is_short(void **state)
{
	(void)state;
	compile(0x800405fb);
	assert_in_range(length, 100, 350);
	compile(UINT64_MAX);
	assert_in_range(length, 100, 350);
}

static void never_whatever_the_capabilities(void **state)
{
	static const uint32_t calls[] = {
		SYS_kexec_load,  SYS_keyctl,      SYS_add_key,
		SYS_request_key, SYS_userfaultfd, SYS_pivot_root,
		SYS_swapon,      SYS_vmsplice,    425 /* io_uring_setup */};

	(void)state;
	compile(UINT64_MAX);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_not_equal(NATIVE(calls[i], 0, 0, 0), SECCOMP_RET_ALLOW);
}

static void key_changes_with_what_matters_only(void **state)
{
	char a[FILTER_KEY_MAX], b[FILTER_KEY_MAX];

	(void)state;
	filter_key(0, a);
	filter_key(FILTER_CAP(CHOWN), b);
	assert_string_equal(a, b);
	filter_key(FILTER_CAP(SYS_ADMIN), b);
	assert_string_not_equal(a, b);
}

static void the_key_has_what_the_table_asks_for(void **state)
{
	(void)state;
	assert_int_equal(filter_relevant_caps() | FILTER_CAP(AUDIT_WRITE), FILTER_RELEVANT_CAPS);
}

/* What its rules take for n calls, each of which is allowed with some arguments only. */
static scmp_filter_ctx looks_at_arguments(int n)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	assert_non_null(ctx);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, i, 3,
						  SCMP_A0(SCMP_CMP_GE, HIGH | (unsigned)i, 0),
						  SCMP_A1(SCMP_CMP_NE, HIGH | (unsigned)i, 0),
						  SCMP_A2(SCMP_CMP_EQ, HIGH | (unsigned)i, 0)),
				 0);
	return ctx;
}

static size_t length_of(scmp_filter_ctx ctx)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t len;

	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	len = lseek(fd, 0, SEEK_END);
	close(fd);
	return (size_t)len / sizeof(struct sock_filter);
}

/* The kernel takes it as libseccomp writes it. */
static void a_profile_of_almost_the_longest(void **state)
{
	struct fail f = {0};
	scmp_filter_ctx ctx;
	int fd = memfd_create("filter", MFD_CLOEXEC), n = 330;
	size_t len, want;

	(void)state;
	for (ctx = looks_at_arguments(n); length_of(ctx) > BPF_MAXINSNS;) {
		seccomp_release(ctx);
		ctx = looks_at_arguments(--n);
	}
	want = length_of(ctx);
	assert_in_range(want, BPF_MAXINSNS - 50, BPF_MAXINSNS);
	if (filter_write(ctx, NULL, fd, &f) < 0)
		fail_msg("%s", f.text);
	seccomp_release(ctx);
	free(file);
	assert_int_equal(io_read_fd(fd, "filter", 1 << 20, &file, &len, &f), 0);
	close(fd);
	program = ((const struct filter_file *)(void *)file)->insns;
	length = ((const struct filter_file *)(void *)file)->n;
	assert_in_range(length, 1, BPF_MAXINSNS);
	for (uint32_t i = 0; i < 330; i++) {
		assert_int_equal(NATIVE(i, HIGH | i, 0, HIGH | i),
				 (int)i < n ? SECCOMP_RET_ALLOW : REFUSED(EPERM));
		assert_int_equal(NATIVE(i, HIGH | i, HIGH | i, HIGH | i), REFUSED(EPERM));
	}
}

static int teardown(void **state)
{
	(void)state;
	free(file);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_table),
		cmocka_unit_test(refused_by_arguments),
		cmocka_unit_test(namespaces_are_refused),
		cmocka_unit_test(personality_by_value),
		cmocka_unit_test(capabilities_open_what_needs_them),
		cmocka_unit_test(it_is_short),
		cmocka_unit_test(never_whatever_the_capabilities),
		cmocka_unit_test(key_changes_with_what_matters_only),
		cmocka_unit_test(the_key_has_what_the_table_asks_for),
		cmocka_unit_test(a_profile_of_almost_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
