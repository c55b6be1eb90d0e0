/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_driver ORLOP_RUN CGROUP UNIT SPEC [STARTS [fresh] [cold] [PAUSE]]: plays PID 1's part towards orlop-run.
 *
 * Makes the unit's cgroup below CGROUP anew, starts `ORLOP_RUN start` and sends its job, with the fds that base/wire.h
 * names, receives the reports, gives the go, reaps, and prints what happens as lines of JSON:
 *   {"event":"cloned","pid":N,"stop_signal":N,"fds":BITS} {"event":"failed","step":..,"code":N,"text":..}
 *   {"event":"running","us":N} {"event":"exit","code":N,"signal":N,"us":N}
 *   {"event":"done","helper":N,"output":..,"populated":N,"orphans":N}
 * STARTS > 1 starts again with the pinned namespaces, or with `fresh` without them, PAUSE microseconds after the last end,
 * at whose beginning the orlop-run for it is begun, as PID 1 does (init/spare.h); with `cold` it is not. A byte on stdin, or its end, kills the cgroup;
 * with stdin /dev/null nothing does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/job.h"
#include "base/json_out.h"
#include "base/limits.h"
#include "base/spawn.h"
#include "base/wire.h"

struct start {
	pid_t helper, container;
	int helper_status, status;
	bool helper_done, done, eof, failed, running;
	int report, output;
	int pidfd;
	struct buf text;
	uint64_t began, spawned, cloned_at;
	int orphans;
};

static int userns = -1, netns = -1;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void __attribute__((noreturn)) die(const struct fail *f)
{
	fprintf(stderr, "run_driver: %s\n", f->text);
	exit(2);
}

static void say(struct json_out *j, struct buf *b)
{
	json_end(j);
	printf("%s\n", b->data);
	fflush(stdout);
	buf_done(b);
}

static void begin(struct json_out *j, struct buf *b, const char *event)
{
	json_init(j, b);
	json_object(j, NULL);
	json_str(j, "event", event);
}

static void take(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static void forget(void)
{
	take(&userns, -1);
	take(&netns, -1);
}

static void on_cloned(struct start *s, const struct run_report *r, const int *fds, size_t n)
{
	struct json_out j;
	struct buf b = {0};
	size_t at = 0;

	if (r->fds & RUN_FD_PIDFD && at < n)
		s->pidfd = fds[at++];
	if (r->fds & RUN_FD_USERNS && at < n)
		take(&userns, fds[at++]);
	if (r->fds & RUN_FD_NETNS && at < n)
		take(&netns, fds[at++]);
	s->container = r->pid;
	s->cloned_at = now_us();
	begin(&j, &b, "cloned");
	json_int(&j, "pid", r->pid);
	json_int(&j, "stop_signal", r->stop_signal);
	json_int(&j, "fds", r->fds);
	say(&j, &b);
	if (write(s->report, "G", 1) != 1)
		perror("go");
}

static void on_report(struct start *s)
{
	struct run_report r;
	struct json_out j;
	struct buf b = {0};
	int fds[IO_FDS_MAX];
	size_t n = 0;
	ssize_t len = io_recv_fds(s->report, &r, sizeof(r), fds, &n);

	if (len <= 0) {
		s->eof = true;
		s->running = !s->failed && s->container > 0;
		if (s->running) {
			begin(&j, &b, "running");
			json_int(&j, "us", (int64_t)(now_us() - s->began));
			json_int(&j, "spawned_us", (int64_t)(s->spawned - s->began));
			json_int(&j, "cloned_us", (int64_t)(s->cloned_at - s->began));
			say(&j, &b);
		}
		return;
	}
	if (len != (ssize_t)sizeof(r) || r.size != sizeof(r)) {
		fprintf(stderr, "run_driver: a report of %zd bytes\n", len);
		exit(2);
	}
	if (r.kind == RUN_CLONED) {
		on_cloned(s, &r, fds, n);
		return;
	}
	s->failed = true;
	begin(&j, &b, "failed");
	json_str(&j, "step", r.step);
	json_int(&j, "code", r.code);
	json_str(&j, "text", r.text);
	say(&j, &b);
}

static void on_child(struct start *s)
{
	struct json_out j;
	struct buf b = {0};
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->helper) {
			s->helper_done = true;
			s->helper_status = status;
		} else if (pid == s->container) {
			s->done = true;
			begin(&j, &b, "exit");
			json_int(&j, "code", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
			json_int(&j, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			json_int(&j, "us", (int64_t)(now_us() - s->began));
			say(&j, &b);
		} else {
			s->orphans++;
		}
	}
}

static void on_output(struct start *s)
{
	char data[65536];
	ssize_t n = read(s->output, data, sizeof(data));

	if (n > 0)
		buf_add(&s->text, data, (size_t)n);
}

static void finish(struct start *s, int cgroup)
{
	struct json_out j;
	struct buf b = {0};
	struct fail f = {0};
	int events = cg_open_events(cgroup, &f);

	on_output(s);
	begin(&j, &b, "done");
	json_int(&j, "helper", WIFEXITED(s->helper_status) ? WEXITSTATUS(s->helper_status) : -1);
	json_str(&j, "output", s->text.data ? s->text.data : "");
	json_int(&j, "populated", cg_populated(events));
	json_int(&j, "orphans", s->orphans);
	say(&j, &b);
	close(events);
	buf_done(&s->text);
}

static int memfd_of(const char *path)
{
	struct fail f = {0};
	char *data;
	size_t len;
	int fd;

	if (io_read_file(AT_FDCWD, path, LIMIT_SPEC, &data, &len, &f) < 0)
		die(&f);
	fd = io_sealed_memfd("spec", data, len, &f);
	if (fd < 0)
		die(&f);
	free(data);
	return fd;
}

/* An orlop-run that waits for its job. */
struct waiting {
	pid_t pid;
	int pidfd, sock;
};

static struct waiting begin_helper(const char *program, bool namespaces)
{
	const char *argv[] = {program, "start", namespaces ? "-n" : NULL, NULL};
	const char *const timed[] = {"ORLOP_STEP_TIMES=1", NULL};
	struct waiting w = {0};
	struct fail f = {0};
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		exit(2);
	w.sock = sock[0];
	w.pid = spawn(&(struct spawn){.argv = argv,
				      .envp = getenv("ORLOP_STEP_TIMES") ? timed : NULL,
				      .cgroup = -1,
				      .fds = {-1, -1, -1, -1, sock[1]},
				      .n_fds = 5},
		      &w.pidfd, &f);
	if (w.pid < 0)
		die(&f);
	close(sock[1]);
	return w;
}

/* For the next start; pid 0: there is none. */
static struct waiting spare;

static void run(const char *program, int parent, const char *unit, const char *spec, int signals)
{
	struct start s = {.pidfd = -1, .began = now_us()};
	const char *words[] = {"start", unit, NULL};
	struct waiting w;
	struct fail f = {0};
	int out[2];
	int cgroup = cg_fresh(parent, unit, &f), memfd = memfd_of(spec);
	bool killed = false;

	if (cgroup < 0)
		die(&f);
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		exit(2);
	fcntl(out[1], F_SETFL, 0);
	w = spare.pid ? spare : begin_helper(program, false);
	spare.pid = 0;
	s.report = w.sock;
	s.output = out[0];
	s.helper = w.pid;
	if (job_send(w.sock, words, (int[]){-1, out[1], out[1], memfd, -1, cgroup, userns, netns},
		     8, &f) < 0)
		die(&f);
	s.spawned = now_us();
	close(memfd);
	/* the write end stays ours, as with PID 1; so the pipe has no end, and we stop by the pids */
	while (!(s.eof && s.helper_done && (s.done || s.container == 0))) {
		struct pollfd p[] = {{s.eof ? -1 : s.report, POLLIN, 0},
				     {s.output, POLLIN, 0},
				     {signals, POLLIN, 0},
				     {killed ? -1 : 0, POLLIN, 0}};

		if (poll(p, ARRAY_LEN(p), -1) < 0)
			continue;
		if (p[0].revents)
			on_report(&s);
		if (p[1].revents)
			on_output(&s);
		if (p[2].revents) {
			char skip[128];

			if (read(signals, skip, sizeof(skip)) > 0)
				on_child(&s);
		}
		if (p[3].revents) {
			struct stat st;

			killed = true;
			if (fstat(0, &st) == 0 && !S_ISCHR(st.st_mode) && cg_kill(cgroup, &f) < 0)
				die(&f);
		}
	}
	finish(&s, cgroup);
	if (s.pidfd >= 0)
		close(s.pidfd);
	close(w.pidfd);
	close(out[0]);
	close(out[1]);
	close(w.sock);
	close(cgroup);
}

static int child_pipe[2];

static void on_sigchld(int sig)
{
	int saved = errno;

	(void)sig;
	if (write(child_pipe[1], "", 1) < 0)
		_exit(2);
	errno = saved;
}

int main(int argc, char **argv)
{
	struct fail f = {0};
	bool fresh = false, cold = false;
	useconds_t pause = 0;
	int parent, starts;

	if (argc < 5)
		return 2;
	starts = argc > 5 ? atoi(argv[5]) : 1;
	for (int i = 6; i < argc; i++) {
		fresh |= !strcmp(argv[i], "fresh");
		cold |= !strcmp(argv[i], "cold");
		pause = (useconds_t)atoi(argv[i]);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (pipe2(child_pipe, O_CLOEXEC) < 0)
		return 2;
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_sigchld, .sa_flags = SA_RESTART},
		  NULL);
	parent = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0) {
		perror(argv[2]);
		return 2;
	}
	for (int i = 0; i < starts; i++) {
		if (i && !cold)
			spare = begin_helper(argv[1], fresh);
		if (i)
			usleep(pause);
		if (fresh)
			forget();
		run(argv[1], parent, argv[3], argv[4], child_pipe[0]);
	}
	/* what cleans up in the background is ours to reap, as it is PID 1's */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	if (cg_remove(parent, argv[3], &f) < 0)
		die(&f);
	return 0;
}
