/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "init/console.h"
#include "init/exec.h"
#include "init/run.h"
#include "init/shell.h"
#include "init/slice.h"

/* After a kill the directory is busy until the last zombie is reaped: milliseconds, under load more. */
#define REMOVE_PAUSE (20 * NSEC_PER_MSEC)
#define REMOVE_MAX   100u
#define KILL_TRIES   3
#define DEV          "/dev"

static int units_cgroup = -1;

void run_cgroups_init(int units)
{
	units_cgroup = units;
}

static void events_ready(struct watch *w, uint32_t events)
{
	struct run *r = container_of(w, struct run, events);

	(void)events;
	run_cgroup_populated(r);
}

/* A counter of memory.events. */
static uint64_t counter(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void memory_ready(struct watch *w, uint32_t events)
{
	struct run *r = container_of(w, struct run, memory);
	char text[512];
	ssize_t n = pread(w->fd, text, sizeof(text) - 1, 0);
	uint64_t kills;

	(void)events;
	if (n <= 0)
		return;
	text[n] = '\0';
	kills = counter(text, "oom_kill ");
	if (kills > r->oom_kills)
		/* its own limit was not reached: the whole host was short */
		shell_push(&(struct event){
			.kind = EVENT_OOM, .unit = r->unit, .flag = counter(text, "oom ") == 0});
	r->oom_kills = kills;
}

bool run_cgroup_oom(struct run *r)
{
	if (r->memory.active)
		memory_ready(&r->memory, 0); /* the notice may not have come yet */
	return r->oom_kills > 0;
}

void run_cgroup_close(struct run *r)
{
	struct watch *watches[] = {&r->events, &r->memory};

	for (size_t i = 0; i < ARRAY_LEN(watches); i++)
		if (watches[i]->active) {
			loop_unwatch(watches[i]);
			close(watches[i]->fd);
		}
	if (r->cgroup >= 0)
		close(r->cgroup);
	r->cgroup = -1;
}

static int watch_file(struct run *r, struct watch *w, const char *name,
		      void (*ready)(struct watch *, uint32_t), struct fail *f)
{
	_fd_
	int fd = openat(r->cgroup, name, O_RDONLY | O_CLOEXEC);
	char text[512];
	int e;

	if (fd < 0)
		return fail_set(f, errno, "open(\"%s\")", name);
	/* a change is told only to who has read it before */
	if (pread(fd, text, sizeof(text), 0) < 0)
		return fail_set(f, errno, "read(\"%s\")", name);
	e = loop_watch(w, fd, EPOLLPRI, ready, f);
	if (e < 0)
		return e;
	take_fd(&fd);
	return 0;
}

/* "processes of an earlier run are left: 123 456" */
static int tell_left_over(struct run *r, struct fail *f)
{
	_free_
	char *pids = NULL;
	char path[SLICE_PATH_MAX + 20];
	size_t len;

	snprintf(path, sizeof(path), "%s/cgroup.procs", r->place);
	if (io_read_file(units_cgroup, path, 1 << 16, &pids, &len, NULL) < 0)
		return fail_set(f, EBUSY, "processes of an earlier run are left");
	for (char *p = pids; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return fail_set(f, EBUSY, "processes of an earlier run are left: %.100s", pids);
}

/* The slices that it lies in: those that are missing are made, with the controllers that it needs. */
static int make_slices(const char *place, struct fail *f)
{
	char path[SLICE_PATH_MAX];

	for (const char *slash = strchr(place, '/'); slash; slash = strchr(slash + 1, '/')) {
		_fd_
		int fd = -1;

		snprintf(path, sizeof(path), "%.*s", (int)(slash - place), place);
		if (mkdirat(units_cgroup, path, 0755) < 0 && errno != EEXIST)
			return fail_set(f, errno, "mkdir(cgroup \"%s\")", path);
		fd = openat(units_cgroup, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return fail_set(f, errno, "open(cgroup \"%s\")", path);
		cg_enable(fd, cg_unit_controllers);
	}
	return 0;
}

/* Those of them that are empty now. */
static void remove_slices(const char *place)
{
	char path[SLICE_PATH_MAX], *slash;

	snprintf(path, sizeof(path), "%s", place);
	while ((slash = strrchr(path, '/'))) {
		*slash = '\0';
		if (unlinkat(units_cgroup, path, AT_REMOVEDIR) < 0)
			return;
	}
}

/* Where it is from now on: as the unit's files say at this start. */
static int choose_place(struct run *r, struct fail *f)
{
	const struct unit *u = shell_unit(r->unit);
	const char *slice = u && u->exec ? u->exec->limits.slice.value : NULL;
	char place[SLICE_PATH_MAX];

	if (!slice_place(slice, r->service, place))
		return fail_set(f, EINVAL, "\"%s\" cannot be the name of a cgroup", r->service);
	if (r->place && !strcmp(r->place, place))
		return make_slices(place, f);
	if (r->place && cg_remove(units_cgroup, r->place, f) < 0)
		return -f->code;
	if (r->place)
		remove_slices(r->place);
	free(r->place);
	r->place = strdup(place);
	return r->place ? make_slices(place, f) : fail_set(f, ENOMEM, "cgroup");
}

int run_cgroup_fresh(struct run *r, struct fail *f)
{
	int fd;

	run_cgroup_close(r);
	loop_untimer(&r->remove_again);
	r->oom_kills = 0;
	if (units_cgroup < 0)
		return fail_set(f, ENOENT, "this host has no cgroups");
	fd = choose_place(r, f);
	if (fd == 0)
		fd = cg_fresh(units_cgroup, r->place, f);
	if (fd == -EBUSY)
		return tell_left_over(r, f);
	if (fd < 0)
		return fd;
	r->cgroup = fd;
	watch_file(r, &r->memory, "memory.events", memory_ready,
		   NULL); /* without the controller: none */
	return watch_file(r, &r->events, "cgroup.events", events_ready, f);
}

int run_cgroup_again(struct run *r, struct fail *f)
{
	if (!r->place)
		return 0;
	r->cgroup = openat(units_cgroup, r->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->cgroup < 0)
		return errno == ENOENT ? 0 : fail_set(f, errno, "open(cgroup \"%s\")", r->place);
	watch_file(r, &r->memory, "memory.events", memory_ready, NULL);
	return watch_file(r, &r->events, "cgroup.events", events_ready, f);
}

/* Slices in one another are at most as deep as a name has dashes; nobody but PID 1 makes them. */
#define SLICES_MAX 128

static int kill_unknown(int parent, bool (*known)(const char *service), unsigned depth,
			struct fail *f)
{
	int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		fail_set(f, errno, "look at the units' cgroups");
		if (copy >= 0)
			close(copy);
		return -f->code;
	}
	while (r == 0 && (e = readdir(dir))) {
		_fd_
		int cg = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || known(e->d_name))
			continue;
		cg = openat(parent, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (cg >= 0 && slice_is_one(e->d_name) && depth)
			r = kill_unknown(cg, known, depth - 1, f);
		else if (cg >= 0)
			cg_kill(cg, NULL);
	}
	return r;
}

int run_cgroups_kill_unknown(bool (*known)(const char *service), struct fail *f)
{
	return units_cgroup < 0 ? 0 : kill_unknown(units_cgroup, known, SLICES_MAX, f);
}

bool run_cgroup_populated(const struct run *r)
{
	int populated = r->events.active ? cg_populated(r->events.fd) : -1;

	/* who reads it takes the news away from the loop, so it is passed on */
	if (populated == 0)
		shell_push(&(struct event){.kind = EVENT_CGROUP_EMPTY, .unit = r->unit});
	return populated == 1;
}

struct limit_row {
	size_t offset;
	const char *file;
	bool percent; /* of one CPU: "quota period" */
};

#define LIMIT(field) offsetof(struct unit_limits, field)

static const struct limit_row limit_rows[] = {
	{LIMIT(memory_max), "memory.max", false},
	{LIMIT(memory_high), "memory.high", false},
	{LIMIT(memory_low), "memory.low", false},
	{LIMIT(memory_min), "memory.min", false},
	{LIMIT(memory_swap_max), "memory.swap.max", false},
	{LIMIT(cpu_weight), "cpu.weight", false},
	{LIMIT(cpu_quota_percent), "cpu.max", true},
	{LIMIT(tasks_max), "pids.max", false},
	{LIMIT(io_weight), "io.weight", false},
};

/* A device's node. It is looked for within /dev, whatever links say: PID 1 asks no disk about a path. */
static int look_at_device(const char *path, struct stat *ret)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV};
	_fd_
	int dev = open(DEV, O_PATH | O_DIRECTORY | O_CLOEXEC), node = -1;

	path += strlen(DEV);
	path += strspn(path, "/");
	if (dev >= 0)
		node = (int)syscall(SYS_openat2, dev, path, &how, sizeof(how));
	if (node < 0 || fstat(node, ret) < 0)
		return -errno;
	return S_ISBLK(ret->st_mode) ? 0 : -ENOTBLK;
}

static int limit_disks(struct run *r, const struct unit_limits *limits, struct fail *f)
{
	for (int which = 0; which < IO_MAX__N; which++) {
		const struct io_max_name *name = &io_max_names[which];
		const struct pair_list *disks = &limits->io_max[which];

		for (size_t i = 0; i < disks->n; i++) {
			const struct pair *disk = &disks->items[i];
			struct stat st;
			char limit[48];
			int e = look_at_device(disk->name, &st);

			if (e < 0)
				return fail_set(f, -e, "%s=%s%s", name->key, disk->name,
						e == -EXDEV ? " leads out of " DEV : "");
			snprintf(limit, sizeof(limit), "%s=%s", name->name, disk->value);
			if (cg_io_max(r->cgroup, &st, limit, f) < 0)
				return fail_wrap(f, "%s=%s", name->key, disk->name);
		}
	}
	return 0;
}

int run_cgroup_limits(struct run *r, const struct unit_limits *limits, struct fail *f)
{
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		const struct number *n =
			(const struct number *)((const char *)limits + row->offset);
		char value[64];
		int e;

		if (!n->set)
			continue;
		if (n->value < 0)
			snprintf(value, sizeof(value), "max");
		else if (row->percent)
			snprintf(value, sizeof(value), "%lld 100000", (long long)n->value * 1000);
		else
			snprintf(value, sizeof(value), "%lld", (long long)n->value);
		e = io_write_file(r->cgroup, row->file, value, f);
		if (e < 0)
			return e;
	}
	if (limits->cpus.value) {
		int e = io_write_file(r->cgroup, "cpuset.cpus", limits->cpus.value, f);

		if (e < 0)
			return e;
	}
	return limit_disks(r, limits, f);
}

void exec_cg_kill(const struct action *a)
{
	struct run *r = run_find(a->unit);
	struct fail f = {0};

	/* the supervisor counts on it: ten seconds later what is left is called stuck */
	for (int i = 0; i < KILL_TRIES && r && r->cgroup >= 0; i++)
		if (cg_kill(r->cgroup, &f) == 0)
			return;
	if (f.code)
		console_say("%s: %s", r->name, f.text);
}

void exec_cg_check(const struct action *a)
{
	struct run *r = run_find(a->unit);

	if (!r || !r->events.active)
		shell_push(&(struct event){.kind = EVENT_CGROUP_EMPTY, .unit = a->unit});
	else
		run_cgroup_populated(r); /* says so itself */
}

static void remove_now(struct timer *t)
{
	struct run *r = container_of(t, struct run, remove_again);
	struct fail f = {0};

	if (!r->place)
		return;
	if (cg_remove(units_cgroup, r->place, &f) == 0) {
		remove_slices(r->place);
		return;
	}
	if (f.code == EBUSY && ++r->removals < REMOVE_MAX)
		loop_timer(&r->remove_again, loop_now() + REMOVE_PAUSE, remove_now);
	else
		console_say("%s: %s", r->name, f.text);
}

void exec_cg_remove(const struct action *a)
{
	struct run *r = run_find(a->unit);

	if (!r)
		return;
	run_cgroup_close(r);
	r->removals = 0;
	remove_now(&r->remove_again);
}

int run_cgroup_freeze(struct run *r, bool on, struct fail *f)
{
	return io_write_file(r->cgroup, "cgroup.freeze", on ? "1" : "0", f);
}

bool run_cgroup_frozen(const struct run *r)
{
	char state = '0';
	_fd_
	int fd = r->cgroup < 0 ? -1 : openat(r->cgroup, "cgroup.freeze", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &state, 1) == 1 && state == '1';
}
