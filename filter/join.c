/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "filter/join.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define JUMP_MAX 250u /* jt and jf have 8 bits; a little is left for a jump in between */

/* --- what a program says of one call ------------------------------------------------------- */

/* A verdict, or the place from which on arguments decide. */
struct outcome {
	const struct join_program *program; /* NULL: a verdict */
	uint32_t value;                     /* SECCOMP_RET_*, or the number of an instruction */
};

/* Where outcomes may change: ascending, from 0 on. */
struct points {
	uint32_t *at;
	size_t n, room;
	bool bad; /* out of memory */
};

static void points_add(struct points *p, uint32_t value)
{
	size_t i = p->n;

	while (i && p->at[i - 1] > value)
		i--;
	if (i && p->at[i - 1] == value)
		return;
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		uint32_t *more = reallocarray(p->at, room, sizeof(*more));

		if (!more) {
			p->bad = true;
			return;
		}
		p->at = more;
		p->room = room;
	}
	memmove(p->at + i + 1, p->at + i, (p->n - i) * sizeof(*p->at));
	p->at[i] = value;
	p->n++;
}

/* The value itself, and what is above it, may fare in another way than what is below. */
static void points_split(struct points *p, uint32_t value)
{
	points_add(p, value);
	if (value < UINT32_MAX)
		points_add(p, value + 1);
}

static bool jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ: return a == i->k;
	case BPF_JGT: return a > i->k;
	default: return a >= i->k;
	}
}

static bool compares(const struct sock_filter *i)
{
	return i->code == (BPF_JMP | BPF_JEQ | BPF_K) || i->code == (BPF_JMP | BPF_JGT | BPF_K) ||
	       i->code == (BPF_JMP | BPF_JGE | BPF_K);
}

/* One call's way through a program; every number that it is compared with becomes a point. */
static int follow(const struct join_program *p, uint32_t arch, uint32_t nr, struct points *arches,
		  struct points *nrs, struct outcome *ret)
{
	struct points *met = NULL;
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->n; pc++) {
		const struct sock_filter *i = &p->insns[pc];

		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			bool is_nr = i->k == offsetof(struct seccomp_data, nr);

			if (!is_nr && i->k != offsetof(struct seccomp_data, arch)) {
				*ret = (struct outcome){.program = p, .value = (uint32_t)pc};
				return 0;
			}
			a = is_nr ? nr : arch;
			met = is_nr ? nrs : arches;
		} else if (i->code == (BPF_RET | BPF_K)) {
			*ret = (struct outcome){.value = i->k};
			return 0;
		} else if (i->code == (BPF_JMP | BPF_JA)) {
			pc += i->k;
		} else if (met && compares(i)) {
			points_split(met, i->k);
			pc += jumps(i, a) ? i->jt : i->jf;
		} else {
			return -EINVAL;
		}
	}
	return -EINVAL;
}

static bool allows(const struct outcome *o)
{
	return !o->program && o->value == SECCOMP_RET_ALLOW;
}

/* The lower, as a signed number, the more severe. */
static int32_t severity(const struct outcome *o)
{
	return (int32_t)(o->value & SECCOMP_RET_ACTION_FULL);
}

static int combine(const struct outcome *one, const struct outcome *two, struct outcome *ret)
{
	if (allows(one))
		*ret = *two;
	else if (allows(two))
		*ret = *one;
	else if (one->program || two->program)
		return -EINVAL;
	else
		*ret = severity(two) <= severity(one) ? *two : *one;
	return 0;
}

/* --- code, written from its end ------------------------------------------------------------ */

/* A label is how many instructions there are from a place to the end: what is written later does not move it. */
struct code {
	struct sock_filter *insns; /* the last one first */
	size_t n;
	bool bad;
	const struct join_program *first; /* whose labels are in copied[0] */
	size_t *copied[2]; /* of each instruction that was copied: its label; 0 = not yet */
};

static size_t emit(struct code *c, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (c->n == BPF_MAXINSNS) {
		c->bad = true;
		return c->n;
	}
	c->insns[c->n++] =
		(struct sock_filter){.code = code, .k = k, .jt = (uint8_t)jt, .jf = (uint8_t)jf};
	return c->n;
}

/* One place, or two that say the same. */
static bool same(const struct code *c, size_t a, size_t b)
{
	const struct sock_filter *one = &c->insns[a - 1], *two = &c->insns[b - 1];

	return a == b ||
	       (one->code == (BPF_RET | BPF_K) && two->code == one->code && two->k == one->k);
}

static size_t jump_to(struct code *c, size_t label)
{
	return emit(c, BPF_JMP | BPF_JA, (uint32_t)(c->n - label), 0, 0);
}

/* The label, or what says the same from where it is in reach: a verdict, a jump that another has needed, a new one. */
static size_t near(struct code *c, size_t label)
{
	if (c->n - label <= JUMP_MAX)
		return label;
	for (size_t at = c->n; c->n - at < JUMP_MAX; at--) {
		const struct sock_filter *i = &c->insns[at - 1];

		if (same(c, at, label) || (i->code == (BPF_JMP | BPF_JA) && at - 1 - i->k == label))
			return at;
	}
	return jump_to(c, label);
}

/* What comes before a place falls through into it. */
static void precede(struct code *c, size_t label)
{
	if (label != c->n)
		jump_to(c, label);
}

static size_t compare(struct code *c, uint16_t how, uint32_t k, size_t yes, size_t no)
{
	yes = near(c, yes);
	no = near(c, no);
	return emit(c, BPF_JMP | how | BPF_K, k, c->n - yes, c->n - no);
}

/* The instruction and all that it may lead to. */
static size_t copy(struct code *c, const struct join_program *p, size_t pc)
{
	size_t *labels = c->copied[p == c->first ? 0 : 1];
	const struct sock_filter *i = &p->insns[pc];

	if (pc >= p->n) {
		c->bad = true;
		return c->n;
	}
	if (labels[pc])
		return labels[pc];
	if (i->code == (BPF_JMP | BPF_JA)) {
		labels[pc] = copy(c, p, pc + 1 + i->k);
	} else if (BPF_CLASS(i->code) == BPF_JMP) {
		size_t yes = copy(c, p, pc + 1 + i->jt);
		size_t no = copy(c, p, pc + 1 + i->jf);

		labels[pc] = compare(c, BPF_OP(i->code), i->k, yes, no);
	} else {
		if (BPF_CLASS(i->code) != BPF_RET)
			precede(c, copy(c, p, pc + 1));
		labels[pc] = emit(c, i->code, i->k, 0, 0);
	}
	return labels[pc];
}

/* --- ranges -------------------------------------------------------------------------------- */

struct range {
	uint32_t from;
	size_t label; /* where one goes whose number is in it */
};

static size_t tree(struct code *c, const struct range *r, size_t n)
{
	size_t left, right, middle = n / 2;

	if (n == 1)
		return r->label;
	if (n == 3 && same(c, r[0].label, r[2].label) && r[1].from + 1 == r[2].from)
		return compare(c, BPF_JEQ, r[1].from, r[1].label, r[2].label);
	right = tree(c, r + middle, n - middle);
	left = tree(c, r, middle);
	return compare(c, BPF_JGE, r[middle].from, right, left);
}

/* Neighbours that lead to the same place become one. */
static size_t look_up(struct code *c, struct range *r, size_t n, uint32_t offset)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept || !same(c, r[kept - 1].label, r[i].label))
			r[kept++] = r[i];
	if (kept == 1)
		return r->label;
	precede(c, tree(c, r, kept));
	return emit(c, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

/* The place for an outcome: verdicts are near whoever asks, and so there may be several of one. */
static size_t place(struct code *c, const struct outcome *o, const struct outcome *known,
		    const struct range *at, size_t n)
{
	if (o->program)
		return copy(c, o->program, o->value);
	for (size_t i = 0; i < n; i++)
		if (!known[i].program && known[i].value == o->value)
			return at[i].label;
	return emit(c, BPF_RET | BPF_K, o->value, 0, 0);
}

struct join {
	const struct join_program *first, *second;
	struct points arches;
	struct code code;
};

/* Both programs on one call. */
static int ask(struct join *j, uint32_t arch, uint32_t nr, struct points *nrs, struct outcome *ret)
{
	struct outcome one, two = {.value = SECCOMP_RET_ALLOW};
	int r = follow(j->first, arch, nr, &j->arches, nrs, &one);

	if (r == 0 && j->second->n)
		r = follow(j->second, arch, nr, &j->arches, nrs, &two);
	return r < 0 ? r : combine(&one, &two, ret);
}

/* All calls of one architecture. Asking brings new points to ask about. */
static int write_arch(struct join *j, uint32_t arch, size_t *ret_label)
{
	struct points nrs = {0};
	_free_
	struct outcome *outcomes = NULL;
	_free_
	struct range *ranges = NULL;
	size_t asked = 0;
	int r = 0;

	points_add(&nrs, 0);
	while (r == 0 && !nrs.bad && asked < nrs.n) {
		struct outcome ignored;

		asked = nrs.n;
		for (size_t i = 0; r == 0 && i < nrs.n; i++)
			r = ask(j, arch, nrs.at[i], &nrs, &ignored);
	}
	if (r == 0 && !nrs.bad) {
		outcomes = calloc(nrs.n, sizeof(*outcomes));
		ranges = calloc(nrs.n, sizeof(*ranges));
	}
	if (r == 0 && (!outcomes || !ranges))
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < nrs.n; i++) {
		r = ask(j, arch, nrs.at[i], &nrs, &outcomes[i]);
		ranges[i].from = nrs.at[i];
		if (r == 0)
			ranges[i].label = place(&j->code, &outcomes[i], outcomes, ranges, i);
	}
	if (r == 0)
		*ret_label = look_up(&j->code, ranges, nrs.n, offsetof(struct seccomp_data, nr));
	free(nrs.at);
	return r;
}

/* As with the calls: every architecture that is compared with is met on the way. */
static int write_all(struct join *j)
{
	_free_
	struct range *ranges = NULL;
	size_t n = 0;
	int r = 0;

	points_add(&j->arches, 0);
	/* the least that has no code yet; those found meanwhile may lie below */
	while (r == 0 && !j->arches.bad && n < j->arches.n) {
		struct range *more = reallocarray(ranges, n + 1, sizeof(*ranges));
		size_t at = 0;

		if (!more)
			return -ENOMEM;
		ranges = more;
		while (at < n && ranges[at].from == j->arches.at[at])
			at++;
		memmove(ranges + at + 1, ranges + at, (n - at) * sizeof(*ranges));
		ranges[at].from = j->arches.at[at];
		r = write_arch(j, ranges[at].from, &ranges[at].label);
		n++;
	}
	if (r < 0)
		return r;
	if (j->arches.bad)
		return -ENOMEM;
	precede(&j->code, look_up(&j->code, ranges, n, offsetof(struct seccomp_data, arch)));
	return 0;
}

int join_programs(const struct join_program *first, const struct join_program *second,
		  struct sock_filter ret[BPF_MAXINSNS], size_t *ret_n, struct fail *f)
{
	struct join j = {.first = first, .second = second};
	int r;

	j.code = (struct code){.insns = ret, .first = first};
	j.code.copied[0] = calloc(first->n + 1, sizeof(size_t));
	j.code.copied[1] = calloc(second->n + 1, sizeof(size_t));
	r = j.code.copied[0] && j.code.copied[1] ? write_all(&j) : -ENOMEM;
	for (size_t i = 0; i < j.code.n / 2; i++) {
		struct sock_filter insn = ret[i];

		ret[i] = ret[j.code.n - 1 - i];
		ret[j.code.n - 1 - i] = insn;
	}
	*ret_n = j.code.n;
	if (r == 0 && j.code.bad)
		r = -E2BIG;
	free(j.code.copied[0]);
	free(j.code.copied[1]);
	free(j.arches.at);
	return r < 0 ? fail_set(f, -r, "joining seccomp programs") : 0;
}
