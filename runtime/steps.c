/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/steps.h"

#include <stdio.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/report.h"

static const struct step_code codes[STEP__N] = {
	[STEP_LIMIT] = {limit_apply, NULL}, /* the cgroup is PID 1's, made anew for each start */
	[STEP_DEVICE_FILTER] = {device_filter_apply, NULL},
	[STEP_VOLUME_MAKE] = {volume_make_apply, NULL}, /* a volume stays */
	[STEP_RECORD] = {record_apply, record_undo},
	[STEP_SCRATCH] = {scratch_apply, scratch_undo},
	[STEP_FILTER] = {filter_apply, NULL, .some = STEPS_EXEC_HELPER},
	[STEP_NAMESPACES] = {namespaces_apply, namespaces_undo, .pinned = true},
	[STEP_PORT] = {port_apply, port_undo, .pinned = true},
	[STEP_CLONE] = {clone_apply, NULL},
	[STEP_HAND_OVER] = {hand_over_apply, NULL},
	[STEP_PRIVATE] = {private_apply, NULL},
	[STEP_JOIN_NET] = {join_net_apply, NULL},
	[STEP_NET_SYSCTL] = {net_sysctl_apply, NULL},
	[STEP_LOOPBACK] = {loopback_apply, NULL},
	[STEP_KEYRING] = {keyring_apply, NULL},
	[STEP_RLIMIT] = {rlimit_apply, NULL, .some = STEPS_EXEC_HOST},
	[STEP_OOM_SCORE] = {oom_score_apply, NULL, .some = STEPS_EXEC_HOST},
	[STEP_STAGE] = {stage_apply, NULL},
	[STEP_LAYER] = {layer_apply, NULL},
	[STEP_UPPER] = {upper_apply, NULL},
	[STEP_OVERLAY] = {overlay_apply, NULL},
	[STEP_MOUNT] = {mount_apply, NULL},
	[STEP_DEVICE] = {device_apply, NULL},
	[STEP_HOST_DEVICE] = {host_device_apply, NULL},
	[STEP_LINK] = {link_apply, NULL},
	[STEP_SYSCTL] = {sysctl_apply, NULL},
	[STEP_VOLUME] = {volume_apply, NULL},
	[STEP_DEVICE_VOLUME] = {device_volume_apply, NULL},
	[STEP_TMPFS] = {tmpfs_apply, NULL},
	[STEP_FILE] = {file_apply, NULL},
	[STEP_BIND_FILE] = {bind_file_apply, NULL},
	[STEP_TIMEZONE] = {timezone_apply, NULL},
	[STEP_SECRET] = {secret_apply, NULL},
	[STEP_MASK] = {mask_apply, NULL},
	[STEP_READ_ONLY] = {read_only_apply, NULL},
	[STEP_ROOT_READ_ONLY] = {root_read_only_apply, NULL},
	[STEP_STDIO] = {stdio_apply, NULL},
	[STEP_PIVOT] = {pivot_apply, NULL},
	[STEP_JOIN_USER] = {join_user_apply, NULL},
	[STEP_WAIT] = {wait_apply, NULL},
	[STEP_HOSTNAME] = {hostname_apply, NULL},
	[STEP_USER] = {user_apply, NULL, .some = STEPS_EXEC},
	[STEP_WORKDIR] = {workdir_apply, NULL, .some = STEPS_EXEC},
	[STEP_BOUNDING] = {bounding_apply, NULL, .some = STEPS_EXEC},
	[STEP_NO_NEW_PRIVS] = {no_new_privs_apply, NULL, .some = STEPS_EXEC},
	[STEP_IDS] = {ids_apply, NULL, .some = STEPS_EXEC},
	[STEP_SECCOMP] = {seccomp_apply, NULL, .some = STEPS_EXEC},
	[STEP_CAPS] = {caps_apply, NULL, .some = STEPS_EXEC},
	[STEP_INIT] = {init_apply, NULL},
	[STEP_EXEC] = {exec_apply, NULL, .some = STEPS_EXEC},
};

/* With ORLOP_STEP_TIMES in orlop-run's environment (PID 1 sets none) each step says on stderr what it
 * took, so that `make bench` can tell where a start's time goes. */
static int apply_timed(struct run *run, const struct step *step, struct fail *f)
{
	struct timespec a, b;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (step->op == STEP_EXEC || step->op == STEP_CLONE)
		dprintf(STDERR_FILENO, "step %s at %ld.%09ld\n", step_infos[step->op].name,
			(long)a.tv_sec, a.tv_nsec);
	r = codes[step->op].apply(run, step->arg, f);
	clock_gettime(CLOCK_MONOTONIC, &b);
	dprintf(STDERR_FILENO, "step %s %ld\n", step_infos[step->op].name,
		(b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
	return r;
}

static int apply(struct run *run, const struct step *step, struct fail *f)
{
	if (run->timed)
		return apply_timed(run, step, f);
	return codes[step->op].apply(run, step->arg, f);
}

static void undo(struct run *run, size_t n)
{
	while (n--) {
		const struct step *step = &run->plan->steps[n];
		const struct step_code *code = &codes[step->op];

		if (code->undo && !(code->pinned && run->handed_over))
			code->undo(run, step->arg);
	}
}

int steps_apply(struct run *run, struct fail *f)
{
	const struct plan *plan = run->plan;

	for (size_t i = 0; i < plan->n; i++) {
		const struct step *step = &plan->steps[i];
		int r = apply(run, step, f);

		if (r < 0) {
			/* undo first: who hears of the failure may start anew at once */
			undo(run, i);
			report_failed(run->report, step_infos[step->op].name, f);
			return r;
		}
		if (step->op != STEP_CLONE)
			continue;
		if (run->failed)
			undo(run, i);
		return run->failed ? -ECANCELED : 0;
	}
	return 0;
}

void steps_continue(struct run *run)
{
	const struct plan *plan = run->plan;
	struct fail f = {0};
	size_t i = 0;

	umask(0); /* modes as the steps say; exec sets the container's */
	while (plan->steps[i].op != STEP_CLONE)
		i++;
	for (i++; i < plan->n; i++) {
		if (apply(run, &plan->steps[i], &f) < 0)
			break;
		if (plan->steps[i].op == STEP_HAND_OVER)
			run->handed_over = true;
	}
	run->failed = true;
	/* PID 1 hears of a failure after it has heard of the process: it knows whose it is */
	if (run->handed_over && !run->waited && wait_apply(run, NULL, NULL) < 0)
		_exit(1);
	report_failed(run->report, step_infos[plan->steps[i].op].name, &f);
	_exit(1);
}

int steps_apply_some(struct run *run, enum steps_some which, const char **ret_step, struct fail *f)
{
	for (size_t i = 0; i < run->plan->n; i++) {
		const struct step *step = &run->plan->steps[i];
		int r;

		if (codes[step->op].some != (int)which)
			continue;
		*ret_step = step_infos[step->op].name;
		r = apply(run, step, f);
		if (r < 0)
			return r;
	}
	return 0;
}
