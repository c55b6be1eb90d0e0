/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container start as data: an ordered array of steps, each an operation with its arguments as text.
 *
 * plan_make() is pure: it decides everything that can be decided from the spec and the image's config.
 * What it leaves open is only what the kernel or the image's files must answer (does a path exist, what
 * is the uid of "postgres"). So a plan can be printed without root and compared with a golden one, and
 * steps.c, which applies it, decides nothing.
 *
 * Steps run in the order of the array, in two processes: those before STEP_CLONE in orlop-run itself
 * (they can be undone), the others in the container's first process, whose end undoes them: what they
 * make lives in namespaces that nobody else holds.
 *
 * Arguments: numbers are decimal, sizes bytes, ids the host's, comma lists as the kernel takes them.
 * The plan owns its strings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "runtime/image.h"
#include "runtime/merge.h"
#include "units/spec.h"

/* In the order in which a usual plan has them. */
enum step_op {
	/* in orlop-run */
	STEP_LIMIT,
	STEP_IO_MAX,
	STEP_DEVICE_FILTER,
	STEP_VOLUME_MAKE,
	STEP_DEVICE_VOLUME,
	STEP_SPREAD,
	STEP_RECORD,
	STEP_SCRATCH,
	STEP_FILTER,
	STEP_INIT,
	STEP_POD,
	STEP_NET_PATH,
	STEP_JOINED,
	STEP_NAMESPACES,
	STEP_PORT,
	STEP_POD_KEEP,
	STEP_CLONE,
	/* in the container's first process, as the host's root */
	STEP_HAND_OVER,
	STEP_PRIVATE,
	STEP_JOIN_NET,
	STEP_NET_SYSCTL,
	STEP_LOOPBACK,
	STEP_KEYRING,
	STEP_RLIMIT,
	STEP_OOM_SCORE,
	STEP_STAGE,
	STEP_LAYER,
	STEP_LOWER,
	STEP_UPPER,
	STEP_UNION,
	STEP_OVERLAY,
	STEP_MOUNT,
	STEP_DEVICE,
	STEP_HOST_DEVICE,
	STEP_LINK,
	STEP_SYSCTL,
	STEP_VOLUME,
	STEP_ATTACH_VOLUME,
	STEP_ATTACH_UNION,
	STEP_TMPFS,
	STEP_FILE,
	STEP_HOST_GATEWAY,
	STEP_BIND_FILE,
	STEP_TIMEZONE,
	STEP_SECRET,
	STEP_MASK,
	STEP_READ_ONLY,
	STEP_OWN,
	STEP_ROOT_READ_ONLY,
	STEP_STDIO,
	STEP_PIVOT,
	/* as the container's root */
	STEP_JOIN_USER,
	STEP_WAIT,
	STEP_HOSTNAME,
	STEP_USER,
	STEP_WORKDIR,
	STEP_BOUNDING,
	STEP_NO_NEW_PRIVS,
	STEP_IDS,
	STEP_SECCOMP,
	STEP_CAPS,
	STEP_EXEC,
	STEP__N,
};

#define STEP_ARGS 4

struct step {
	enum step_op op;
	char *arg[STEP_ARGS]; /* NULL = the operation has no such argument */
};

struct step_info {
	const char *name;              /* what a failure is reported under; at most 31 characters */
	const char *labels[STEP_ARGS]; /* what the arguments are, for people */
};

extern const struct step_info step_infos[STEP__N];

struct plan {
	struct step *steps;
	size_t n;
	bool bad; /* memory ran out while it was made */
	struct process process;
	bool mapped;         /* the container has a user namespace of its own */
	uint32_t uid0, gid0; /* its root on the host; 0 if not mapped */
};

/* Makes the plan in a zeroed struct; on failure it is empty again. -EINVAL: the unit asks for what cannot
 * work, with the reason. mounted: the images that mounts are of (image_find_mounted()); NULL: none are mounted, it
 * is about a process in a container that runs. */
int plan_make(struct plan *plan, const struct container_spec *spec, const struct image *image,
	      const struct image *mounted, struct fail *f);
void plan_done(struct plan *plan);

/* One line a step: its name, then label=value for each argument; then the process. */
void plan_show(const struct plan *plan, struct buf *out);
