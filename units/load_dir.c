/* SPDX-License-Identifier: Apache-2.0 */
/* The shell around units_load(): folders, files, and facts about the host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "units/load.h"
#include "units/pack.h"

#define DEPTH_MAX 16 /* of folders; also what ends a loop of links that inode numbers do not show */

struct folder_id {
	dev_t dev;
	ino_t ino;
};

struct walk {
	struct arena *arena;
	struct unit_file *files;
	size_t n;
	char **contents; /* to be freed */
	size_t n_contents;
	size_t bytes;
	struct folder_id seen[DEPTH_MAX + 1]; /* the folders above */
	struct folder_id *read;               /* all that were read, but those of drop-ins */
	size_t n_read;
};

static bool wanted_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name;
}

static bool is_null_link(const char *path)
{
	char target[sizeof("/dev/null")];

	return readlink(path, target, sizeof(target)) == sizeof("/dev/null") - 1 &&
	       memcmp(target, "/dev/null", sizeof("/dev/null") - 1) == 0;
}

/* It says nothing about the file, and may be better the next time: then there is no answer now. */
static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static int add_file(struct walk *w, int dirfd, const char *folder, const char *name,
		    unsigned char type)
{
	struct unit_file *slot;
	char **content;
	struct fail f = {0};
	char *data = NULL;
	size_t len = 0;
	int r;

	if (w->n >= 2 * LIMIT_UNITS)
		return -E2BIG;
	slot = ARENA_PUSH(w->arena, w->files, w->n);
	content = ARENA_PUSH(w->arena, w->contents, w->n_contents);
	if (!slot || !content)
		return -ENOMEM;
	slot->path = *folder ? arena_fmt(w->arena, "%s/%s", folder, name) : name;
	if (!slot->path)
		return -ENOMEM;
	if (type != DT_REG && is_null_link(slot->path)) {
		slot->masked = true;
		return 0;
	}
	r = io_read_file(dirfd, name, LIMIT_UNIT_FILE, &data, &len, &f);
	if (is_shortage(r))
		return r;
	w->bytes += len;
	if (r == 0 && w->bytes > LIMIT_UNITS_BYTES) {
		free(data);
		data = NULL;
		len = 0;
		r = -EFBIG;
		fail_set(&f, EFBIG, "all unit files together are larger than 64 MiB");
	}
	if (r < 0)
		slot->error = arena_strdup(w->arena, f.text);
	slot->data = *content = data;
	slot->len = len;
	return 0;
}

struct entry {
	const char *name;
	unsigned char type; /* DT_REG and so on, as far as the file system tells */
};

static int by_entry_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* What is in a folder, sorted, so that the answer does not depend on the file system. */
static int list_names(struct arena *arena, int fd, struct entry **ret, size_t *ret_n)
{
	_dir_ DIR *dir = NULL;
	const struct dirent *e;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	*ret = NULL;
	*ret_n = 0;
	if (copy < 0)
		return -errno;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return -errno;
	}
	while ((errno = 0, e = readdir(dir))) {
		struct entry *slot;

		if (e->d_name[0] == '.')
			continue;
		slot = ARENA_PUSH(arena, *ret, *ret_n);
		if (!slot)
			return -ENOMEM;
		*slot = (struct entry){arena_strdup(arena, e->d_name), e->d_type};
		if (!slot->name)
			return -ENOMEM;
	}
	if (errno)
		return -errno;
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_entry_name);
	return 0;
}

static bool is_dropin_folder(const char *name)
{
	size_t len = strlen(name);

	return len > 2 && strcmp(name + len - 2, ".d") == 0;
}

/* Rootless users' units are not for us. */
static bool is_users_folder(const char *path)
{
	return strcmp(path, "/etc/containers/systemd/users") == 0 ||
	       strcmp(path, "/usr/share/containers/systemd/users") == 0;
}

static int walk_folder(struct walk *w, int dirfd, const char *name, const char *path, int depth);

/* One thing in a folder: a folder below it, a file, or nothing to us. */
static int walk_entry(struct walk *w, int fd, const struct entry *e, const char *path, int depth)
{
	bool dropins = is_dropin_folder(e->name);
	struct stat st;
	const char *below;

	if (e->type == DT_REG ||
	    (e->type != DT_DIR && (fstatat(fd, e->name, &st, 0) < 0 || !S_ISDIR(st.st_mode))))
		return wanted_file(e->name) ? add_file(w, fd, path, e->name, e->type) : 0;
	if (wanted_file(e->name) && !dropins)
		return add_file(w, fd, path, e->name,
				e->type); /* a folder x.container: told as an error */
	below = arena_fmt(w->arena, "%s/%s", path, e->name);
	if (!below)
		return -ENOMEM;
	return depth < DEPTH_MAX && !is_users_folder(below)
		       ? walk_folder(w, fd, e->name, below, depth + 1)
		       : 0;
}

/* 1, or 0 for a folder that was read under another name: it has nothing new, and links to folders of
 * links could lead there without end. Drop-ins belong to the name of their folder. */
static int first_time(struct walk *w, const struct folder_id *id)
{
	struct folder_id *slot;

	for (size_t i = 0; i < w->n_read; i++)
		if (w->read[i].dev == id->dev && w->read[i].ino == id->ino)
			return 0;
	slot = ARENA_PUSH(w->arena, w->read, w->n_read);
	if (!slot)
		return -ENOMEM;
	*slot = *id;
	return 1;
}

static int walk_folder(struct walk *w, int dirfd, const char *name, const char *path, int depth)
{
	_fd_
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct entry *entries;
	struct stat st;
	size_t n;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	for (int i = 0; i < depth; i++)
		if (w->seen[i].dev == st.st_dev && w->seen[i].ino == st.st_ino)
			return 0; /* a link that leads upwards */
	w->seen[depth] = (struct folder_id){st.st_dev, st.st_ino};
	if (!is_dropin_folder(name)) {
		r = first_time(w, &w->seen[depth]);
		if (r <= 0)
			return r;
	}
	r = list_names(w->arena, fd, &entries, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = walk_entry(w, fd, &entries[i], path, depth);
	return r;
}

/* One unit file that was named by itself: it, and the drop-in folders beside it. */
static int take_single(struct walk *w, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *folder = slash ? arena_strndup(w->arena, path, (size_t)(slash - path)) : "";
	_fd_
	int fd = -1;
	struct entry *entries;
	size_t n;
	int r;

	if (!folder)
		return -ENOMEM;
	fd = open(slash ? (*folder ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = add_file(w, fd, folder, name, DT_UNKNOWN);
	if (r == 0)
		r = list_names(w->arena, fd, &entries, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *below = entries[i].name;
		size_t len = strlen(name);

		if (strncmp(below, name, len) != 0 || strcmp(below + len, ".d") != 0)
			continue;
		r = walk_folder(w, fd, below,
				*folder ? arena_fmt(w->arena, "%s/%s", folder, below) : below, 0);
	}
	return r;
}

static int take_path(struct walk *w, const char *path)
{
	const char *name;
	struct stat st;
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	path = arena_strndup(w->arena, path, len);
	if (!path)
		return -ENOMEM;
	if (stat(path, &st) < 0)
		return errno == ENOENT && !is_null_link(path) ? 0 : take_single(w, path);
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	/* "." and ".." are folders too; a folder called x.container is a mistake. */
	if (S_ISDIR(st.st_mode) &&
	    (!wanted_file(name) || is_dropin_folder(name) || strspn(name, ".") == strlen(name)))
		return walk_folder(w, AT_FDCWD, path, path, 0);
	return take_single(w, path);
}

/* --- facts ------------------------------------------------------------------------------------ */

struct facts {
	struct utsname names;
	char machine_id[40], boot_id[40];
	char *os_release;
};

static void read_line(const char *path, char *out, size_t size)
{
	char *data = NULL;
	size_t len, n = 0;

	if (io_read_file(AT_FDCWD, path, 4096, &data, &len, NULL) == 0) {
		for (size_t i = 0; i < len && data[i] != '\n' && n + 1 < size; i++)
			if (data[i] != '-') /* boot ids are shown without dashes */
				out[n++] = data[i];
		free(data);
	}
	out[n] = '\0';
}

/* systemd's names of architectures. */
static const char *arch_name(const char *machine)
{
	static const char *const rows[][2] = {
		{"x86_64", "x86-64"}, {"aarch64", "arm64"},   {"i686", "x86"},
		{"armv7l", "arm"},    {"riscv64", "riscv64"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i][0], machine) == 0)
			return rows[i][1];
	return machine;
}

static void gather(struct facts *facts, struct unit_host *host)
{
	struct sysinfo info;
	char number[24];
	size_t len;

	if (uname(&facts->names) == 0) {
		host->hostname = facts->names.nodename;
		host->release = facts->names.release;
		host->arch = arch_name(facts->names.machine);
	}
	read_line("/etc/machine-id", facts->machine_id, sizeof(facts->machine_id));
	read_line("/proc/sys/kernel/random/boot_id", facts->boot_id, sizeof(facts->boot_id));
	read_line("/proc/sys/kernel/pid_max", number, sizeof(number));
	host->machine_id = facts->machine_id;
	host->boot_id = facts->boot_id;
	host->pids_total = strtoll(number, NULL, 10);
	if (sysinfo(&info) == 0)
		host->memory_total = (int64_t)info.totalram * info.mem_unit;
	if (io_read_file(AT_FDCWD, "/etc/os-release", 65536, &facts->os_release, &len, NULL) == 0)
		host->os_release = facts->os_release;
}

static int read_named(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	(void)ctx;
	return io_read_file(AT_FDCWD, path, LIMIT_UNIT_FILE, ret, ret_len, NULL);
}

/* Everything that a load is made of, as it is found now. */
struct found {
	struct walk walk;
	struct facts facts;
	struct units_input in;
};

static int find(struct found *found, const char *const *paths, struct fail *f)
{
	struct walk *w = &found->walk;
	int r;

	w->arena = arena_new();
	r = w->arena ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && paths[i]; i++) {
		r = take_path(w, paths[i]);
		if (r == 0 && arena_bad(w->arena)) /* a path that could not be had is "" */
			r = -ENOMEM;
		if (r < 0)
			fail_set(f, -r, "reading \"%s\"", paths[i]);
	}
	if (r == -ENOMEM)
		return fail_set(f, ENOMEM, "reading units");
	if (r < 0)
		return r;
	gather(&found->facts, &found->in.host);
	found->in.files = w->files;
	found->in.n_files = w->n;
	found->in.read = read_named;
	return 0;
}

static void found_done(struct found *found)
{
	for (size_t i = 0; i < found->walk.n_contents; i++)
		free(found->walk.contents[i]);
	free(found->facts.os_release);
	arena_free(found->walk.arena);
}

int units_load_dirs(const char *const *paths, const char *const *instances, struct unit_set **ret,
		    struct fail *f)
{
	struct found found = {0};
	int r = find(&found, paths, f);

	found.in.instances = instances;
	while (instances && instances[found.in.n_instances])
		found.in.n_instances++;
	if (r == 0)
		r = units_load(&found.in, ret, f);
	found_done(&found);
	return r;
}

static int read_and_pack(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	int r = read_named(NULL, path, ret, ret_len);

	pack_named(ctx, path, r, r == 0 ? *ret : NULL, r == 0 ? *ret_len : 0);
	return r;
}

/* Which files the units name is known once they were loaded. */
int units_pack_dirs(const char *const *paths, struct buf *out, struct fail *f)
{
	struct found found = {0};
	struct unit_set *set = NULL;
	int r = find(&found, paths, f);

	if (r == 0) {
		pack_input(out, &found.in);
		found.in.read = read_and_pack;
		found.in.ctx = out;
		r = units_load(&found.in, &set, f);
		pack_end(out);
	}
	unit_set_free(set);
	found_done(&found);
	return r == 0 && out->bad ? fail_set(f, ENOMEM, "reading units") : r;
}
