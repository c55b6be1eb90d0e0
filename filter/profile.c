/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile in Docker's JSON -> a filter, with the meaning that Docker, Podman and crun give it. What they
 * ignore is ignored (comments, calls this libseccomp does not know); what would weaken the filter if it were ignored
 * (an unknown action or operator, a notify listener) refuses the profile.
 */
#include "filter/filter.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/cleanup.h"

#define ARGS_MAX 6

struct profile {
	scmp_filter_ctx ctx;
	uint64_t caps;
	const char *release;
	uint32_t otherwise; /* the default action */
};

static const struct {
	const char *name;
	uint32_t action;
	bool takes_errno;
} actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true}, /* no tracer: ENOSYS */
};

static const struct {
	const char *name;
	enum scmp_compare op;
} operators[] = {
	{"SCMP_CMP_NE", SCMP_CMP_NE},
	{"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_EQ", SCMP_CMP_EQ},
	{"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT},
	{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

static const struct {
	const char *docker, *oci;
	uint32_t arch;
} arches[] = {
	{"amd64", "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
	{"x86", "SCMP_ARCH_X86", SCMP_ARCH_X86},
	{"x32", "SCMP_ARCH_X32", SCMP_ARCH_X32},
	{"arm64", "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
	{"arm", "SCMP_ARCH_ARM", SCMP_ARCH_ARM},
};

#ifdef __x86_64__
#define HERE "amd64"
#else
#define HERE "arm64"
#endif

static int parse_action(const char *name, const json_t *number, uint32_t *ret, struct fail *f)
{
	json_int_t value = json_is_integer(number) ? json_integer_value(number) : EPERM;

	for (size_t i = 0; name && i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		if (value < 0 || value > 4095)
			return fail_set(f, EINVAL, "errnoRet %lld", (long long)value);
		*ret = actions[i].action | (actions[i].takes_errno ? (uint32_t)value : 0);
		return 0;
	}
	return fail_set(f, 0, "action \"%.64s\" is not supported", name ? name : "");
}

/* --- which rules count ------------------------------------------------------------------------ */

static bool has_cap(uint64_t caps, const char *name)
{
	cap_value_t n;

	return cap_from_name(name, &n) == 0 && n >= 0 && n < 64 && (caps >> n & 1);
}

/* "6.1" <= "6.1.0-56-cloud" */
static bool kernel_at_least(const char *release, const char *want)
{
	char *end;
	long have = strtol(release, &end, 10), need = strtol(want, NULL, 10);
	const char *dot = strchr(want, '.');

	if (have != need)
		return have > need;
	return (*end == '.' ? strtol(end + 1, NULL, 10) : 0) >=
	       (dot ? strtol(dot + 1, NULL, 10) : 0);
}

static bool any(const json_t *list, bool (*holds)(const struct profile *p, const char *word),
		const struct profile *p)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (json_is_string(item) &&
					      holds(p, json_string_value(item))) return true;
	return false;
}

static bool cap_held(const struct profile *p, const char *word)
{
	return has_cap(p->caps, word);
}

static bool cap_missing(const struct profile *p, const char *word)
{
	return !has_cap(p->caps, word);
}

static bool arch_here(const struct profile *p, const char *word)
{
	(void)p;
	return !strcmp(word, HERE);
}

/* All that "includes" names must be so, nothing that "excludes" names. */
static bool counts(const struct profile *p, const json_t *rule)
{
	const json_t *in = json_object_get(rule, "includes"),
		     *ex = json_object_get(rule, "excludes");
	const json_t *in_arches = json_object_get(in, "arches");
	const char *in_kernel = json_string_value(json_object_get(in, "minKernel"));
	const char *ex_kernel = json_string_value(json_object_get(ex, "minKernel"));

	if (any(json_object_get(in, "caps"), cap_missing, p))
		return false;
	if (json_array_size(in_arches) && !any(in_arches, arch_here, p))
		return false;
	if (in_kernel && !kernel_at_least(p->release, in_kernel))
		return false;
	return !any(json_object_get(ex, "caps"), cap_held, p) &&
	       !any(json_object_get(ex, "arches"), arch_here, p) &&
	       !(ex_kernel && kernel_at_least(p->release, ex_kernel));
}

/* --- rules ------------------------------------------------------------------------------------ */

static int parse_arg(const json_t *item, struct scmp_arg_cmp *ret, struct fail *f)
{
	const json_t *index = json_object_get(item, "index");
	const char *op = json_string_value(json_object_get(item, "op"));
	json_int_t n = json_is_integer(index) ? json_integer_value(index) : -1;

	if (n < 0 || n >= ARGS_MAX)
		return fail_set(f, 0, "args: no index from 0 to 5");
	for (size_t i = 0; op && i < ARRAY_LEN(operators); i++) {
		/* masked: value is the mask, valueTwo what is left of the argument under it */
		uint64_t value = (uint64_t)json_integer_value(json_object_get(item, "value"));
		uint64_t two = (uint64_t)json_integer_value(json_object_get(item, "valueTwo"));

		if (strcmp(operators[i].name, op) != 0)
			continue;
		*ret = (struct scmp_arg_cmp){(unsigned)n, operators[i].op, value, two};
		return 0;
	}
	return fail_set(f, 0, "operator \"%.64s\" is not known", op ? op : "");
}

static int add_rule(struct profile *p, int call, uint32_t action, const struct scmp_arg_cmp *args,
		    unsigned n, struct fail *f)
{
	int r = seccomp_rule_add_array(p->ctx, action, call, n, args);

	return r < 0 && r != -EEXIST ? fail_set(f, -r, "seccomp rule") : 0;
}

/* Two conditions on one argument cannot be in one rule: as with Docker each is then a rule of its own. */
static int add_conditions(struct profile *p, int call, uint32_t action,
			  const struct scmp_arg_cmp *args, unsigned n, struct fail *f)
{
	unsigned seen = 0;
	bool twice = false;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		twice |= seen >> args[i].arg & 1;
		seen |= 1u << args[i].arg;
	}
	if (!twice)
		return add_rule(p, call, action, args, n, f);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = add_rule(p, call, action, &args[i], 1, f);
	return r;
}

static int add_syscall(struct profile *p, const json_t *name, uint32_t action,
		       const struct scmp_arg_cmp *args, unsigned n, struct fail *f)
{
	int call;

	if (!json_is_string(name))
		return fail_set(f, 0, "a name of a system call is no text");
	call = seccomp_syscall_resolve_name(json_string_value(name));
	/* newer than this libseccomp: the default action has it */
	return call == __NR_SCMP_ERROR ? 0 : add_conditions(p, call, action, args, n, f);
}

static int add_entry(struct profile *p, const json_t *entry, struct fail *f)
{
	const json_t *names = json_object_get(entry, "names"),
		     *list = json_object_get(entry, "args");
	const json_t *item;
	struct scmp_arg_cmp args[ARGS_MAX];
	unsigned n = 0;
	uint32_t action;
	size_t i;
	int r;

	if (!json_is_object(entry))
		return fail_set(f, 0, "an entry of \"syscalls\" is no object");
	if (!counts(p, entry))
		return 0;
	r = parse_action(json_string_value(json_object_get(entry, "action")),
			 json_object_get(entry, "errnoRet"), &action, f);
	if (json_array_size(list) > ARGS_MAX)
		return fail_set(f, 0, "more than %d conditions in one entry", ARGS_MAX);
	json_array_foreach(list, i, item)
	{
		if (r == 0)
			r = parse_arg(item, &args[n++], f);
	}
	if (r < 0 || action == p->otherwise)
		return r; /* what happens anyway needs no rule */
	if (json_object_get(entry, "name"))
		r = add_syscall(p, json_object_get(entry, "name"), action, args, n, f);
	json_array_foreach(names, i, item)
	{
		if (r == 0)
			r = add_syscall(p, item, action, args, n, f);
	}
	return r;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int add_arch(struct profile *p, const char *name, struct fail *f)
{
	for (size_t i = 0; name && i < ARRAY_LEN(arches); i++) {
		int r;

		if (strcmp(arches[i].oci, name) != 0)
			continue;
		r = seccomp_arch_add(p->ctx, arches[i].arch);
		return r < 0 && r != -EEXIST ? fail_set(f, -r, "architecture %s", name) : 0;
	}
	return 0; /* another machine's */
}

/* "architectures" lists them; "archMap" says which go with the machine's own. */
static int add_arches(struct profile *p, const json_t *root, struct fail *f)
{
	const json_t *item, *map = json_object_get(root, "archMap");
	size_t i, k;
	int r = 0;

	json_array_foreach(json_object_get(root, "architectures"), i, item)
	{
		if (r == 0)
			r = add_arch(p, json_string_value(item), f);
	}
	json_array_foreach(map, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "architecture"));
		const json_t *sub, *subs = json_object_get(item, "subArchitectures");

		for (size_t a = 0; name && a < ARRAY_LEN(arches); a++)
			if (!strcmp(arches[a].oci, name) && !strcmp(arches[a].docker, HERE))
				json_array_foreach(subs, k, sub)
				{
					if (r == 0)
						r = add_arch(p, json_string_value(sub), f);
				}
	}
	return r;
}

static int build(struct profile *p, const json_t *root, struct fail *f)
{
	const json_t *entry, *syscalls = json_object_get(root, "syscalls");
	size_t i;
	int r = parse_action(json_string_value(json_object_get(root, "defaultAction")),
			     json_object_get(root, "defaultErrnoRet"), &p->otherwise, f);

	if (r < 0)
		return r;
	if (json_object_get(root, "listenerPath"))
		return fail_set(f, 0, "listenerPath is not supported");
	if (syscalls && !json_is_array(syscalls))
		return fail_set(f, 0, "\"syscalls\" is no list");
	p->ctx = seccomp_init(p->otherwise);
	if (!p->ctx)
		return fail_set(f, ENOMEM, "seccomp filter");
	if (seccomp_attr_set(p->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) < 0 ||
	    seccomp_attr_set(p->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		return fail_set(f, EINVAL, "seccomp filter");
	r = add_arches(p, root, f);
	json_array_foreach(syscalls, i, entry)
	{
		if (r == 0)
			r = add_entry(p, entry, f);
	}
	return r;
}

int filter_compile_profile(const char *json, size_t len, uint64_t caps, const char *release, int fd,
			   struct fail *f)
{
	struct profile p = {.caps = caps, .release = release};
	json_error_t error;
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
	int r;

	if (!root)
		return fail_set(f, 0, "line %d: %.150s", error.line, error.text);
	r = json_is_object(root) ? build(&p, root, f) : fail_set(f, 0, "it is no JSON object");
	if (r == 0)
		r = filter_write(p.ctx, NULL, fd, f);
	if (p.ctx)
		seccomp_release(p.ctx);
	json_decref(root);
	return r;
}
