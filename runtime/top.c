/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-run top: the processes of a container, one JSON line each, with their ids as the container and as the host
 * see them.
 *
 * They are those of its cgroup and of the cgroups below it, whatever namespaces they have made. A command line is read
 * from the process's own memory, which a hostile one can make slow for ever: a time limit ends us then, and
 * nobody else waits.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json_out.h"
#include "base/wire.h"
#include "runtime/start.h"

#define TIME_SEC      10
#define DEPTH_MAX     16
#define PROCESSES_MAX 4096
#define PIDS_MAX      (1u << 20) /* bytes of one cgroup's list of them */
#define COMMAND_MAX   4096
#define STATUS_MAX    8192
#define MAP_MAX       16384 /* 340 lines at most */

struct top {
	uint32_t id; /* of the frames */
	char *uid_map;
	unsigned n;
	bool more; /* processes that are not shown */
};

static void send_buf(const struct top *t, const struct buf *line)
{
	_buf_ struct buf frame = {0};

	frame_add(&frame, t->id, line->data, line->len);
	if (!line->bad && !frame.bad)
		(void)io_send_fds(RUN_EXEC_CLIENT, frame.data, frame.len, NULL, 0);
}

static void send_end(const struct top *t, int code, const char *error)
{
	_buf_ struct buf line = {0};

	frame_end_line(&line, code, error);
	send_buf(t, &line);
}

/* What the container calls a user of the host; -1: it has no name for it. */
static int64_t uid_inside(const struct top *t, unsigned long uid)
{
	for (const char *line = t->uid_map; line && *line; line = strchr(line, '\n')) {
		unsigned long inside, outside, count;

		line += *line == '\n';
		if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 && uid >= outside &&
		    uid - outside < count)
			return (int64_t)(inside + (uid - outside));
	}
	return -1;
}

/* What follows "Name:" in /proc/<pid>/status, up to the end of the line. */
static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) + strspn(at + strlen(name), " \t") : "";
}

/* The last of a line's numbers: the innermost namespace's. The first is ours. */
static long last_number(const char *text)
{
	long n = 0;

	while (*text && *text != '\n') {
		char *end;
		long next = strtol(text, &end, 10);

		if (end == text)
			break;
		n = next;
		text = end + strspn(end, " \t");
	}
	return n;
}

/* The second: of the namespace below ours, which is the container's. */
static long second_number(const char *text)
{
	char *end;

	strtol(text, &end, 10);
	end += strspn(end, " \t");
	return *end && *end != '\n' ? strtol(end, NULL, 10) : last_number(text);
}

static void add_command(struct json_out *j, const char *proc, const char *status)
{
	char path[64], text[COMMAND_MAX];
	size_t len = 0;
	ssize_t n = -1;
	_fd_
	int fd = -1;

	snprintf(path, sizeof(path), "%s/cmdline", proc);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text));
	if (n <= 0) { /* a zombie has none */
		const char *name = field(status, "Name:");

		json_strn(j, "command", name, strcspn(name, "\n"));
		return;
	}
	for (len = (size_t)n; len && !text[len - 1];)
		len--;
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	json_strn(j, "command", text, len);
}

static void show(struct top *t, const char *pid)
{
	char proc[32], path[64];
	_free_
	char *status = NULL;
	_buf_ struct buf line = {0};
	struct json_out j;
	unsigned long uid;
	const char *state;
	size_t len;

	snprintf(proc, sizeof(proc), "/proc/%.12s", pid);
	snprintf(path, sizeof(path), "%s/status", proc);
	if (io_read_file(AT_FDCWD, path, STATUS_MAX, &status, &len, NULL) < 0)
		return; /* it has gone meanwhile */
	uid = strtoul(field(status, "\nUid:"), NULL, 10);
	state = field(status, "\nState:");
	json_init(&j, &line);
	json_object(&j, NULL);
	json_int(&j, "pid", second_number(field(status, "\nNSpid:")));
	json_int(&j, "host_pid", strtol(pid, NULL, 10));
	if (uid_inside(t, uid) >= 0)
		json_int(&j, "uid", uid_inside(t, uid));
	json_int(&j, "host_uid", (int64_t)uid);
	json_strn(&j, "state", state, 1);
	json_int(&j, "threads", strtol(field(status, "\nThreads:"), NULL, 10));
	json_int(&j, "memory_bytes", 1024 * strtoll(field(status, "\nVmRSS:"), NULL, 10));
	add_command(&j, proc, status);
	json_end(&j);
	send_buf(t, &line);
}

static int walk(struct top *t, int cgroup, int depth)
{
	_free_
	char *pids = NULL;
	_dir_ DIR *dir = NULL;
	struct dirent *e;
	size_t len;
	int copy;

	/* a threaded cgroup has no list of processes: theirs is in the one above */
	if (io_read_file(cgroup, "cgroup.procs", PIDS_MAX, &pids, &len, NULL) == -EFBIG)
		t->more = true;
	for (char *pid = pids ? strtok(pids, "\n") : NULL; pid && !t->more;
	     pid = strtok(NULL, "\n")) {
		t->more = t->n == PROCESSES_MAX;
		if (!t->more)
			show(t, pid);
		t->n += !t->more;
	}
	copy = depth < DEPTH_MAX ? openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir && copy >= 0)
		close(copy);
	while (dir && !t->more && (e = readdir(dir))) {
		_fd_
		int below = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		below = openat(cgroup, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			walk(t, below, depth + 1);
	}
	return 0;
}

/* The main process's number: what its pidfd says. */
static void read_map(struct top *t)
{
	_free_
	char *text = NULL;
	char path[64];
	size_t len;

	if (io_read_file(AT_FDCWD, "/proc/self/fdinfo/3", 4096, &text, &len, NULL) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/uid_map", strtol(field(text, "\nPid:"), NULL, 10));
	(void)io_read_file(AT_FDCWD, path, MAP_MAX, &t->uid_map, &len, NULL);
}

int verb_top(int argc, char **argv)
{
	struct top t = {0};
	char more[64];
	int option;

	optind = 1;
	while ((option = getopt(argc + 1, argv - 1, "+F:U:")) != -1)
		if (option == 'F')
			t.id = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option != 'U')
			return 2;
	if (!t.id)
		return 2;
	alarm(TIME_SEC);
	read_map(&t);
	walk(&t, RUN_EXEC_CGROUP, 0);
	snprintf(more, sizeof(more), "%u processes are shown, and there are more", t.n);
	send_end(&t, t.more ? 1 : 0, t.more ? more : NULL);
	free(t.uid_map);
	return t.more ? 1 : 0;
}
