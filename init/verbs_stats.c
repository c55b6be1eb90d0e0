/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: what units use, as the kernel counts it, at this moment. Rates are for whoever asks twice.
 *
 * All of it is read from small files that no unit can make slow or long.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/verbs.h"

#define TEXT_MAX 8192 /* io.stat has a line for each disk, net/dev one for each interface */

static bool read_text(int dir, const char *path, char text[TEXT_MAX])
{
	_fd_
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* A file with one number, or "max": then there is no limit, and no member. Without the controller: none. */
static void add_number(struct json_out *j, const char *key, int cgroup, const char *file)
{
	char text[TEXT_MAX];

	if (read_text(cgroup, file, text) && text[0] >= '0' && text[0] <= '9')
		json_int(j, key, (int64_t)strtoull(text, NULL, 10));
}

/* The sum of `name` followed by a number, wherever it stands. */
static uint64_t sum_of(const char *text, const char *name)
{
	uint64_t sum = 0;
	size_t len = strlen(name);

	for (const char *at = text; (at = strstr(at, name)); at += len)
		sum += strtoull(at + len, NULL, 10);
	return sum;
}

static void add_sum(struct json_out *j, const char *key, int cgroup, const char *file,
		    const char *name)
{
	char text[TEXT_MAX];

	if (read_text(cgroup, file, text))
		json_int(j, key, (int64_t)sum_of(text, name));
}

static bool same_network(pid_t pid)
{
	char path[64], theirs[64], ours[64];
	ssize_t a, b;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	a = readlink(path, theirs, sizeof(theirs));
	b = readlink("/proc/self/ns/net", ours, sizeof(ours));
	return a <= 0 || (a == b && !memcmp(theirs, ours, (size_t)a));
}

/* What went through its interfaces, but for the loopback; nothing is said of a network that is the host's. */
static void add_network(struct json_out *j, pid_t pid)
{
	uint64_t in = 0, out = 0;
	char path[64], text[TEXT_MAX], *line;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	if (same_network(pid) || !read_text(AT_FDCWD, path, text))
		return;
	for (line = text; line; line = strchr(line, '\n')) {
		uint64_t n[9];
		char *colon;

		line += *line == '\n';
		line += strspn(line, " ");
		colon = strchr(line, ':');
		if (!colon || !strncmp(line, "lo:", 3) ||
		    sscanf(colon + 1,
			   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %" SCNu64 " %" SCNu64 " %" SCNu64,
			   &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8]) != 9)
			continue;
		in += n[0];
		out += n[8];
	}
	json_int(j, "net_in_bytes", (int64_t)in);
	json_int(j, "net_out_bytes", (int64_t)out);
}

static void stats_of(const struct answer *a, const struct sup_unit_info *info,
		     const struct run *run)
{
	struct line l;

	line_begin(&l);
	json_str(&l.j, "unit", info->name);
	json_int(&l.j, "time_usec", (int64_t)(loop_now() / NSEC_PER_USEC));
	add_sum(&l.j, "cpu_usec", run->cgroup, "cpu.stat", "usage_usec ");
	add_number(&l.j, "memory_bytes", run->cgroup, "memory.current");
	add_number(&l.j, "memory_max_bytes", run->cgroup, "memory.max");
	add_number(&l.j, "pids", run->cgroup, "pids.current");
	add_number(&l.j, "pids_max", run->cgroup, "pids.max");
	add_sum(&l.j, "read_bytes", run->cgroup, "io.stat", "rbytes=");
	add_sum(&l.j, "write_bytes", run->cgroup, "io.stat", "wbytes=");
	if (run->main.pid)
		add_network(&l.j, run->main.pid);
	line_send(&l, a);
}

/* Of these units, or of all containers that run. */
static bool is_asked_for(const struct request *r, uint32_t id, const struct sup_unit_info *info)
{
	for (size_t i = 1; i < r->argc; i++)
		if (shell_find(r->argv[i]) == id)
			return true;
	return r->argc == 1 && info->kind == UNIT_CONTAINER;
}

void verb_stats(const struct request *r)
{
	int code = EXIT_OK;
	char text[300];

	for (size_t i = 1; i < r->argc; i++) {
		uint32_t id = shell_find(r->argv[i]);
		const struct run *run = id == SUP_NONE ? NULL : run_find(id);

		if (run && run->cgroup >= 0 && run->main.pid)
			continue;
		snprintf(text, sizeof(text),
			 id == SUP_NONE ? "there is no unit \"%.200s\"" : "%.200s does not run",
			 r->argv[i]);
		code = id == SUP_NONE ? EXIT_NO_SUCH_UNIT : EXIT_NOT_RUNNING;
		answer_end(&r->answer, code, text);
		return;
	}
	for (uint32_t id = 0; id < sup_count(shell_sup()); id++) {
		const struct run *run = run_find(id);
		struct sup_unit_info info;

		if (run && run->cgroup >= 0 && run->main.pid &&
		    sup_unit_info(shell_sup(), id, &info) && is_asked_for(r, id, &info))
			stats_of(&r->answer, &info, run);
	}
	answer_end(&r->answer, EXIT_OK, NULL);
}
