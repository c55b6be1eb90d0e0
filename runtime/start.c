/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/start.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/job.h"
#include "base/limits.h"
#include "base/wire.h"
#include "runtime/environ.h"
#include "runtime/founder.h"
#include "runtime/report.h"
#include "runtime/scratch.h"
#include "runtime/session.h"
#include "runtime/steps.h"

static int fd_if_open(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
}

static int read_spec(struct run *run, struct container_spec *spec, const char *unit, struct fail *f)
{
	char *words = NULL; /* the run's, until the process ends */
	int r = io_read_fd(RUN_IN_SPEC, "spec", LIMIT_SPEC, &words, &run->words_len, f);

	run->words = words;
	if (r == 0)
		r = spec_decode(spec, words, run->words_len, f);
	if (r == 0 && (!spec->unit || strcmp(spec->unit, unit)))
		r = fail_set(f, EINVAL, "the spec is of \"%s\", not of \"%s\"",
			     spec->unit ? spec->unit : "", unit);
	return r;
}

/* What must be known before there are steps: reported as steps of their own. */
static int prepare(struct run *run, const char *unit, struct container_spec *spec,
		   struct image *image, struct plan *plan, const char **ret_step, struct fail *f)
{
	struct image *mounted = NULL; /* until the process ends */
	int r;

	*ret_step = "spec";
	r = read_spec(run, spec, unit, f);
	if (r < 0)
		return r;
	*ret_step = "environment";
	r = environ_read(spec, f);
	if (r < 0)
		return r;
	*ret_step = "image";
	r = image_find(image, spec->image ? spec->image : "", f);
	if (r == 0)
		r = image_find_mounted(spec, &mounted, f);
	if (r < 0)
		return r;
	run->mounted = mounted;
	*ret_step = "plan";
	return plan_make(plan, spec, image, mounted, f);
}

/* start [-F FRAME [-i] [-t] [-S ROWSxCOLUMNS] --] UNIT: with -F a client is attached. Returns the unit; NULL: it is
 * not of that form. */
static const char *read_words(int argc, char **argv, struct session *session)
{
	int option;

	optind = 1;
	while ((option = getopt(argc, argv, "+F:itS:")) != -1) {
		switch (option) {
		case 'F':
			session->on = true;
			session->client = RUN_IN_CLIENT;
			session->id = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'i': session->input = true; break;
		case 't': session->tty = true; break;
		case 'S':
			if (sscanf(optarg, "%ux%u", &session->rows, &session->columns) != 2)
				return NULL;
			break;
		default: return NULL;
		}
	}
	return optind == argc - 1 && (session->on || !session->tty) ? argv[optind] : NULL;
}

int verb_start(int argc, char **argv)
{
	static struct job job;
	struct session session = {0};
	struct container_spec spec = {0};
	struct image image = {0};
	struct plan plan = {0};
	struct run run = {
		.spec = &spec,
		.image = &image,
		.plan = &plan,
		.process = &plan.process,
		.report = RUN_IN_REPORT,
		.cgroup = RUN_IN_CGROUP,
		.pidfd = -1,
		.parent = -1,
		.scratch = -1,
		.stage = -1,
		.root = -1,
		.uts = -1,
		.init = -1,
		.pod_lock = -1,
		.dev = -1,
		.secrets = -1,
		.timed = getenv("ORLOP_STEP_TIMES") != NULL,
	};
	struct fail f = {0};
	const char *step, *unit;
	int r;

	if (argc > 1 || (argc && strcmp(argv[0], "-n") != 0))
		return 2;
	if (argc)
		founder_ahead(&run);
	r = job_receive(RUN_IN_REPORT, &job, &f);
	if (r == 0) { /* it was not needed */
		founder_reap(&run);
		return 0;
	}
	unit = r > 0 ? read_words(job.argc, job.argv, &session) : NULL;
	if (!unit) {
		if (r > 0)
			fail_set(&f, EPROTO, "orlop-run and orlop-init do not match");
		report_failed(RUN_IN_REPORT, "job", &f);
		return 1;
	}
	/* nothing of ours may live on in the container, whatever a step forgets */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	run.userns = fd_if_open(RUN_IN_USERNS);
	run.netns = fd_if_open(RUN_IN_NETNS);
	run.session = session.on ? &session : NULL;
	run.tty = session.tty;
	r = prepare(&run, unit, &spec, &image, &plan, &step, &f);
	if (r == 0) {
		step = "session";
		r = session_open(&session, &f);
	}
	if (r < 0) {
		report_failed(run.report, step, &f);
		return 1;
	}
	r = steps_apply(&run, &f);
	/* PID 1 knows by the end of this socket that the container's program runs */
	close(run.report);
	/* and now there is time for the rest, and for what the last start left */
	founder_reap(&run);
	if (run.trash)
		scratch_sweep();
	/* no clean-up of memory and fds: the process ends here, and the kernel is faster. The sweeper lives on in
	 * this memory, so nothing of it is touched any more. */
	_exit(r < 0 ? 1 : 0);
}
