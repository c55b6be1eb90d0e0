/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shell holds of a unit while anything of it exists: children, fds, where a command list has got to. Made
 * when it is first needed, kept until the unit is forgotten: the pinned namespaces and the output
 * pipe belong to the unit and outlive its restarts.
 *
 * Only the exec_*.c files know this; the supervisor knows the unit by the same id.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/children.h"
#include "init/task.h"
#include "init/loop.h"
#include "init/sup.h"
#include "units/unit.h"

struct run {
	uint32_t unit;
	char *name, *service; /* owned: the unit's files may be gone before it is */

	/* a container's start, exec_container.c */
	struct child starter; /* orlop-run */
	struct watch report;  /* our end of its socket */
	bool report_open, cloned;
	int error; /* errno of the step that failed; 0 = none did */
	char step[32], text[160];

	/* the main process */
	struct child main;
	int stop_signal;       /* what the image says; 0 = SIGTERM */
	struct watch stranger; /* its pidfd, where it is not our child (MAINPID=) */
	size_t command;        /* oneshot: which of its ExecStart= */

	/* its cgroup, exec_cgroup.c; -1 = there is none */
	int cgroup;
	char *place; /* owned: its path below the units'; NULL = it was never made */
	struct watch events, memory; /* cgroup.events, memory.events */
	uint64_t oom_kills;
	struct timer remove_again;
	unsigned removals;

	/* pinned namespaces, -1 = none */
	int userns, netns;

	/* command lists, exec_helper.c */
	struct child helper;
	enum sup_helper which;
	size_t helper_at;
	struct task net_down; /* then the removal of its disposable root */
	bool net_failed;

	struct child probe;

	bool told; /* the console has said where it can be reached */
};

/* NULL: no memory, or no such unit. */
struct run *run_get(uint32_t unit);

struct run *run_make(uint32_t unit, const char *name, const char *service);

/* The same, but never made: NULL if nothing of the unit exists. */
struct run *run_find(uint32_t unit);

/* The unit whose cgroup has this name; SUP_NONE. */
uint32_t run_by_service(const char *service);

/* ACTION_FORGOTTEN. */
void run_forget(uint32_t unit);

/* Pushes EVENT_START_FAILED with what f says. */
void run_start_failed(const struct run *r, const char *step, const struct fail *f);

/* Revival: run_save.c. */
struct vault_writer;
void run_save(struct vault_writer *w);
#define RUN_WORDS 24
int run_restore(char *const *args, struct fail *f);
/* Tells the supervisor what it believes in and is not there, and kills what it does not know. */
int run_reconcile(struct fail *f);
uint32_t run_count(void); /* ids are below */

/* --- exec_cgroup.c --- */
/* The directory fd of the units' cgroup; -1: this host has no cgroups. */
void run_cgroups_init(int units);

/* A cgroup that was never killed, empty, watched: r->cgroup. -EBUSY: an earlier run's processes are left. */
int run_cgroup_fresh(struct run *r, struct fail *f);
/* Whether processes are in it. If there are none the supervisor is told: the kernel tells a change only once. */
bool run_cgroup_populated(const struct run *r);
/* orlop pause: its processes stand still, and are still there. */
int run_cgroup_freeze(struct run *r, bool on, struct fail *f);
bool run_cgroup_frozen(const struct run *r);
/* Revival: the cgroup as it is, if it is there. */
int run_cgroup_again(struct run *r, struct fail *f);
/* Kills what is in cgroups of which `known` says no. */
int run_cgroups_kill_unknown(bool (*known)(const char *service), struct fail *f);
/* Whether the kernel killed something in it for memory since it was made. */
bool run_cgroup_oom(struct run *r);
/* [Service] limits of a unit that runs on the host; orlop-run writes a container's. */
int run_cgroup_limits(struct run *r, const struct unit_limits *limits, struct fail *f);
void run_cgroup_close(struct run *r);

/* --- exec_service.c --- */
/* Starts a command of a unit on the host, in the unit's cgroup, with its environment, user and output. */
pid_t run_command(struct run *r, const struct unit *u, const struct command *command,
		  int *ret_pidfd, struct fail *f);
/* The main process is reaped. */
void run_main_ended(struct child *c, int code, int status);
/* MAINPID=: from now on this process of the unit's is the main one. Takes the pidfd. */
void run_main_is(uint32_t unit, pid_t pid, int pidfd);
void run_watch_stranger(struct run *r);
void run_stranger_close(struct run *r);

/* --- exec_container.c --- */
void run_report_close(struct run *r);
int run_report_again(struct run *r, int fd, struct fail *f);
void run_starter_ended(struct child *c, int code, int status);

/* --- exec_helper.c, exec_probe.c --- */
void run_helper_ended(struct child *c, int code, int status);
void run_probe_ended(struct child *c, int code, int status);
/* Runs a command inside the unit's container (`orlop-run exec`); what it writes goes nowhere. */
pid_t run_inside(struct run *r, const struct text_list *command, int *ret_pidfd, struct fail *f);
