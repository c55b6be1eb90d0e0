/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/paths.h"
#include "base/words.h"
#include "rootfs/images/image_ini.h"

#define PATH_ARCHIVES PATH_IMAGES "/archives"

static int open_dir(const char *path, mode_t mode, int *ret, struct fail *f)
{
	int r = io_mkdirs(path, mode, f);

	if (r < 0)
		return r;
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_set(f, errno, "open(\"%s\")", path) : 0;
}

static int take_lock(struct store *s, enum store_lock how, struct fail *f)
{
	s->lock = openat(s->images, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return fail_set(f, errno, "open(\"" PATH_IMAGES "/.lock\")");
	while (flock(s->lock, how == STORE_EXCLUSIVE ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR)
			return fail_set(f, errno, "lock the image store");
	return 0;
}

int store_open(struct store *s, enum store_lock how, struct fail *f)
{
	int r;

	*s = (struct store){-1, -1, -1, -1, -1, -1};
	r = io_mkdirs(PATH_STORE, 0700, f);
	if (r == 0)
		r = open_dir(PATH_IMAGES, 0755, &s->images, f);
	if (r == 0)
		r = open_dir(PATH_IMAGE_NAMES, 0755, &s->names, f);
	if (r == 0)
		r = open_dir(PATH_ARCHIVES, 0755, &s->archives, f);
	if (r == 0)
		r = open_dir(PATH_LAYERS, 0755, &s->layers, f);
	if (r == 0)
		r = open_dir(PATH_TMP, 0700, &s->tmp, f);
	return r == 0 ? take_lock(s, how, f) : r;
}

void store_done(struct store *s)
{
	int *fds[] = {&s->images, &s->names, &s->archives, &s->layers, &s->tmp, &s->lock};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		cleanup_fd(fds[i]);
		*fds[i] = -1;
	}
}

void layer_meta_write(struct buf *out, const struct layer_meta *m)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)m->bytes);
	words_add(out, number);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)m->entries);
	words_add(out, number);
	buf_add(out, m->assumes.data, m->assumes.len);
}

int layer_meta_read(const struct store *s, const char *hex, struct layer_meta *ret, struct fail *f)
{
	char path[STORE_HEX_MAX + 16];
	_free_
	char *text = NULL;
	const char *bytes, *entries;
	struct words_iter it;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%.128s/meta", hex);
	r = io_read_file(s->layers, path, 1u << 30, &text, &len, f);
	if (r < 0)
		return fail_wrap(f, "layer %s", hex);
	words_iter_init(&it, text, len);
	bytes = words_next(&it);
	entries = words_next(&it);
	if (!bytes || !entries || !words_valid(text, len))
		return fail_set(f, 0, "layer %s: \"meta\" is damaged", hex);
	ret->bytes = strtoull(bytes, NULL, 10);
	ret->entries = strtoull(entries, NULL, 10);
	buf_add(&ret->assumes, text + it.at, len - it.at);
	return ret->assumes.bad ? fail_set(f, ENOMEM, "no memory") : 0;
}

int store_layer_open(const struct store *s, const char *hex, struct fail *f)
{
	char path[STORE_HEX_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%.128s/fs", hex);
	fd = openat(s->layers, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "open layer %s", hex) : fd;
}

int names_add(struct names *n, const char *name, struct fail *f)
{
	char **grown = reallocarray(n->list, n->n + 1, sizeof(*grown));

	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	n->list = grown;
	n->list[n->n] = strdup(name);
	if (!n->list[n->n])
		return fail_set(f, ENOMEM, "no memory");
	n->n++;
	return 0;
}

void names_done(struct names *n)
{
	while (n->n > 0)
		free(n->list[--n->n]);
	free(n->list);
	n->list = NULL;
}

bool names_have(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->list[i], name))
			return true;
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_list(int dir, struct names *ret, struct fail *f)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_dir_ DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!list)
		return fail_set(f, errno, "list the store");
	while ((errno = 0, e = readdir(list))) {
		int r = e->d_name[0] == '.' ? 0 : names_add(ret, e->d_name, f);

		if (r < 0)
			return r;
	}
	if (errno)
		return fail_set(f, errno, "list the store");
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), compare);
	return 0;
}

int store_image_text(const struct store *s, const char *id, char **ret, struct fail *f)
{
	char path[STORE_HEX_MAX + 16];
	size_t len;

	snprintf(path, sizeof(path), "%.128s/image.ini", id);
	return io_read_file(s->images, path, IMAGE_INI_MAX, ret, &len, f);
}

int store_image_layers(const struct store *s, const char *id, struct names *ret, struct fail *f)
{
	_free_
	char *text = NULL;
	char *key, *value;
	size_t at = 0;
	int r = store_image_text(s, id, &text, f);

	if (r < 0)
		return r;
	while ((r = image_ini_next(text, &at, &key, &value)) == 1) {
		if (strcmp(key, "Layer") != 0)
			continue;
		if (!store_hex_valid(value))
			return fail_set(f, 0, "image %s: \"Layer=%.80s\"", id, value);
		r = names_add(ret, value, f);
		if (r < 0)
			return r;
	}
	return r < 0 ? fail_set(f, 0, "image %s: image.ini is damaged", id) : 0;
}

int store_name_read(const struct store *s, const char *name, char ret_id[STORE_HEX_MAX + 1],
		    struct fail *f)
{
	char target[STORE_HEX_MAX + 8];
	ssize_t n = readlinkat(s->names, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail_set(f, errno, "image name \"%s\"", name);
	target[n] = '\0';
	if (strncmp(target, "../", 3) != 0 || !store_hex_valid(target + 3))
		return fail_set(f, 0, "image name \"%s\" points to \"%s\"", name, target);
	strcpy(ret_id, target + 3);
	return 0;
}

void store_name_ref(const char *name, char ret_ref[STORE_NAME_MAX])
{
	snprintf(ret_ref, STORE_NAME_MAX, "%s", name);
	for (char *c = ret_ref; *c; c++)
		if (*c == '+')
			*c = '/';
}

/* An id by at least eight of its first digits; two that begin so are none. */
static int find_id(const struct store *s, const char *what, char ret_id[STORE_HEX_MAX + 1])
{
	struct names all = {0};
	size_t len = strlen(what), hits = 0;

	if (len < 8 || strspn(what, "0123456789abcdef") != len)
		return -ENOENT;
	if (store_list(s->images, &all, NULL) == 0)
		for (size_t i = 0; i < all.n; i++)
			if (store_hex_valid(all.list[i]) && !strncmp(all.list[i], what, len)) {
				strcpy(ret_id, all.list[i]);
				hits++;
			}
	names_done(&all);
	return hits == 1 ? 0 : -ENOENT;
}

int store_find(const struct store *s, const char *what, char ret_id[STORE_HEX_MAX + 1],
	       char ret_name[STORE_NAME_MAX], struct fail *f)
{
	char local[STORE_REF_MAX + 16];
	int r = -ENOENT;

	*ret_name = '\0';
	if (find_id(s, what, ret_id) == 0)
		return 0;
	if (store_ref_name(what, ret_name, f) < 0)
		return -EINVAL;
	r = store_name_read(s, ret_name, ret_id, f);
	if (r == -ENOENT && store_ref_short(what)) {
		snprintf(local, sizeof(local), "localhost/%s", what);
		if (store_ref_name(local, ret_name, NULL) == 0)
			r = store_name_read(s, ret_name, ret_id, f);
	}
	return r == -ENOENT ? fail_set(f, ENOENT, "no image \"%.200s\" in the store", what) : r;
}
