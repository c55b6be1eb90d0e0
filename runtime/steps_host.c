/* SPDX-License-Identifier: Apache-2.0 */
/* What orlop-run itself does on the host before there is a container. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/started.h"
#include "base/words.h"
#include "netcfg/port.h"
#include "runtime/caps.h"
#include "runtime/run.h"
#include "runtime/scratch.h"

int limit_apply(struct run *run, char *const *arg, struct fail *f)
{
	int r = io_write_file(run->cgroup, arg[0], arg[1], f);

	/* a controller that the kernel lacks: only what the unit asked for must hold */
	return r == -ENOENT && !strcmp(arg[2], "no") ? 0 : r;
}

int io_max_apply(struct run *run, char *const *arg, struct fail *f)
{
	struct stat st;

	if (stat(arg[1], &st) < 0)
		return fail_set(f, errno, "%s=%s", arg[0], arg[1]);
	return cg_io_max(run->cgroup, &st, arg[2], f) < 0 ? fail_wrap(f, "%s=%s", arg[0], arg[1])
							  : 0;
}

/* With the marker first: a volume without it has been used. */
int volume_make_apply(struct run *run, char *const *arg, struct fail *f)
{
	char path[512];
	_fd_
	int dir = -1, marker = -1;
	int r;

	(void)run;
	snprintf(path, sizeof(path), PATH_VOLUMES "/%s", arg[0]);
	r = io_mkdirs(path, 0755, f);
	if (r < 0)
		return r;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_set(f, errno, "open(\"%s\")", path);
	if (faccessat(dir, "data", F_OK, 0) == 0)
		return 0;
	marker = openat(dir, VOLUME_NEW, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (marker < 0 || fsync(dir) < 0 || (mkdirat(dir, "data", 0755) < 0 && errno != EEXIST))
		return fail_set(f, errno, "making volume \"%s\"", arg[0]);
	return 0;
}

/* The spec for exec, which must know how the container was made, whatever the unit's files say by then; the images'
 * ids for prune, which must not take away what lies below it, whatever their names lead to by then. */
int record_apply(struct run *run, char *const *arg, struct fail *f)
{
	_buf_ struct buf ids = {0};
	int r = started_write(arg[0], STARTED_SPEC, run->words, run->words_len, f);

	words_add(&ids, run->image->id);
	for (size_t i = 0; run->mounted && i < run->spec->n_mounts; i++)
		if (run->mounted[i].id)
			words_add(&ids, run->mounted[i].id);
	if (r == 0 && ids.bad)
		r = fail_set(f, ENOMEM, "the images' ids");
	return r < 0 ? r : started_write(arg[0], STARTED_IMAGES, ids.data, ids.len, f);
}

void record_undo(struct run *run, char *const *arg)
{
	(void)run;
	started_remove(arg[0]);
}

int scratch_apply(struct run *run, char *const *arg, struct fail *f)
{
	return scratch_make(arg[0], &run->scratch, &run->scratch_name, &run->trash, f);
}

void scratch_undo(struct run *run, char *const *arg)
{
	close(take_fd(&run->scratch));
	scratch_remove(arg[0], run->scratch_name);
}

int filter_apply(struct run *run, char *const *arg, struct fail *f)
{
	uint64_t caps;

	if (caps_parse(arg[1], &caps) < 0)
		return fail_set(f, EINVAL, "capabilities \"%s\"", arg[1]);
	return filter_load(arg[0], caps, &run->filter, f);
}

int port_apply(struct run *run, char *const *arg, struct fail *f)
{
	const struct container_spec *s = run->spec;

	if (!run->fresh_net)
		return 0; /* the namespace was kept, and the port with it */
	return port_attach(arg[2] ? arg[2] : s->unit, s->networks, s->n_networks, s->ports,
			   s->n_ports, run->netns, f);
}

void port_undo(struct run *run, char *const *arg)
{
	if (run->fresh_net && !run->pod_kept)
		(void)port_detach(arg[2] ? arg[2] : run->spec->unit, NULL);
}
