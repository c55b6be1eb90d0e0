/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One start, while it is being applied: what the steps share. Used by the steps_*.c files only.
 *
 * Two processes use it: orlop-run, and from STEP_CLONE on the container's first process, which runs in
 * orlop-run's memory and with its fds while that stands still, until the exec or the end (as after vfork).
 * fds are -1 when not open and close-on-exec; the exec (or exit) closes what is left.
 *
 * A step's apply() returns 0 or -errno with the fail set. What it made is taken back by its undo() if a
 * later step of orlop-run fails; steps of the container's first process have none (see plan.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fail.h"
#include "runtime/passwd.h"
#include "runtime/plan.h"
#include "runtime/seccomp.h"

#define DEVICE_VOLUMES_MAX 32

/* A volume with the option U, until STEP_OWN. */
struct owned {
	int mount;          /* its top */
	bool inside;        /* it shows ids as they are in the container, not the host's */
	const char *target; /* the plan's */
};

struct run {
	const struct container_spec *spec;
	const struct image *image;
	const struct image *mounted; /* start: as image_find_mounted() gives them */
	const struct plan *plan;
	const char *words; /* the spec as it came */
	size_t words_len;
	struct process *process; /* the plan's; the user step adds HOME */

	struct session *session; /* start: with whom it talks; NULL = nobody */
	bool tty;                /* its input is a terminal of its own */
	int parent; /* exec: a pipe, at its end when orlop-run is no more; -1: that does not matter */
	const struct copy *copy; /* exec: a file is copied, nothing is executed */
	bool timed;              /* say what each step takes */

	int report; /* to PID 1 */
	int cgroup;
	int userns, netns;
	bool fresh_net;     /* the network namespace is new, not kept from an earlier start */
	bool net_is_others; /* it is one that somebody else has made: nothing of ours to keep */
	pid_t founder;      /* of the namespaces; killed, and reaped when there is time */
	bool ahead;         /* it was there before the job, and fits: lo is up */
	int uts;            /* the pod's; -1 = a new one */
	int pod_lock;
	bool pod_new, pod_kept; /* this start makes the pod's namespaces; the pod has them */

	int pidfd; /* of the container's first process */
	pid_t pid;

	int scratch; /* the directory that has this start's upper/ and work/ */
	char *scratch_name;
	bool trash;      /* earlier starts have left something to sweep */
	bool hears_host; /* the host's mounts are not private yet: a volume's must not be */
	int stage;       /* tmpfs in the container's mount namespace: layers, root, masks */
	int root;        /* the container's root */
	int dev;         /* its /dev */
	int secrets;     /* ramfs in the stage */
	int volumes[DEVICE_VOLUMES_MAX]; /* detached mounts of devices */
	unsigned n_volumes;
	unsigned n_secrets;
	struct owned *owned; /* volumes whose files are to be the user's */
	size_t n_owned;

	int init; /* the program that is process 1, or -1: the container's own is */

	struct seccomp_filter filter; /* set by STEP_FILTER */
	struct passwd_user user;      /* set by STEP_USER */
	bool handed_over;             /* PID 1 has the pidfd and the namespaces */
	bool waited;                  /* PID 1 has given its go */
	bool failed;                  /* a step of the container's first process failed */
};

/* In a volume's folder beside `data`, until its first use is done with. */
#define VOLUME_NEW "new"

struct step_code {
	int (*apply)(struct run *run, char *const *arg, struct fail *f);
	void (*undo)(struct run *run, char *const *arg);
	int some;    /* enum steps_some (steps.h): it is a step of exec too */
	bool pinned; /* after the hand-over it is PID 1's to keep, whatever becomes of this start */
};

/* The operations, by file. */
int limit_apply(struct run *run, char *const *arg, struct fail *f);
int io_max_apply(struct run *run, char *const *arg, struct fail *f);
int device_filter_apply(struct run *run, char *const *arg, struct fail *f);
int volume_make_apply(struct run *run, char *const *arg, struct fail *f);
int record_apply(struct run *run, char *const *arg, struct fail *f);
void record_undo(struct run *run, char *const *arg);
int scratch_apply(struct run *run, char *const *arg, struct fail *f);
void scratch_undo(struct run *run, char *const *arg);
int port_apply(struct run *run, char *const *arg, struct fail *f);
void port_undo(struct run *run, char *const *arg);

int init_apply(struct run *run, char *const *arg, struct fail *f);
void init_undo(struct run *run, char *const *arg);
int pod_apply(struct run *run, char *const *arg, struct fail *f);
int net_path_apply(struct run *run, char *const *arg, struct fail *f);
int pod_keep_apply(struct run *run, char *const *arg, struct fail *f);
int joined_apply(struct run *run, char *const *arg, struct fail *f);

int namespaces_apply(struct run *run, char *const *arg, struct fail *f);
void namespaces_undo(struct run *run, char *const *arg);
int clone_apply(struct run *run, char *const *arg, struct fail *f);
int hand_over_apply(struct run *run, char *const *arg, struct fail *f);
int private_apply(struct run *run, char *const *arg, struct fail *f);
int join_net_apply(struct run *run, char *const *arg, struct fail *f);
int net_sysctl_apply(struct run *run, char *const *arg, struct fail *f);
int loopback_apply(struct run *run, char *const *arg, struct fail *f);
int join_user_apply(struct run *run, char *const *arg, struct fail *f);
int wait_apply(struct run *run, char *const *arg, struct fail *f);
int hostname_apply(struct run *run, char *const *arg, struct fail *f);

int stage_apply(struct run *run, char *const *arg, struct fail *f);
int layer_apply(struct run *run, char *const *arg, struct fail *f);
int upper_apply(struct run *run, char *const *arg, struct fail *f);
int overlay_apply(struct run *run, char *const *arg, struct fail *f);
int root_read_only_apply(struct run *run, char *const *arg, struct fail *f);
int pivot_apply(struct run *run, char *const *arg, struct fail *f);

int mount_apply(struct run *run, char *const *arg, struct fail *f);
int device_apply(struct run *run, char *const *arg, struct fail *f);
int host_device_apply(struct run *run, char *const *arg, struct fail *f);
int link_apply(struct run *run, char *const *arg, struct fail *f);
int mask_apply(struct run *run, char *const *arg, struct fail *f);
int read_only_apply(struct run *run, char *const *arg, struct fail *f);

int spread_apply(struct run *run, char *const *arg, struct fail *f);
int lower_apply(struct run *run, char *const *arg, struct fail *f);
int union_apply(struct run *run, char *const *arg, struct fail *f);
int attach_union_apply(struct run *run, char *const *arg, struct fail *f);
int own_apply(struct run *run, char *const *arg, struct fail *f);

int volume_apply(struct run *run, char *const *arg, struct fail *f);
int device_volume_apply(struct run *run, char *const *arg, struct fail *f);
void device_volume_undo(struct run *run, char *const *arg);
int attach_volume_apply(struct run *run, char *const *arg, struct fail *f);
int tmpfs_apply(struct run *run, char *const *arg, struct fail *f);
int file_apply(struct run *run, char *const *arg, struct fail *f);
int host_gateway_apply(struct run *run, char *const *arg, struct fail *f);
int bind_file_apply(struct run *run, char *const *arg, struct fail *f);
int timezone_apply(struct run *run, char *const *arg, struct fail *f);
int secret_apply(struct run *run, char *const *arg, struct fail *f);

int filter_apply(struct run *run, char *const *arg, struct fail *f);

int keyring_apply(struct run *run, char *const *arg, struct fail *f);
int rlimit_apply(struct run *run, char *const *arg, struct fail *f);
int oom_score_apply(struct run *run, char *const *arg, struct fail *f);
int sysctl_apply(struct run *run, char *const *arg, struct fail *f);
int stdio_apply(struct run *run, char *const *arg, struct fail *f);
int user_apply(struct run *run, char *const *arg, struct fail *f);
int workdir_apply(struct run *run, char *const *arg, struct fail *f);
int bounding_apply(struct run *run, char *const *arg, struct fail *f);
int no_new_privs_apply(struct run *run, char *const *arg, struct fail *f);
int ids_apply(struct run *run, char *const *arg, struct fail *f);
int seccomp_apply(struct run *run, char *const *arg, struct fail *f);
int caps_apply(struct run *run, char *const *arg, struct fail *f);
int exec_apply(struct run *run, char *const *arg, struct fail *f);

/* Becomes process 1 as run->init, with a child that exec() puts the program into: that returns only -errno. If it
 * did, so does this, with *ret_error. */
int run_exec_below_init(struct run *run, int (*exec)(struct run *run), int *ret_error,
			struct fail *f);

/* Attaches a detached mount as `name` in the stage: private, with the container's ids, MOUNT_ATTR_* bits set. */
int run_put_in_stage(struct run *run, int mount, const char *name, uint64_t attr, struct fail *f);

/* A detached mount of a volume ("volume") or host directory ("bind"), as it is on the host, without what is mounted
 * in it. */
int run_clone_volume(const char *type, const char *source, struct fail *f);

/* Attaches a detached mount at a path of the container's, with a volume's options. */
int run_attach(struct run *run, int mount, const char *path, const char *options, struct fail *f);

/* Who the unit's user is by the container's own files; groups: comma list of more. */
int run_find_user(struct run *run, const char *user, const char *groups, struct passwd_user *ret,
		  struct fail *f);

/* Makes files be created as the container's root sees itself: fsuid and fsgid to the range's base, file
 * capabilities kept. An overlay whose layers are idmapped is silently read-only without it. */
int run_act_as_root(struct run *run, struct fail *f);

/* Output goes to a pipe that somebody on the host made: the container's root must be able to open it again
 * by /dev/stdout, as many images do. */
int run_own_output(struct run *run, struct fail *f);
