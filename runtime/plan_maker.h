/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How plan.c makes a plan, in parts: each add_*() appends the steps of one concern, each check_*() refuses
 * what cannot work. Pure, and used by the plan_*.c files only. Memory that runs out is remembered in
 * plan->bad and told at the end.
 */
#pragma once

#include "runtime/plan.h"

struct maker {
	struct plan *plan;
	const struct container_spec *spec;
	const struct image *image;
	const struct image *mounted; /* by mount, those of type "image"; NULL: not looked at */
	struct strlist layers;       /* that are in the stage: each has its index for a name */
	bool mapped;                 /* a user namespace of its own */
	int64_t uid0, gid0;          /* the container's root on the host; 0 if not mapped */
	const char *net;             /* "host", "none", "bridge", "ns" */
	char *cap_list;              /* what root is to have */
	char *ambient_list; /* what another user is to have: the capabilities that the unit names */
};

/* Appends a step with copies of the arguments. */
void plan_add(struct maker *m, enum step_op op, const char *a, const char *b, const char *c,
	      const char *d);

#define ADD0(m, op)          plan_add(m, op, NULL, NULL, NULL, NULL)
#define ADD1(m, op, a)       plan_add(m, op, a, NULL, NULL, NULL)
#define ADD2(m, op, a, b)    plan_add(m, op, a, b, NULL, NULL)
#define ADD3(m, op, a, b, c) plan_add(m, op, a, b, c, NULL)

/* A number as text, good until the end of the statement. */
struct plan_number {
	char s[48];
};
struct plan_number plan_number(int64_t n);

/* Options of the tmpfs that is /dev/shm. */
struct plan_number plan_shm_options(const struct container_spec *s);

/* HostName=, or the container's name. */
const char *plan_hostname(const struct container_spec *s);

/* Whether the unit itself mounts something at exactly this path. */
bool plan_mounts_at(const struct container_spec *s, const char *path);

/* Whether text matches pattern, in which '*' stands for any characters of one component. */
bool plan_glob(const char *pattern, const char *text);

/* plan_check.c: -EINVAL with the reason; they fill the maker. */
int plan_check(struct maker *m, struct fail *f);

/* plan_limits.c */
void add_cgroup_limits(struct maker *m);
void add_rlimits(struct maker *m);
int add_sysctls(struct maker *m, struct fail *f);

/* Words of a comma list. */
bool plan_has_word(const char *list, const char *word);

/* Whether an image may say that this is a place for a volume. */
bool plan_place_is_good(const char *path);

/* plan_union.c */
void add_root(struct maker *m);
/* Whether a mount is an overlay of its own: an image, or a volume with the option O. */
bool plan_is_union(const struct spec_mount *mount);
void attach_union(struct maker *m, size_t number);

/* plan_mounts.c */
void add_kernel_mounts(struct maker *m);
void add_devices(struct maker *m);
/* Whether what the host mounts below a directory later is to be seen in a volume: slave, shared. */
bool plan_hears_host(const struct spec_mount *mount);
/* Whether files of any volume are to be given to the unit's user: U. */
bool plan_gives_volumes(const struct container_spec *s);
void add_device_volume(struct maker *m, const struct spec_mount *mount);
void add_volumes(struct maker *m);
void add_masks(struct maker *m);

/* plan_files.c */
void add_etc(struct maker *m);
void add_secrets(struct maker *m);
