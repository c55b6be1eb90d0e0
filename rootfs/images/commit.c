/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/images/import_work.h"

int import_write_work(struct import *m, const char *path, const struct buf *text, struct fail *f)
{
	_fd_
	int fd = openat(m->work, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (text->bad)
		return fail_set(f, ENOMEM, "no memory");
	if (fd < 0)
		return fail_set(f, errno, "create \"%s\" in tmp/", path);
	r = io_write_all(fd, text->data, text->len);
	return r < 0 ? fail_set(f, -r, "write \"%s\" in tmp/", path) : 0;
}

static int sync_dir(int dir, struct fail *f)
{
	return fsync(dir) < 0 ? fail_set(f, errno, "sync the store") : 0;
}

static int commit_layers(struct import *m, struct fail *f)
{
	for (size_t i = 0; i < m->n_made; i++) {
		const char *name = m->made[i].name;

		if (renameat(m->work, name, m->store->layers, name) == 0)
			continue;
		/* another import was faster with the same; ours goes with the work directory */
		if (errno != EEXIST && errno != ENOTEMPTY)
			return fail_set(f, errno, "rename layer %s into place", name);
	}
	return sync_dir(m->store->layers, f);
}

static int commit_image(struct import *m, const struct image_plan *p, struct fail *f)
{
	char from[STORE_HEX_MAX + 16], to[STORE_HEX_MAX + 16];

	snprintf(from, sizeof(from), "i-%s", p->id);
	if (renameat(m->work, from, m->store->images, p->id) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return fail_set(f, errno, "rename image %s into place", p->id);
	/* it was there: what stands in its image.ini may be older than this program */
	snprintf(from, sizeof(from), "i-%s/image.ini", p->id);
	snprintf(to, sizeof(to), "%s/image.ini", p->id);
	if (renameat(m->work, from, m->store->images, to) < 0)
		return fail_set(f, errno, "rename the image.ini of %s into place", p->id);
	return 0;
}

static int commit_name(struct import *m, const char *ref, const char *id, struct fail *f)
{
	char name[STORE_NAME_MAX], target[STORE_HEX_MAX + 4];
	int r = store_ref_name(ref, name, f);

	if (r < 0)
		return r;
	snprintf(target, sizeof(target), "../%s", id);
	(void)unlinkat(m->work, "name", 0);
	if (symlinkat(target, m->work, "name") < 0 ||
	    renameat(m->work, "name", m->store->names, name) < 0)
		return fail_set(f, errno, "set the name \"%s\"", ref);
	return 0;
}

/* What this archive makes, for import_has(). */
static int write_record(struct import *m, struct fail *f)
{
	_buf_ struct buf text = {0};

	for (size_t i = 0; i < m->archive.n_plans; i++) {
		const struct image_plan *p = &m->archive.plans[i];

		if (p->n_names == 0)
			buf_fmt(&text, "%s -\n", p->id);
		for (size_t n = 0; n < p->n_names; n++)
			buf_fmt(&text, "%s %s\n", p->id, p->names[n]);
	}
	return import_write_work(m, "record", &text, f);
}

static int commit_record(struct import *m, struct fail *f)
{
	if (!*m->archive.key)
		return 0;
	if (renameat(m->work, "record", m->store->archives, m->archive.key) < 0)
		return fail_set(f, errno, "record the archive");
	return sync_dir(m->store->archives, f);
}

int import_commit(struct import *m, struct fail *f)
{
	int r = write_record(m, f);

	if (r < 0)
		return r;
	/* one sync of the file system for all of it: cheaper than one for each of thousands of files */
	if (syncfs(m->work) < 0)
		return fail_set(f, errno, "sync the store");
	r = commit_layers(m, f);
	for (size_t i = 0; r == 0 && i < m->archive.n_plans; i++)
		r = commit_image(m, &m->archive.plans[i], f);
	if (r == 0)
		r = sync_dir(m->store->images, f);
	for (size_t i = 0; r == 0 && i < m->archive.n_plans; i++)
		for (size_t n = 0; r == 0 && n < m->archive.plans[i].n_names; n++)
			r = commit_name(m, m->archive.plans[i].names[n], m->archive.plans[i].id, f);
	if (r == 0)
		r = sync_dir(m->store->names, f);
	return r == 0 ? commit_record(m, f) : r;
}

/* Whether what a record's line says is there: "<id> <reference or ->". */
static bool line_holds(const struct store *s, char *line)
{
	char *space = strchr(line, ' ');
	struct names layers = {0};
	char name[STORE_NAME_MAX];
	bool holds;

	if (!space)
		return false;
	*space++ = '\0';
	holds = store_hex_valid(line) && store_image_layers(s, line, &layers, NULL) == 0;
	for (size_t i = 0; holds && i < layers.n; i++)
		holds = faccessat(s->layers, layers.list[i], F_OK, 0) == 0;
	names_done(&layers);
	if (!holds || !strcmp(space, "-"))
		return holds;
	/* whatever it points to: a newer image may have taken the name since */
	return store_ref_name(space, name, NULL) == 0 &&
	       faccessat(s->names, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int import_has(const struct store *s, const char *path, const char *name, struct fail *f)
{
	struct archive_file a;
	_free_
	char *text = NULL;
	size_t len;
	int r = archive_open(&a, path, name, f);

	if (r < 0) {
		archive_done(&a);
		return r;
	}
	r = *a.key ? io_read_file(s->archives, a.key, 1 << 20, &text, &len, f) : -ENOENT;
	archive_done(&a);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!line_holds(s, line))
			return 0;
	return 1;
}
