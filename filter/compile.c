/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/filter.h"
#include "filter/join.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define AF_VSOCK_NUMBER      40
#define NETLINK_AUDIT_NUMBER 9
#define CLONE_NAMESPACES                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

/* The kernel looks at the low half of these arguments only; so do we. */
#define LOW(value) SCMP_CMP_MASKED_EQ, 0xffffffffu, (value)

static bool fits(const struct filter_rule *rule, uint64_t caps)
{
	return (!rule->with || (caps & rule->with)) && !(caps & rule->without);
}

static int add_names(scmp_filter_ctx ctx, const struct filter_rule *rule, struct fail *f)
{
	uint32_t action = rule->verdict == FILTER_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
	char name[64];

	for (const char *at = rule->names; *at;) {
		size_t len = strcspn(at, " ");
		int number, r;

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		number = seccomp_syscall_resolve_name(name);
		/* one that this libseccomp is too old to know stays refused */
		r = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(ctx, action, number, 0);
		if (r < 0)
			return fail_set(f, -r, "seccomp rule for %s", name);
		at += len + (at[len] == ' ');
	}
	return 0;
}

/* One filter: the table, and the calls that are allowed with some arguments only. */
static int add_allowed(scmp_filter_ctx ctx, uint64_t caps, struct fail *f)
{
	static const uint32_t personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
	int r = 0;

	for (const struct filter_rule *rule = filter_rules; r == 0 && rule->names; rule++)
		if (fits(rule, caps))
			r = add_names(ctx, rule, f);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(personalities); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
				     SCMP_A0(SCMP_CMP_EQ, personalities[i], 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 0);
	if (r == 0 && !(caps & FILTER_CAP(SYS_ADMIN)))
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0);
	return r < 0 ? fail_set(f, -r, "seccomp rule") : 0;
}

/* And one that has exceptions, for every architecture: pushing input to a terminal; new namespaces say EPERM. */
static int add_refused(scmp_filter_ctx ctx, uint64_t caps)
{
	static const uint32_t requests[] = {TIOCSTI, TIOCLINUX};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(requests); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
				     SCMP_A1(LOW(requests[i])));
	for (uint64_t bit = 1; r == 0 && bit <= CLONE_NAMESPACES; bit <<= 1)
		if ((CLONE_NAMESPACES & bit) && !(caps & FILTER_CAP(SYS_ADMIN)))
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					     SCMP_A0(SCMP_CMP_MASKED_EQ, bit, bit));
	return r;
}

/* Sockets, for the native architecture: 32-bit programs reach them through socketcall, whose arguments
 * are in memory where no filter sees them. */
static int add_refused_sockets(scmp_filter_ctx ctx, uint64_t caps)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				 SCMP_A0(LOW(AF_VSOCK_NUMBER)));

	if (r == 0 && !(caps & FILTER_CAP(AUDIT_WRITE)))
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(socket), 2,
				     SCMP_A0(LOW(AF_NETLINK)), SCMP_A2(LOW(NETLINK_AUDIT_NUMBER)));
	return r;
}

/* An empty filter for one architecture, or for this one when arch is 0. */
static scmp_filter_ctx new_filter(uint32_t otherwise, uint32_t arch)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);

	if (!ctx)
		return NULL;
	if ((arch &&
	     (seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) < 0 || seccomp_arch_add(ctx, arch) < 0)) ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) < 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0) {
		seccomp_release(ctx);
		return NULL;
	}
	return ctx;
}

static scmp_filter_ctx allowed_filter(uint64_t caps, struct fail *f)
{
	scmp_filter_ctx ctx = new_filter(SCMP_ACT_ERRNO(ENOSYS), 0);

	if (!ctx) {
		fail_set(f, ENOMEM, "seccomp filter");
		return NULL;
	}
#ifdef __x86_64__
	if (seccomp_arch_add(ctx, SCMP_ARCH_X86) < 0)
		fail_set(f, EINVAL, "seccomp: 32-bit calls");
	else
#endif
		if (add_allowed(ctx, caps, f) == 0)
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

static scmp_filter_ctx refused_filter(uint64_t caps, struct fail *f)
{
	scmp_filter_ctx ctx = new_filter(SCMP_ACT_ALLOW, 0);
	int r = ctx ? add_refused(ctx, caps) : -ENOMEM;

	if (r == 0)
		r = add_refused_sockets(ctx, caps);
#ifdef __x86_64__
	if (r == 0) {
		scmp_filter_ctx x86 = new_filter(SCMP_ACT_ALLOW, SCMP_ARCH_X86);

		r = x86 ? add_refused(x86, caps) : -ENOMEM;
		if (r == 0)
			r = seccomp_merge(ctx, x86); /* x86 is ctx's now */
		else if (x86)
			seccomp_release(x86);
	}
#endif
	if (r == 0)
		return ctx;
	fail_set(f, -r, "seccomp filter");
	if (ctx)
		seccomp_release(ctx);
	return NULL;
}

/* What libseccomp made of it. Its instructions are the caller's. */
static int export(scmp_filter_ctx ctx, struct join_program *ret, struct fail *f)
{
	_fd_
	int fd = memfd_create("seccomp", MFD_CLOEXEC);
	char *insns;
	size_t len;
	int r;

	if (fd < 0)
		return fail_set(f, errno, "memfd");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return fail_set(f, -r, "seccomp_export_bpf");
	r = io_read_fd(fd, "filter", BPF_MAXINSNS * sizeof(struct sock_filter), &insns, &len, f);
	if (r < 0)
		return r;
	ret->insns = (struct sock_filter *)(void *)insns;
	ret->n = len / sizeof(struct sock_filter);
	return 0;
}

/* One program in few instructions. One alone that cannot be made so, or would become too long, stays as it was. */
static int join(const struct join_program programs[2], struct sock_filter ret[BPF_MAXINSNS],
		size_t *ret_n, struct fail *f)
{
	int r = join_programs(&programs[0], &programs[1], ret, ret_n, f);

	if ((r != -E2BIG && r != -EINVAL) || programs[1].n)
		return r;
	memcpy(ret, programs[0].insns, programs[0].n * sizeof(*ret));
	*ret_n = programs[0].n;
	return 0;
}

int filter_write(scmp_filter_ctx first, scmp_filter_ctx second, int fd, struct fail *f)
{
	struct join_program programs[2] = {0};
	struct filter_file *file = calloc(1, FILTER_FILE_MAX);
	size_t n;
	int r = file ? export(first, &programs[0], f) : fail_set(f, ENOMEM, "seccomp filter");

	if (r == 0 && second)
		r = export(second, &programs[1], f);
	if (r == 0)
		r = join(programs, file->insns, &n, f);
	if (r == 0) {
		file->magic = FILTER_MAGIC;
		file->n = (uint32_t)n;
		r = io_write_all(fd, file, sizeof(*file) + n * sizeof(struct sock_filter));
		if (r < 0)
			fail_set(f, -r, "writing a seccomp filter");
	}
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		free((void *)(uintptr_t)programs[i].insns);
	free(file);
	return r;
}

int filter_compile(uint64_t caps, int fd, struct fail *f)
{
	scmp_filter_ctx allowed = allowed_filter(caps, f);
	scmp_filter_ctx refused = allowed ? refused_filter(caps, f) : NULL;
	int r = refused ? filter_write(allowed, refused, fd, f) : -EINVAL;

	if (allowed)
		seccomp_release(allowed);
	if (refused)
		seccomp_release(refused);
	return r;
}
