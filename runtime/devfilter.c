/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/devfilter.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

/* Registers: what is asked about stays in 2 to 5, 6 is scratch. */
enum { R_RESULT = 0, R_CTX = 1, R_TYPE = 2, R_ACCESS = 3, R_MAJOR = 4, R_MINOR = 5, R_SCRATCH = 6 };

#define RULE_INSNS_MAX 8 /* of one rule, counted below */
#define FRAME_INSNS    8 /* loading, and the refusal at the end */

struct writer {
	struct bpf_insn *insns;
	size_t n;
};

static void emit(struct writer *w, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	w->insns[w->n++] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};
}

static void load(struct writer *w, uint8_t reg, size_t offset)
{
	emit(w, BPF_LDX | BPF_MEM | BPF_W, reg, R_CTX, (int16_t)offset, 0);
}

static void answer(struct writer *w, int32_t yes)
{
	emit(w, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, yes);
	emit(w, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Jumps that skip a rule are written with offset 0 and aimed once its length is known. */
static void unless_equal(struct writer *w, uint8_t reg, uint32_t value)
{
	emit(w, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, (int32_t)value);
}

static void add_rule(struct writer *w, const struct devfilter_rule *r)
{
	const uint32_t all = DEVFILTER_MKNOD | DEVFILTER_READ | DEVFILTER_WRITE;
	size_t start = w->n;

	unless_equal(w, R_TYPE, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (r->access != all) {
		emit(w, BPF_ALU64 | BPF_MOV | BPF_X, R_SCRATCH, R_ACCESS, 0, 0);
		emit(w, BPF_ALU64 | BPF_AND | BPF_K, R_SCRATCH, 0, 0, (int32_t)(all & ~r->access));
		unless_equal(w, R_SCRATCH, 0);
	}
	if (r->major != DEVFILTER_ANY)
		unless_equal(w, R_MAJOR, r->major);
	if (r->minor != DEVFILTER_ANY)
		unless_equal(w, R_MINOR, r->minor);
	answer(w, 1);
	for (size_t i = start; i < w->n; i++)
		if (BPF_CLASS(w->insns[i].code) == BPF_JMP32)
			w->insns[i].off = (int16_t)(w->n - i - 1);
}

struct bpf_insn *devfilter_build(const struct devfilter_rule *rules, size_t n, size_t *ret_n)
{
	struct writer w = {0};

	w.insns = calloc(n * RULE_INSNS_MAX + FRAME_INSNS, sizeof(*w.insns));
	if (!w.insns)
		return NULL;
	load(&w, R_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(&w, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	emit(&w, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	emit(&w, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	load(&w, R_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(&w, R_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0; i < n; i++)
		add_rule(&w, &rules[i]);
	answer(&w, 0);
	*ret_n = w.n;
	return w.insns;
}

uint32_t devfilter_access(const char *rwm)
{
	uint32_t bits = 0;

	for (; *rwm; rwm++) {
		if (*rwm == 'r')
			bits |= DEVFILTER_READ;
		else if (*rwm == 'w')
			bits |= DEVFILTER_WRITE;
		else if (*rwm == 'm')
			bits |= DEVFILTER_MKNOD;
		else
			return 0;
	}
	return bits;
}
