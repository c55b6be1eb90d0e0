/* SPDX-License-Identifier: Apache-2.0 */
/* The device program, run in an interpreter of the few instructions that it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/devfilter.h"

static const struct devfilter_rule rules[] = {
	{'c', DEVFILTER_ANY, DEVFILTER_ANY, DEVFILTER_MKNOD},
	{'c', 1, 3, 7},
	{'c', 136, DEVFILTER_ANY, 7},
	{'b', 8, 0, DEVFILTER_READ},
};

static int64_t interpret(const struct bpf_insn *insns, size_t n, struct bpf_cgroup_dev_ctx ctx)
{
	uint64_t r[11] = {0};

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t value = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint32_t)i->imm;
		uint32_t word;

		switch (BPF_CLASS(i->code)) {
		case BPF_LDX:
			memcpy(&word, (const char *)&ctx + i->off, sizeof(word));
			r[i->dst_reg] = word;
			break;
		case BPF_ALU64:
			if (BPF_OP(i->code) == BPF_MOV)
				r[i->dst_reg] = value;
			else if (BPF_OP(i->code) == BPF_AND)
				r[i->dst_reg] &= value;
			else if (BPF_OP(i->code) == BPF_RSH)
				r[i->dst_reg] >>= value;
			else
				fail_msg("alu %x", i->code);
			break;
		case BPF_JMP32:
			assert_int_equal(BPF_OP(i->code), BPF_JNE);
			if ((uint32_t)r[i->dst_reg] != (uint32_t)i->imm)
				pc += (size_t)i->off;
			break;
		case BPF_JMP: assert_int_equal(BPF_OP(i->code), BPF_EXIT); return (int64_t)r[0];
		default: fail_msg("instruction %x", i->code);
		}
	}
	fail_msg("the program has no end");
	return -1;
}

static bool allowed(char type, uint32_t major, uint32_t minor, uint32_t access)
{
	size_t n;
	struct bpf_insn *insns = devfilter_build(rules, ARRAY_LEN(rules), &n);
	int64_t r = interpret(insns, n,
			      (struct bpf_cgroup_dev_ctx){
				      .access_type = access << 16 | (type == 'b' ? 1 : 2),
				      .major = major,
				      .minor = minor,
			      });

	free(insns);
	return r == 1;
}

static void what_a_rule_names_is_allowed(void **state)
{
	(void)state;
	assert_true(allowed('c', 1, 3, DEVFILTER_READ | DEVFILTER_WRITE));
	assert_true(allowed('c', 136, 77, DEVFILTER_WRITE));
	assert_true(allowed('b', 8, 0, DEVFILTER_READ));
	assert_true(allowed('c', 9, 9, DEVFILTER_MKNOD));
}

static void everything_else_is_refused(void **state)
{
	(void)state;
	assert_false(allowed('b', 1, 3, DEVFILTER_READ));
	assert_false(allowed('c', 1, 4, DEVFILTER_READ));
	assert_false(allowed('c', 2, 3, DEVFILTER_READ));
	assert_false(allowed('b', 8, 0, DEVFILTER_WRITE));
	assert_false(allowed('b', 8, 0, DEVFILTER_READ | DEVFILTER_WRITE));
	assert_false(allowed('b', 8, 0, DEVFILTER_MKNOD));
	assert_false(allowed('c', 9, 9, DEVFILTER_MKNOD | DEVFILTER_READ));
}

static void access_words(void **state)
{
	(void)state;
	assert_int_equal(devfilter_access("rwm"), 7);
	assert_int_equal(devfilter_access("r"), DEVFILTER_READ);
	assert_int_equal(devfilter_access("rx"), 0);
	assert_int_equal(devfilter_access(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_rule_names_is_allowed),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(access_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
