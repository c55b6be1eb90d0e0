/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joined programs against those that they were joined of, call by call: what libseccomp writes, and programs made at
 * random. SEED=n repeats one of the latter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "filter/join.h"
#include "tests/unit/filter/interpret.h"

#define ARRAY(x) (sizeof(x) / sizeof((x)[0]))

static struct sock_filter joined[BPF_MAXINSNS];
static size_t joined_n;

static const uint32_t arches[] = {0,
				  AUDIT_ARCH_I386 - 1,
				  AUDIT_ARCH_I386,
				  AUDIT_ARCH_I386 + 1,
				  AUDIT_ARCH_ARM,
				  AUDIT_ARCH_X86_64,
				  AUDIT_ARCH_X86_64 + 1,
				  UINT32_MAX};

/* The kernel's way to combine what two filters say: the severest, of equals the one that was installed last. */
static uint32_t both(const struct join_program *p, const struct seccomp_data *data)
{
	uint32_t one = interpret(p[0].insns, p[0].n, data);
	uint32_t two = p[1].n ? interpret(p[1].insns, p[1].n, data) : SECCOMP_RET_ALLOW;
	int32_t first = (int32_t)(one & SECCOMP_RET_ACTION_FULL);
	int32_t second = (int32_t)(two & SECCOMP_RET_ACTION_FULL);

	return second <= first ? two : one;
}

static void ask(const struct join_program *p, uint32_t arch, uint32_t nr, const uint64_t args[3])
{
	struct seccomp_data data = {
		.arch = arch, .nr = (int)nr, .args = {args[0], args[1], args[2]}};
	uint32_t want = both(p, &data), got = interpret(joined, joined_n, &data);

	if (want != got)
		fail_msg("arch %x, call %u (%jx, %jx, %jx): %x, should be %x", arch, nr,
			 (uintmax_t)args[0], (uintmax_t)args[1], (uintmax_t)args[2], got, want);
}

static void ask_all(const struct join_program *p)
{
	static const uint64_t args[][3] = {{0, 0, 0},
					   {1, 2, 3},
					   {3, 7, 1},
					   {UINT64_MAX, UINT64_MAX, 9},
					   {UINT64_C(1) << 32, 5, 5}};
	static const uint32_t bases[] = {0, 0x40000000 - 300, 0x80000000 - 300, UINT32_MAX - 599};

	for (size_t a = 0; a < ARRAY(arches); a++)
		for (size_t b = 0; b < ARRAY(bases); b++)
			for (uint32_t n = 0; n < 600; n++)
				for (size_t i = 0; i < ARRAY(args); i++)
					ask(p, arches[a], bases[b] + n, args[i]);
}

static void join(const struct join_program *p)
{
	struct fail f = {0};

	if (join_programs(&p[0], &p[1], joined, &joined_n, &f) < 0)
		fail_msg("%s", f.text);
}

/* --- libseccomp's -------------------------------------------------------------------------- */

static struct join_program export(scmp_filter_ctx ctx)
{
	struct join_program p;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	char *data;
	size_t len;

	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	assert_int_equal(io_read_fd(fd, "filter", 1 << 20, &data, &len, NULL), 0);
	close(fd);
	p.insns = (struct sock_filter *)(void *)data;
	p.n = len / sizeof(struct sock_filter);
	return p;
}

static void program_of_libseccomp(uint32_t optimize)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	struct join_program p[2] = {0};

	assert_non_null(ctx);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize), 0);
	assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
	for (int n = 0; n < 330; n++)
		if (n % 7 && n % 11 && n != 16)
			seccomp_rule_add(ctx, n % 5 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM), n, 0);
	assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, 16, 2, SCMP_A0(SCMP_CMP_GT, 2, 0),
					  SCMP_A1(SCMP_CMP_MASKED_EQ, 6, 2)),
			 0);
	assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_LOG, 16, 1, SCMP_A2(SCMP_CMP_NE, 3, 0)), 0);
	p[0] = export(ctx);
	join(p);
	ask_all(p);
	free((void *)(uintptr_t)p[0].insns);
	seccomp_release(ctx);
}

static void a_tree_of_libseccomp(void **state)
{
	(void)state;
	program_of_libseccomp(2);
}

static void a_list_of_libseccomp(void **state)
{
	(void)state;
	program_of_libseccomp(1);
}

/* What is too far for a comparison is led to by one jump for all that are near it. */
static void it_grows_little(void **state)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	struct join_program p[2] = {0};

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	for (unsigned n = 0; n < 150; n++)
		assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, (int)n, 2,
						  SCMP_A0(SCMP_CMP_GT, n, 0),
						  SCMP_A1(SCMP_CMP_MASKED_EQ, 6, n & 6)),
				 0);
	p[0] = export(ctx);
	join(p);
	assert_in_range(joined_n, 1, p[0].n + p[0].n / 10);
	ask_all(p);
	free((void *)(uintptr_t)p[0].insns);
	seccomp_release(ctx);
}

/* --- at random ----------------------------------------------------------------------------- */

#define INSN(c, value, t, e) \
	((struct sock_filter){.code = (c), .k = (value), .jt = (uint8_t)(t), .jf = (uint8_t)(e)})

static uint32_t random_verdict(void)
{
	static const uint32_t verdicts[] = {SECCOMP_RET_ALLOW,     SECCOMP_RET_ERRNO | EPERM,
					    SECCOMP_RET_ERRNO | 9, SECCOMP_RET_KILL_PROCESS,
					    SECCOMP_RET_LOG,       SECCOMP_RET_ALLOW};

	return verdicts[(size_t)rand() % ARRAY(verdicts)];
}

static uint32_t random_number(void)
{
	static const uint32_t edges[] = {0, 1, 0x40000000, 0x7fffffff, 0x80000000, UINT32_MAX};

	return rand() % 8 ? (uint32_t)(rand() % 600) : edges[(size_t)rand() % ARRAY(edges)];
}

/* Comparisons that go forward to wherever, and at its end a look at an argument if it may. */
static size_t random_program(struct sock_filter *p, size_t n, bool looks)
{
	static const uint16_t how[] = {BPF_JEQ, BPF_JGT, BPF_JGE};
	bool arch = true;

	p[0] = INSN(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 1; i < n - 4; i++) {
		size_t left = n - 4 - i; /* the furthest is the look, or its verdict */

		if (left < 2 || rand() % 8 == 0) {
			arch = rand() % 4 == 0;
			p[i] = INSN(BPF_LD | BPF_W | BPF_ABS,
				    arch ? offsetof(struct seccomp_data, arch)
					 : offsetof(struct seccomp_data, nr),
				    0, 0);
		} else if (rand() % 16 == 0) {
			p[i] = INSN(BPF_RET | BPF_K, random_verdict(), 0, 0);
		} else if (rand() % 24 == 0) {
			p[i] = INSN(BPF_JMP | BPF_JA, (size_t)rand() % left, 0, 0);
		} else {
			size_t most = left < 200 ? left : 200;

			p[i] = INSN(BPF_JMP | how[(size_t)rand() % 3] | BPF_K,
				    arch ? arches[(size_t)rand() % ARRAY(arches)] : random_number(),
				    (size_t)rand() % (rand() % 2 ? 3 : most) % most,
				    (size_t)rand() % (rand() % 2 ? 3 : most) % most);
		}
	}
	if (looks) {
		p[n - 4] = INSN(BPF_LD | BPF_W | BPF_ABS,
				offsetof(struct seccomp_data, args) + 8 * ((size_t)rand() % 3), 0,
				0);
		p[n - 3] = INSN(BPF_JMP | BPF_JSET | BPF_K, 3, 0, 1);
	} else {
		p[n - 4] = INSN(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
		p[n - 3] = INSN(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	}
	p[n - 2] = INSN(BPF_RET | BPF_K, random_verdict(), 0, 0);
	p[n - 1] = INSN(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	return n;
}

static void programs_at_random(void **state)
{
	static struct sock_filter one[700], two[300];
	const char *seed = getenv("SEED");
	unsigned from = seed ? (unsigned)atoi(seed) : 1, to = seed ? from : 400, done = 0;

	(void)state;
	for (unsigned s = from; s <= to; s++) {
		struct join_program p[2] = {{.insns = one}, {.insns = two}};
		struct fail f = {0};

		srand(s);
		p[0].n = random_program(one, 8 + (size_t)rand() % 690, rand() % 2);
		p[1].n = rand() % 2 ? random_program(two, 8 + (size_t)rand() % 290, false) : 0;
		if (join_programs(&p[0], &p[1], joined, &joined_n, &f) < 0) {
			/* a verdict other than "allowed" beside a look at arguments */
			assert_int_equal(f.code, EINVAL);
			continue;
		}
		done++;
		ask_all(p);
	}
	assert_true(seed || done > 100);
}

/* --- refused ------------------------------------------------------------------------------- */

static void what_it_does_not_know_is_refused(void **state)
{
	static const struct sock_filter cases[][4] = {
		{INSN(BPF_ALU | BPF_AND | BPF_K, 3, 0, 0), INSN(BPF_RET | BPF_K, 0, 0, 0)},
		{INSN(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 0), INSN(BPF_RET | BPF_K, 0, 0, 0)},
		{INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0), INSN(BPF_JMP | BPF_JSET | BPF_K, 3, 0, 0),
		 INSN(BPF_RET | BPF_K, 0, 0, 0)},
		{INSN(BPF_LD | BPF_W | BPF_ABS, 0, 0, 0), INSN(BPF_JMP | BPF_JA, 9, 0, 0)},
		{INSN(BPF_LD | BPF_W | BPF_ABS, 16, 0, 0), INSN(BPF_JMP | BPF_JA, 9, 0, 0)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY(cases); i++) {
		struct join_program p[2] = {{.insns = cases[i], .n = 3}};
		struct fail f = {0};

		assert_true(join_programs(&p[0], &p[1], joined, &joined_n, &f) < 0);
		assert_non_null(strstr(f.text, "joining seccomp programs"));
	}
}

static void both_look_at_arguments(void **state)
{
	static const struct sock_filter look[] = {
		INSN(BPF_LD | BPF_W | BPF_ABS, 16, 0, 0), INSN(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1),
		INSN(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0), INSN(BPF_RET | BPF_K, 0, 0, 0)};
	const struct join_program p = {.insns = look, .n = ARRAY(look)};
	struct fail f = {0};

	(void)state;
	assert_int_equal(join_programs(&p, &p, joined, &joined_n, &f), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_of_libseccomp),
		cmocka_unit_test(a_list_of_libseccomp),
		cmocka_unit_test(it_grows_little),
		cmocka_unit_test(programs_at_random),
		cmocka_unit_test(what_it_does_not_know_is_refused),
		cmocka_unit_test(both_look_at_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
