/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/tree.h"

struct sender {
	int to;
	void (*skipped)(const char *name, const char *why);
	struct fail *f;
	char data[TREE_PIECE];
};

static int put(struct sender *s, const void *data, size_t len)
{
	int r = io_write_all(s->to, data, len);

	return r < 0 ? fail_set(s->f, -r, "sending") : 0;
}

static int put_record(struct sender *s, enum tree_kind kind, const char *name,
		      const struct stat *st, const char *link)
{
	struct tree_record record = {
		.magic = TREE_MAGIC,
		.kind = kind,
		.name = (uint16_t)(name ? strlen(name) : 0),
		.link = (uint32_t)(link ? strlen(link) : 0),
	};
	int r;

	if (st) {
		record.mode = st->st_mode & 07777;
		record.uid = st->st_uid;
		record.gid = st->st_gid;
		record.mtime = st->st_mtim.tv_sec * 1000000000ll + st->st_mtim.tv_nsec;
	}
	r = put(s, &record, sizeof(record));
	if (r == 0)
		r = put(s, name, record.name);
	return r < 0 ? r : put(s, link, record.link);
}

/* As long as it is now: who writes to it meanwhile does not keep us for ever. */
static int send_file(struct sender *s, int fd, const char *name, const struct stat *st)
{
	uint64_t left = (uint64_t)st->st_size;
	uint32_t len = 1;
	int r = put_record(s, TREE_FILE, name, st, NULL);

	while (r == 0 && len) {
		ssize_t n = read(fd, s->data, left < TREE_PIECE ? left : TREE_PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_set(s->f, errno, "reading \"%s\"", name ? name : "the file");
		len = (uint32_t)n;
		left -= len;
		r = put(s, &len, sizeof(len));
		if (r == 0)
			r = put(s, s->data, len);
	}
	return r;
}

static int send_link(struct sender *s, int dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0) {
		s->skipped(name, strerror(errno)); /* it is none any more */
		return 0;
	}
	target[n] = '\0';
	return put_record(s, TREE_LINK, name, st, target);
}

static const char *made_up(int fd)
{
	static const long kinds[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP2_SUPER_MAGIC};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return strerror(errno);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (st.f_type == kinds[i])
			return "the kernel's own";
	return NULL;
}

static int send_folder(struct sender *s, int fd, const char *name, const struct stat *st,
		       unsigned depth);

/* What the fd is counts, whatever was at the name a moment ago. */
static int send_open(struct sender *s, int fd, const char *name, unsigned depth)
{
	const char *why = made_up(fd);
	struct stat st;

	if (fstat(fd, &st) < 0)
		why = strerror(errno);
	if (!why && S_ISREG(st.st_mode))
		return send_file(s, fd, name, &st);
	if (!why && S_ISDIR(st.st_mode) && depth < LIMIT_ENTRY_DEPTH)
		return send_folder(s, fd, name, &st, depth);
	if (!why && S_ISDIR(st.st_mode))
		return fail_set(s->f, ELOOP, "\"%s\"", name);
	s->skipped(name ? name : "it", why ? why : "neither file nor folder");
	return 0;
}

static int send_entry(struct sender *s, int dir, const char *name, unsigned depth)
{
	struct stat st;
	_fd_
	int fd = -1;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		s->skipped(name, strerror(errno));
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		return send_link(s, dir, name, &st);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		s->skipped(name, "neither file nor folder");
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		s->skipped(name, strerror(errno));
		return 0;
	}
	return send_open(s, fd, name, depth);
}

static int send_folder(struct sender *s, int fd, const char *name, const struct stat *st,
		       unsigned depth)
{
	int r = put_record(s, TREE_FOLDER, name, st, NULL);
	int copy = r < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_dir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	if (r == 0 && !dir)
		return fail_set(s->f, errno, "\"%s\"", name ? name : ".");
	while (r == 0 && (errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = send_entry(s, fd, e->d_name, depth + 1);
	if (r == 0 && errno)
		return fail_set(s->f, errno, "\"%s\"", name ? name : ".");
	return r < 0 ? r : put_record(s, TREE_LEAVE, NULL, NULL, NULL);
}

int tree_send(int to, int from, void (*skipped)(const char *name, const char *why), struct fail *f)
{
	static struct sender s;
	int r;

	s.to = to;
	s.skipped = skipped;
	s.f = f;
	r = send_open(&s, from, NULL, 0);
	return r < 0 ? r : put_record(&s, TREE_END, NULL, NULL, NULL);
}
