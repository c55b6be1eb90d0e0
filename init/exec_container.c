/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container: orlop-run does it, this hands it what it needs and reads its reports (base/wire.h).
 *
 * A start is over when orlop-run is reaped and its socket is at its end: exec'ed if a process was cloned and
 * no step failed. If orlop-run dies without a report, what it may have cloned waits for a go that never
 * comes, or holds the socket open: the socket is closed then, and the supervisor is told that the
 * cgroup is populated, which it kills.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/job.h"
#include "base/paths.h"
#include "base/wire.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/logs.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/spare.h"
#include "init/text.h"
#include "init/transient.h"
#include "init/vault.h"

/* First host id of the first unit, and how many each has: 65,536, as the images' ids reach to 65535. */
#define IDS_FIRST 524288
#define IDS_EACH  65536

void run_report_close(struct run *r)
{
	if (!r->report_open)
		return;
	loop_unwatch(&r->report);
	shutdown(r->report.fd, SHUT_RDWR); /* whoever waits for a go sees the end now */
	vault_close(r->report.fd);
	r->report_open = false;
}

/* Tells the supervisor how the start went, once both orlop-run and its socket have ended. */
static void end_start(struct run *r)
{
	if (r->starter.pid || r->report_open)
		return;
	if (r->error) {
		struct fail f = {.code = r->error};

		snprintf(f.text, sizeof(f.text), "%s", r->text);
		run_start_failed(r, r->step, &f);
	} else if (r->cloned)
		shell_push(&(struct event){.kind = EVENT_EXECED, .unit = r->unit});
}

static void set_error(struct run *r, int code, const char *step, const char *text)
{
	if (r->error)
		return;
	r->error = code > 0 ? code : EIO;
	text_cut(r->step, sizeof(r->step), step);
	text_cut(r->text, sizeof(r->text), text);
}

/* The namespace belongs to the unit from now on. */
static void pin(int *pinned, int fd)
{
	vault_close(*pinned);
	*pinned = fd;
}

static void take_cloned(struct run *r, const struct run_report *report, int *fds, size_t n)
{
	static const struct {
		unsigned bit;
		size_t offset;
	} rows[] = {
		{RUN_FD_USERNS, offsetof(struct run, userns)},
		{RUN_FD_NETNS, offsetof(struct run, netns)},
	};
	const char go = RUN_GO;
	size_t next = 1;

	if (!(report->fds & RUN_FD_PIDFD) || n < 1 || report->pid <= 0 || r->main.pid) {
		set_error(r, EPROTO, "report", "orlop-run sent no process");
		for (size_t i = 0; i < n; i++)
			close(fds[i]);
		return;
	}
	children_adopt(&r->main, report->pid, fds[0], run_main_ended);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (report->fds & rows[i].bit && next < n)
			pin((int *)((char *)r + rows[i].offset), fds[next++]);
	while (next < n)
		close(fds[next++]);
	r->cloned = true;
	r->stop_signal = report->stop_signal;
	/* it holds its breath until PID 1 has its pidfd; gone already: its exit says so */
	send(r->report.fd, &go, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	shell_push(&(struct event){.kind = EVENT_CLONED, .unit = r->unit, .code = report->pid});
}

/* Reads all reports that are there. false: the socket is at its end. */
static bool read_reports(struct run *r)
{
	for (;;) {
		struct run_report report;
		int fds[IO_FDS_MAX];
		size_t n_fds;
		ssize_t n = io_recv_fds(r->report.fd, &report, sizeof(report), fds, &n_fds);

		if (n == -EAGAIN)
			return true;
		if (n <= 0)
			return false;
		if ((size_t)n != sizeof(report) || report.size != sizeof(report)) {
			set_error(r, EPROTO, "report", "orlop-run and orlop-init do not match");
			for (size_t i = 0; i < n_fds; i++)
				close(fds[i]);
			return false;
		}
		report.step[sizeof(report.step) - 1] = report.text[sizeof(report.text) - 1] = '\0';
		if (report.kind == RUN_CLONED)
			take_cloned(r, &report, fds, n_fds);
		else if (report.kind == RUN_FAILED)
			set_error(r, report.code, report.step, report.text);
	}
}

static void report_ready(struct watch *w, uint32_t events)
{
	struct run *r = container_of(w, struct run, report);

	(void)events;
	if (read_reports(r))
		return;
	run_report_close(r);
	end_start(r);
}

void run_starter_ended(struct child *c, int code, int status)
{
	struct run *r = container_of(c, struct run, starter);
	char text[64];

	if (r->report_open && !read_reports(r))
		run_report_close(r);
	if (!r->cloned && !r->error) {
		snprintf(text, sizeof(text), "orlop-run ended with %s %d",
			 code == CLD_EXITED ? "exit code" : "signal", status);
		set_error(r, ECHILD, "orlop-run", text);
	}
	if (!r->cloned)
		run_report_close(r); /* nobody is left who would report */
	end_start(r);
}

int run_report_again(struct run *r, int fd, struct fail *f)
{
	int e = loop_watch(&r->report, fd, EPOLLIN, report_ready, f);

	if (e < 0)
		return e;
	r->report_open = true;
	return 0;
}

/* Where a container with Notify=true finds the notify socket; podman has it there too. */
#define NOTIFY_INSIDE "/run/notify/notify.sock"

/* The socket is PID 1's, so PID 1 adds it to what the unit says. */
static int add_notify(struct container_spec *spec, const struct unit *u, struct fail *f)
{
	const char *const cells[] = {"bind", PATH_NOTIFY, NOTIFY_INSIDE, "", "", ""};
	char watchdog[48];
	int e;

	if (u->policy.ready != POLICY_READY_NOTIFY && !u->policy.watchdog_usec)
		return 0;
	e = record_append_words((void **)&spec->mounts, &spec->n_mounts, cells, ARRAY_LEN(cells));
	snprintf(watchdog, sizeof(watchdog), "WATCHDOG_USEC=%llu",
		 (unsigned long long)u->policy.watchdog_usec);
	if (e < 0 || strlist_add(&spec->env, "NOTIFY_SOCKET=" NOTIFY_INSIDE) < 0 ||
	    (u->policy.watchdog_usec && strlist_add(&spec->env, watchdog) < 0))
		return fail_set(f, ENOMEM, "notify socket");
	return 0;
}

/* The unit's spec in a sealed memfd. */
static int make_spec(const struct unit *u, struct fail *f)
{
	_buf_ struct buf words = {0};
	struct container_spec spec = {0};
	int64_t base = IDS_FIRST + (int64_t)shell_find(unit_owner(u)->name) * IDS_EACH;
	int e = spec_from_unit(shell_set(), u, base, &spec, f);

	if (e == 0)
		e = add_notify(&spec, u, f);
	if (e == 0)
		spec_encode(&spec, &words);
	spec_done(&spec);
	if (e < 0)
		return e;
	if (words.bad)
		return fail_set(f, ENOMEM, "spec");
	return io_sealed_memfd("spec", words.data, words.len, f);
}

/* Whose pinned namespaces it is given. A pod's are not ours: orlop-run finds them itself. */
static const struct run *namespaces_of(const struct run *r, const struct unit *u)
{
	static const struct run none = {.userns = -1, .netns = -1};
	const struct unit *owner = unit_owner(u);
	const struct run *other = owner == u ? r : run_find(shell_find(owner->name));

	return other ? other : &none;
}

/* The words of the job, from behind the verb on. */
static void start_words(const char **words, const char *unit, const struct transient_attach *attach,
			const char *frame)
{
	if (attach->client >= 0) {
		*words++ = "-F";
		*words++ = frame;
		if (attach->input)
			*words++ = "-i";
		if (attach->tty)
			*words++ = "-t";
		if (attach->size[0]) {
			*words++ = "-S";
			*words++ = attach->size;
		}
		*words++ = "--";
	}
	*words = unit;
}

static int start_job(struct run *r, const struct unit *u, struct fail *f)
{
	const struct run *namespaces = namespaces_of(r, u);
	struct transient_attach attach = transient_attached(u->name);
	char frame[16];
	const char *words[JOB_WORDS_MAX + 1] = {"start"};
	_fd_
	int spec = make_spec(u, f);
	_fd_
	int pidfd = -1;
	_fd_
	int sock = -1;
	int out, e;
	pid_t pid;

	if (spec < 0)
		return spec;
	/* attached: what it writes is the command's, and none of it the log's */
	out = attach.client >= 0 ? -1 : logs_pipe(r->service, f);
	if (out < 0 && attach.client < 0)
		return out;
	snprintf(frame, sizeof(frame), "%u", attach.id);
	start_words(words + 1, u->name, &attach, frame);
	pid = spare_take(namespaces->userns < 0 && namespaces->netns < 0, &pidfd, &sock, f);
	if (pid < 0)
		return (int)pid;
	e = loop_watch(&r->report, sock, EPOLLIN, report_ready, f);
	if (e < 0)
		return e;
	e = job_send(sock, words,
		     (int[]){[0] = -1,
			     [1] = out,
			     [2] = out,
			     [RUN_IN_SPEC] = spec,
			     [RUN_IN_REPORT] = -1,
			     [RUN_IN_CGROUP] = r->cgroup,
			     [RUN_IN_USERNS] = namespaces->userns,
			     [RUN_IN_NETNS] = namespaces->netns,
			     [RUN_IN_CLIENT] = attach.client},
		     RUN_IN_CLIENT + 1, f);
	if (e < 0) {
		loop_unwatch(&r->report);
		return e;
	}
	take_fd(&sock);
	r->report_open = true;
	children_adopt(&r->starter, pid, take_fd(&pidfd), run_starter_ended);
	return 0;
}

void exec_spawn_container(const struct action *a)
{
	const struct unit *u = shell_unit(a->unit);
	struct run *r = run_get(a->unit);
	struct fail f = {0};

	if (!r || !u) {
		shell_push(&(struct event){.kind = EVENT_START_FAILED,
					   .unit = a->unit,
					   .code = ENOMEM,
					   .step = "prepare",
					   .text = "no memory"});
		return;
	}
	r->cloned = false;
	r->error = 0;
	r->stop_signal = 0;
	if (run_cgroup_fresh(r, &f) < 0)
		run_start_failed(r, "cgroup", &f);
	else if (start_job(r, u, &f) < 0)
		run_start_failed(r, "prepare", &f);
}

void exec_cancel_start(const struct action *a)
{
	struct run *r = run_find(a->unit);

	if (!r || (!r->starter.pid && !r->report_open))
		return;
	set_error(r, ECANCELED, "start", "stopped while it was starting");
	children_signal(&r->starter, SIGKILL);
	run_report_close(r);
	end_start(r);
}
