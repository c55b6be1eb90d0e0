/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/steps.h"

#include <stdio.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/report.h"

static const struct step_code codes[STEP__N] = {
	[STEP_LIMIT] = {.apply = limit_apply}, /* the cgroup is PID 1's, made anew for each start */
	[STEP_IO_MAX] = {.apply = io_max_apply},
	[STEP_DEVICE_FILTER] = {.apply = device_filter_apply},
	[STEP_VOLUME_MAKE] = {.apply = volume_make_apply}, /* a volume stays */
	[STEP_DEVICE_VOLUME] = {.apply = device_volume_apply, .undo = device_volume_undo},
	[STEP_SPREAD] = {.apply = spread_apply}, /* the host's mounts stay so */
	[STEP_RECORD] = {.apply = record_apply, .undo = record_undo},
	[STEP_SCRATCH] = {.apply = scratch_apply, .undo = scratch_undo},
	[STEP_FILTER] = {.apply = filter_apply, .some = STEPS_EXEC_HELPER},
	[STEP_INIT] = {.apply = init_apply, .undo = init_undo},
	[STEP_POD] = {.apply = pod_apply},
	[STEP_NET_PATH] = {.apply = net_path_apply},
	[STEP_JOINED] = {.apply = joined_apply},
	[STEP_NAMESPACES] = {.apply = namespaces_apply, .undo = namespaces_undo, .pinned = true},
	[STEP_PORT] = {.apply = port_apply, .undo = port_undo, .pinned = true},
	[STEP_POD_KEEP] = {.apply = pod_keep_apply}, /* the pod's, whatever becomes of its member */
	[STEP_CLONE] = {.apply = clone_apply},
	[STEP_HAND_OVER] = {.apply = hand_over_apply},
	[STEP_PRIVATE] = {.apply = private_apply},
	[STEP_JOIN_NET] = {.apply = join_net_apply},
	[STEP_NET_SYSCTL] = {.apply = net_sysctl_apply},
	[STEP_LOOPBACK] = {.apply = loopback_apply},
	[STEP_KEYRING] = {.apply = keyring_apply},
	[STEP_RLIMIT] = {.apply = rlimit_apply, .some = STEPS_EXEC_HOST},
	[STEP_OOM_SCORE] = {.apply = oom_score_apply, .some = STEPS_EXEC_HOST},
	[STEP_STAGE] = {.apply = stage_apply},
	[STEP_LAYER] = {.apply = layer_apply},
	[STEP_LOWER] = {.apply = lower_apply},
	[STEP_UPPER] = {.apply = upper_apply},
	[STEP_UNION] = {.apply = union_apply},
	[STEP_OVERLAY] = {.apply = overlay_apply},
	[STEP_MOUNT] = {.apply = mount_apply},
	[STEP_DEVICE] = {.apply = device_apply},
	[STEP_HOST_DEVICE] = {.apply = host_device_apply},
	[STEP_LINK] = {.apply = link_apply},
	[STEP_SYSCTL] = {.apply = sysctl_apply},
	[STEP_VOLUME] = {.apply = volume_apply},
	[STEP_ATTACH_VOLUME] = {.apply = attach_volume_apply},
	[STEP_ATTACH_UNION] = {.apply = attach_union_apply},
	[STEP_TMPFS] = {.apply = tmpfs_apply},
	[STEP_FILE] = {.apply = file_apply},
	[STEP_HOST_GATEWAY] = {.apply = host_gateway_apply},
	[STEP_BIND_FILE] = {.apply = bind_file_apply},
	[STEP_TIMEZONE] = {.apply = timezone_apply},
	[STEP_SECRET] = {.apply = secret_apply},
	[STEP_MASK] = {.apply = mask_apply},
	[STEP_READ_ONLY] = {.apply = read_only_apply},
	[STEP_OWN] = {.apply = own_apply},
	[STEP_ROOT_READ_ONLY] = {.apply = root_read_only_apply},
	[STEP_STDIO] = {.apply = stdio_apply},
	[STEP_PIVOT] = {.apply = pivot_apply},
	[STEP_JOIN_USER] = {.apply = join_user_apply},
	[STEP_WAIT] = {.apply = wait_apply},
	[STEP_HOSTNAME] = {.apply = hostname_apply},
	[STEP_USER] = {.apply = user_apply, .some = STEPS_EXEC},
	[STEP_WORKDIR] = {.apply = workdir_apply, .some = STEPS_EXEC},
	[STEP_BOUNDING] = {.apply = bounding_apply, .some = STEPS_EXEC},
	[STEP_NO_NEW_PRIVS] = {.apply = no_new_privs_apply, .some = STEPS_EXEC},
	[STEP_IDS] = {.apply = ids_apply, .some = STEPS_EXEC},
	[STEP_SECCOMP] = {.apply = seccomp_apply, .some = STEPS_EXEC},
	[STEP_CAPS] = {.apply = caps_apply, .some = STEPS_EXEC},
	[STEP_EXEC] = {.apply = exec_apply, .some = STEPS_EXEC},
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
