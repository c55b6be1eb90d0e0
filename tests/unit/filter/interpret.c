/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filter/interpret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>
#include <string.h>

static uint32_t alu(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_AND: return a & k;
	case BPF_OR: return a | k;
	case BPF_ADD: return a + k;
	case BPF_SUB: return a - k;
	case BPF_RSH: return a >> k;
	case BPF_LSH: return a << k;
	}
	fail_msg("alu %x", code);
	return 0;
}

static bool jump(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ: return a == k;
	case BPF_JGT: return a > k;
	case BPF_JGE: return a >= k;
	case BPF_JSET: return a & k;
	}
	fail_msg("jump %x", code);
	return false;
}

uint32_t interpret(const struct sock_filter *p, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0, memory[BPF_MEMWORDS] = {0};

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &p[pc];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			if (BPF_MODE(i->code) == BPF_MEM)
				a = memory[i->k];
			else
				memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ST: memory[i->k] = a; break;
		case BPF_ALU: a = alu(i->code, a, i->k); break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				pc += i->k;
			else
				pc += jump(i->code, a, i->k) ? i->jt : i->jf;
			break;
		case BPF_RET: return i->k;
		default: fail_msg("instruction %x", i->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}
