/* SPDX-License-Identifier: Apache-2.0 */
/* rm, check, prune. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "rootfs/images/image_ini.h"
#include "rootfs/images/verbs.h"

/* Whether another name than `but` leads to the image. */
static bool named(const struct store *s, const char *id, const char *but)
{
	struct names all = {0};
	char to[STORE_HEX_MAX + 1];
	bool yes = false;

	if (store_list(s->names, &all, NULL) == 0)
		for (size_t i = 0; i < all.n; i++)
			yes = yes ||
			      (strcmp(all.list[i], but) != 0 &&
			       store_name_read(s, all.list[i], to, NULL) == 0 && !strcmp(to, id));
	names_done(&all);
	return yes;
}

static bool kept(const struct store *s, const struct options *o, const char *id)
{
	char keep[STORE_HEX_MAX + 1], name[STORE_NAME_MAX];

	if (names_have(&o->running, id))
		return true;
	for (size_t i = 0; i < o->n_keep; i++)
		if (store_find(s, o->keep[i], keep, name, NULL) == 0 && !strcmp(keep, id))
			return true;
	return false;
}

/* The image's directory goes to tmp/ in one step: a half removed image is never seen. */
static int remove_from(const struct store *s, int dir, const char *name, struct fail *f)
{
	char trash[STORE_HEX_MAX + 16];

	snprintf(trash, sizeof(trash), "rm-%s", name);
	(void)io_remove_tree(s->tmp, trash, NULL);
	if (renameat(dir, name, s->tmp, trash) < 0)
		return fail_set(f, errno, "remove \"%s\"", name);
	if (fsync(dir) < 0)
		return fail_set(f, errno, "sync the store");
	return io_remove_tree(s->tmp, trash, f);
}

static int remove_names(const struct store *s, const char *id, struct fail *f)
{
	struct names all = {0};
	char to[STORE_HEX_MAX + 1];
	int r = store_list(s->names, &all, f);

	for (size_t i = 0; r == 0 && i < all.n; i++)
		if (store_name_read(s, all.list[i], to, NULL) == 0 && !strcmp(to, id) &&
		    unlinkat(s->names, all.list[i], 0) < 0)
			r = fail_set(f, errno, "remove the name \"%s\"", all.list[i]);
	names_done(&all);
	return r;
}

/* By name: that name, and the image with its last one. By id: all of it. Layers stay for prune. */
static int rm_one(const struct store *s, const struct options *o, const char *what, struct fail *f)
{
	char id[STORE_HEX_MAX + 1], name[STORE_NAME_MAX], text[STORE_REF_MAX + 80];
	bool last;
	int r = store_find(s, what, id, name, f);

	if (r < 0)
		return r;
	last = !*name || !named(s, id, name);
	if (last && kept(s, o, id))
		return fail_set(f, EBUSY, "image \"%s\" is in use", what);
	if (*name && unlinkat(s->names, name, 0) < 0)
		return fail_set(f, errno, "remove the name \"%s\"", what);
	if (!*name)
		r = remove_names(s, id, f);
	if (r == 0 && fsync(s->names) < 0)
		r = fail_set(f, errno, "sync the store");
	if (r == 0 && last)
		r = remove_from(s, s->images, id, f);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text),
		 last ? "%s: removed (its layers: orlop-image prune)" : "%s: name removed", what);
	out_say(&o->out, "removed", text);
	return 0;
}

int verb_rm(const struct options *o, struct fail *f)
{
	struct store s;
	int r = store_open(&s, STORE_EXCLUSIVE, f);

	for (size_t i = 0; r == 0 && i < o->n_args; i++)
		r = rm_one(&s, o, o->args[i], f);
	store_done(&s);
	return r;
}

/* Every layer that an image names. */
static int layers_in_use(const struct store *s, struct names *ret, struct fail *f)
{
	struct names ids = {0};
	int r = store_list(s->images, &ids, f);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (store_hex_valid(ids.list[i]))
			r = store_image_layers(s, ids.list[i], ret, f);
	names_done(&ids);
	return r;
}

/* What an import that no longer runs has left; who works holds a lock. */
static int prune_tmp(const struct store *s, struct fail *f)
{
	struct names all = {0};
	int r = store_list(s->tmp, &all, f);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		bool ours = !strncmp(all.list[i], "import-", 7) || !strncmp(all.list[i], "rm-", 3);
		_fd_
		int dir = openat(s->tmp, all.list[i],
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (ours && dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
			r = io_remove_tree(s->tmp, all.list[i], f);
	}
	names_done(&all);
	return r;
}

/* Records of archives whose images are gone. */
static int prune_records(const struct store *s, struct fail *f)
{
	struct names all = {0};
	int r = store_list(s->archives, &all, f);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		char id[STORE_HEX_MAX + 1] = "";
		_free_
		char *text = NULL;
		size_t len;

		if (io_read_file(s->archives, all.list[i], 1 << 20, &text, &len, NULL) == 0)
			snprintf(id, sizeof(id), "%.*s", (int)strcspn(text, " "), text);
		if (store_hex_valid(id) && faccessat(s->images, id, F_OK, 0) == 0)
			continue;
		if (unlinkat(s->archives, all.list[i], 0) < 0)
			r = fail_set(f, errno, "remove a record");
	}
	names_done(&all);
	return r;
}

static int prune_layers(const struct store *s, const struct options *o, uint64_t *bytes,
			size_t *count, struct fail *f)
{
	struct names used = {0}, all = {0};
	int r = layers_in_use(s, &used, f);

	for (size_t i = 0; i < o->n_keep && r == 0; i++)
		r = names_add(&used, o->keep[i], f); /* layers of running containers, by name */
	if (r == 0)
		r = store_list(s->layers, &all, f);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		struct layer_meta meta = {0};

		if (names_have(&used, all.list[i]))
			continue;
		if (layer_meta_read(s, all.list[i], &meta, NULL) == 0)
			*bytes += meta.bytes;
		buf_done(&meta.assumes);
		r = remove_from(s, s->layers, all.list[i], f);
		(*count)++;
	}
	names_done(&used);
	names_done(&all);
	return r;
}

/* Images that nobody asked to keep. */
static int prune_images(const struct store *s, const struct options *o, size_t *count,
			struct fail *f)
{
	struct names ids = {0};
	int r = store_list(s->images, &ids, f);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		const char *id = ids.list[i];

		if (!store_hex_valid(id) || kept(s, o, id) || (!o->all && named(s, id, "")))
			continue;
		r = remove_names(s, id, f);
		if (r == 0 && fsync(s->names) < 0)
			r = fail_set(f, errno, "sync the store");
		if (r == 0)
			r = remove_from(s, s->images, id, f);
		(*count)++;
	}
	names_done(&ids);
	return r;
}

int verb_prune(const struct options *o, struct fail *f)
{
	uint64_t bytes = 0;
	size_t count = 0, images = 0;
	char text[100];
	struct store s;
	int r = store_open(&s, STORE_EXCLUSIVE, f);

	if (r == 0 && (o->all || o->unnamed))
		r = prune_images(&s, o, &images, f);
	if (r == 0)
		r = prune_layers(&s, o, &bytes, &count, f);
	if (r == 0)
		r = prune_records(&s, f);
	if (r == 0)
		r = prune_tmp(&s, f);
	store_done(&s);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%zu images, %zu layers, %.1f MB", images, count,
		 (double)bytes / 1e6);
	out_say(&o->out, "pruned", text);
	return 0;
}

/* --- check ----------------------------------------------------------------------------------- */

struct checker {
	const struct store *s;
	const struct out *out;
	size_t bad;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct checker *c, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_say(c->out, "wrong", text);
	c->bad++;
}

static void check_image(struct checker *c, const char *id)
{
	struct names layers = {0};
	struct fail f = {0};

	if (!store_hex_valid(id)) {
		if (strcmp(id, "names") != 0 && strcmp(id, "archives") != 0)
			wrong(c, "images/%s is no image", id);
		return;
	}
	if (store_image_layers(c->s, id, &layers, &f) < 0)
		wrong(c, "%s", f.text);
	for (size_t i = 0; i < layers.n; i++) {
		int fd = store_layer_open(c->s, layers.list[i], &f);

		if (fd < 0)
			wrong(c, "image %.12s lacks its layer %zu (%s): import it again", id, i + 1,
			      layers.list[i]);
		cleanup_fd(&fd);
	}
	names_done(&layers);
}

static void check_name(struct checker *c, const char *name)
{
	char id[STORE_HEX_MAX + 1];
	struct fail f = {0};

	if (store_name_read(c->s, name, id, &f) < 0)
		wrong(c, "%s", f.text);
	else if (faccessat(c->s->images, id, F_OK, 0) < 0)
		wrong(c, "the name \"%s\" leads to image %.12s, which is not there", name, id);
}

static void check_layer(struct checker *c, const char *hex)
{
	struct layer_meta meta = {0};
	struct fail f = {0};
	int fd;

	if (!store_hex_valid(hex)) {
		wrong(c, "layers/%s is no layer", hex);
		return;
	}
	if (layer_meta_read(c->s, hex, &meta, &f) < 0)
		wrong(c, "%s", f.text);
	buf_done(&meta.assumes);
	fd = store_layer_open(c->s, hex, &f);
	if (fd < 0)
		wrong(c, "%s", f.text);
	cleanup_fd(&fd);
}

int verb_check(const struct options *o, struct fail *f)
{
	static void (*const checks[])(struct checker *, const char *) = {check_image, check_name,
									 check_layer};
	struct store s;
	struct checker c = {.s = &s, .out = &o->out};
	int r = store_open(&s, STORE_SHARED, f);
	int dirs[] = {s.images, s.names, s.layers};

	for (size_t d = 0; r == 0 && d < ARRAY_LEN(dirs); d++) {
		struct names all = {0};

		r = store_list(dirs[d], &all, f);
		for (size_t i = 0; r == 0 && i < all.n; i++)
			checks[d](&c, all.list[i]);
		names_done(&all);
	}
	store_done(&s);
	if (r < 0)
		return r;
	if (c.bad)
		return fail_set(f, 0, "%zu things are wrong with the image store", c.bad);
	out_say(&o->out, "checked", "the image store is whole");
	return 0;
}
