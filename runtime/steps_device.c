/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: which the cgroup allows, and the nodes of those that the unit adds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "runtime/devfilter.h"
#include "runtime/inroot.h"
#include "runtime/run.h"

#define DEPTH_MAX 4 /* folders in a folder of devices: /dev/bus/usb/001 has three */

/* The filter of a container without devices of its own is loaded once and kept in a bpf file system: the
 * kernel takes a hundred times as long to check the program as to attach it. */
#define PINS        PATH_RUNDIR "/bpf"
#define PIN_DEFAULT PINS "/devices"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct devfilter_rule *rules, size_t n, struct fail *f)
{
	static const char license[] = "Apache-2.0";
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE};
	_free_
	struct bpf_insn *insns = NULL;
	size_t count;
	int prog;

	insns = devfilter_build(rules, n, &count);
	if (!insns)
		return fail_set(f, ENOMEM, "device filter");
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uintptr_t)license;
	prog = bpf(BPF_PROG_LOAD, &attr);
	return prog < 0 ? fail_set(f, errno, "loading the device filter (CONFIG_CGROUP_BPF?)")
			: prog;
}

static int attach(int prog, int cgroup, struct fail *f)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)prog,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (bpf(BPF_PROG_ATTACH, &attr) < 0)
		return fail_set(f, errno, "attaching the device filter");
	return 0;
}

static int find_pinned(void)
{
	union bpf_attr attr = {.pathname = (uintptr_t)PIN_DEFAULT};

	return bpf(BPF_OBJ_GET, &attr);
}

/* Only for speed: a kernel without the file system has the program loaded at each start. */
static void pin(int prog)
{
	union bpf_attr attr = {.pathname = (uintptr_t)PIN_DEFAULT, .bpf_fd = (uint32_t)prog};
	struct statfs fs;

	if (mkdir(PINS, 0700) < 0 && errno != EEXIST)
		return;
	if (statfs(PINS, &fs) < 0 ||
	    (fs.f_type != BPF_FS_MAGIC &&
	     mount("bpf", PINS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0))
		return;
	(void)bpf(BPF_OBJ_PIN, &attr); /* EEXIST: another start was faster */
}

/* The nodes that every container has; and making nodes, which uses nothing. */
static const struct devfilter_rule defaults[] = {
	{'c', DEVFILTER_ANY, DEVFILTER_ANY, DEVFILTER_MKNOD},
	{'b', DEVFILTER_ANY, DEVFILTER_ANY, DEVFILTER_MKNOD},
	{'c', 1, 3, 7},               /* null */
	{'c', 1, 5, 7},               /* zero */
	{'c', 1, 7, 7},               /* full */
	{'c', 1, 8, 7},               /* random */
	{'c', 1, 9, 7},               /* urandom */
	{'c', 5, 0, 7},               /* tty */
	{'c', 5, 2, 7},               /* ptmx */
	{'c', 136, DEVFILTER_ANY, 7}, /* pts */
};

struct walk {
	struct run *run;
	int (*node)(struct walk *w, const char *path, const struct stat *st, struct fail *f);
	struct devfilter_rule *rules;
	size_t n;
	uint32_t access;
	const char *host, *container; /* where the walk began */
};

/* Calls w->node for path, or for every device in it. */
static int walk(struct walk *w, const char *path, int depth, struct fail *f)
{
	_dir_ DIR *dir = NULL;
	struct stat st;
	int r = 0;

	if (stat(path, &st) < 0)
		return fail_set(f, errno, "device \"%s\"", path);
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return w->node(w, path, &st, f);
	if (!S_ISDIR(st.st_mode))
		return depth ? 0 : fail_set(f, ENODEV, "\"%s\" is no device", path);
	if (depth == DEPTH_MAX || !(dir = opendir(path)))
		return fail_set(f, depth == DEPTH_MAX ? ELOOP : errno, "devices in \"%s\"", path);
	for (struct dirent *e; r == 0 && (e = readdir(dir));) {
		char below[512];

		if (e->d_name[0] == '.' || e->d_type == DT_LNK)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
		r = walk(w, below, depth + 1, f);
	}
	return r;
}

static int allow_node(struct walk *w, const char *path, const struct stat *st, struct fail *f)
{
	if (w->n == DEVFILTER_RULES_MAX)
		return fail_set(f, E2BIG, "\"%s\": more than %d devices", path,
				DEVFILTER_RULES_MAX);
	w->rules[w->n++] = (struct devfilter_rule){
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.access = w->access,
	};
	return 0;
}

int device_filter_apply(struct run *run, char *const *arg, struct fail *f)
{
	const struct container_spec *s = run->spec;
	struct devfilter_rule rules[DEVFILTER_RULES_MAX];
	struct walk w = {.run = run, .node = allow_node, .rules = rules, .n = ARRAY_LEN(defaults)};
	_fd_
	int prog = -1;

	(void)arg;
	memcpy(rules, defaults, sizeof(defaults));
	for (size_t i = 0; i < s->n_devices; i++) {
		const struct spec_device *d = &s->devices[i];
		int r;

		w.access = devfilter_access(*d->access ? d->access : "rwm");
		if (!w.access)
			return fail_set(f, EINVAL, "device access \"%s\" is not of rwm", d->access);
		r = walk(&w, d->host, 0, f);
		if (r < 0 && !(r == -ENOENT && *d->optional))
			return r;
	}
	prog = s->n_devices ? -1 : find_pinned();
	if (prog < 0) {
		prog = load(rules, w.n, f);
		if (prog < 0)
			return prog;
		if (!s->n_devices)
			pin(prog);
	}
	return attach(prog, run->cgroup, f);
}

/* A node in the container's /dev, with the host's mode and group number; root in there owns it. */
static int make_node(struct walk *w, const char *path, const struct stat *st, struct fail *f)
{
	const struct plan *plan = w->run->plan;
	char inside[512];
	const char *name;
	_fd_
	int parent = -1;

	snprintf(inside, sizeof(inside), "%s%s", w->container, path + strlen(w->host));
	parent = inroot_parent(w->run->root, inside, &name, f);
	if (parent < 0)
		return parent;
	if (mknodat(parent, name, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0 ||
	    fchownat(parent, name, plan->uid0, plan->gid0 + st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_set(f, errno, "making \"%s\"", inside);
	return 0;
}

int host_device_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct walk w = {.run = run, .node = make_node, .host = arg[0], .container = arg[1]};
	int r = walk(&w, arg[0], 0, f);

	return r == -ENOENT && !strcmp(arg[2], "no") ? 0 : r;
}
