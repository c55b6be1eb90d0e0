/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/images/import_work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json_out.h"
#include "base/words.h"
#include "rootfs/images/image_ini.h"

static void note(void *arg, const char *text)
{
	out_say(((struct import *)arg)->out, "note", text);
}

/* --- work directory -------------------------------------------------------------------------- */

static int work_open(struct import *m, struct fail *f)
{
	for (unsigned n = 0; n < 1000; n++) {
		snprintf(m->work_name, sizeof(m->work_name), "import-%d-%u", getpid(), n);
		if (mkdirat(m->store->tmp, m->work_name, 0700) == 0)
			break;
		if (errno != EEXIST)
			return fail_set(f, errno, "mkdir in tmp/");
	}
	m->work = openat(m->store->tmp, m->work_name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* the lock tells prune that somebody is at work */
	if (m->work < 0 || flock(m->work, LOCK_EX | LOCK_NB) < 0)
		return fail_set(f, errno, "open \"%s\" in tmp/", m->work_name);
	return 0;
}

static void work_done(struct import *m)
{
	for (size_t i = 0; i < m->n_made; i++)
		buf_done(&m->made[i].meta.assumes);
	free(m->made);
	if (m->work < 0)
		return;
	(void)io_remove_tree(m->store->tmp, m->work_name, NULL);
	close(m->work);
}

/* --- layers ---------------------------------------------------------------------------------- */

/* The chain id of a layer on top of others: the digest over both. */
static void chain_add(char chain[DIGEST_MAX], const char *diff)
{
	struct digest d;

	if (!*chain) {
		strcpy(chain, diff);
		return;
	}
	digest_init(&d, NULL);
	digest_add(&d, chain, strlen(chain));
	digest_add(&d, " ", 1);
	digest_add(&d, diff, strlen(diff));
	digest_end(&d, chain);
}

static struct made *find_made(struct import *m, const char *name)
{
	for (size_t i = 0; i < m->n_made; i++)
		if (!strcmp(m->made[i].name, name))
			return &m->made[i];
	return NULL;
}

static int open_made(struct import *m, const char *name, struct fail *f)
{
	char path[STORE_HEX_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/fs", name);
	fd = openat(m->work, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_set(f, errno, "open layer %s", name) : fd;
}

/* Opens a layer by that name, if there is one that is good on these layers: its fd, or -ENOENT. */
static int open_known(struct import *m, const char *name, bool chained, const struct layers *below,
		      struct fail *f)
{
	struct layer_meta meta = {0};
	struct made *made = find_made(m, name);
	int fd, r = 1;

	fd = made ? open_made(m, name, f) : store_layer_open(m->store, name, f);
	if (fd < 0)
		return fd;
	if (!chained) {
		r = made ? 0 : layer_meta_read(m->store, name, &meta, f);
		if (r == 0) {
			struct buf *a = made ? &made->meta.assumes : &meta.assumes;

			r = layer_assumptions_hold(a->data, a->len, below, f);
		}
		buf_done(&meta.assumes);
	}
	if (r == 1)
		return fd;
	close(fd);
	return r < 0 ? r : -ENOENT;
}

static int keep_made(struct import *m, struct writer *w, const char *name, struct fail *f)
{
	struct made *grown = reallocarray(m->made, m->n_made + 1, sizeof(*grown));

	if (!grown)
		return fail_set(f, ENOMEM, "no memory");
	m->made = grown;
	grown[m->n_made] = (struct made){
		.meta = {.bytes = w->bytes, .entries = w->entries, .assumes = w->assumes}};
	strcpy(grown[m->n_made++].name, name);
	w->assumes = (struct buf){0};
	return 0;
}

static int write_meta(struct import *m, const char *name, struct fail *f)
{
	char path[STORE_HEX_MAX + 8];
	_buf_ struct buf text = {0};

	layer_meta_write(&text, &find_made(m, name)->meta);
	snprintf(path, sizeof(path), "%s/meta", name);
	return import_write_work(m, path, &text, f);
}

/* Unpacks into <work>/new/fs through the writer and checks the diff id. */
static int unpack(struct import *m, const struct layer_source *l, struct writer *w, struct fail *f)
{
	struct hash_arg hash = {.like = l->diff,
				.max_bytes = quota_unpacked(l->part.len, m->limits->max_ratio,
							    m->limits->max_bytes)};
	char is[160];
	int r = reader_layer(m->archive.fd, l->part, &hash, w, is, f);

	if (r < 0)
		return r;
	return strcmp(is, l->diff)
		       ? fail_set(f, 0, "its content is %s, the config says %s", is, l->diff)
		       : 0;
}

/* Unpacks a layer; ret_name is what it is called. Returns the fd of its tree. */
static int make_layer(struct import *m, const struct layer_source *l, const char *chain,
		      const struct layers *below, struct quota *q, char ret_name[STORE_HEX_MAX + 1],
		      struct fail *f)
{
	struct writer w;
	_fd_
	int root = -1;
	int r;

	if (mkdirat(m->work, "new", 0755) < 0 || mkdirat(m->work, "new/fs", 0755) < 0)
		return fail_set(f, errno, "mkdir in tmp/");
	root = openat(m->work, "new/fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_set(f, errno, "open in tmp/");
	writer_init(&w, root, below, q);
	w.note = note;
	w.note_arg = m;
	r = unpack(m, l, &w, f);
	if (r == 0) {
		bool taken = find_made(m, digest_hex(l->diff)) ||
			     faccessat(m->store->layers, digest_hex(l->diff), F_OK, 0) == 0;

		strcpy(ret_name, digest_hex(w.dependent || taken ? chain : l->diff));
		r = keep_made(m, &w, ret_name, f);
	}
	writer_done(&w);
	if (r == 0 && renameat(m->work, "new", m->work, ret_name) < 0)
		r = fail_set(f, errno, "rename in tmp/");
	if (r == 0)
		r = write_meta(m, ret_name, f);
	return r < 0 ? r : take_fd(&root);
}

/* Finds or makes a layer; adds its tree to `below`. */
static int one_layer(struct import *m, const struct layer_source *l, char chain[DIGEST_MAX],
		     struct layers *below, struct quota *q, char ret_name[STORE_HEX_MAX + 1],
		     struct fail *f)
{
	int fd, r;

	chain_add(chain, l->diff);
	/* a blob that is not needed must be right all the same: an archive is good or it is not */
	r = *l->digest ? archive_check(&m->archive, l->part, l->digest, f) : 0;
	if (r < 0)
		return r;
	strcpy(ret_name, digest_hex(l->diff));
	fd = open_known(m, ret_name, false, below, f);
	if (fd == -ENOENT && strcmp(chain, l->diff) != 0) {
		strcpy(ret_name, digest_hex(chain));
		fd = open_known(m, ret_name, true, below, f);
	}
	if (fd == -ENOENT)
		fd = make_layer(m, l, chain, below, q, ret_name, f);
	if (fd < 0)
		return fd;
	below->fd[below->n++] = fd;
	return 0;
}

/* --- images ---------------------------------------------------------------------------------- */

/* The same tree twice cannot be in an overlay, and the upper one has all that the lower has. */
static size_t without_repeats(char (*names)[STORE_HEX_MAX + 1], size_t n, const char **ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool again = false;

		for (size_t k = i + 1; k < n; k++)
			again = again || !strcmp(names[i], names[k]);
		if (!again)
			ret[kept++] = names[i];
	}
	return kept;
}

static int write_image(struct import *m, const struct image_plan *p,
		       char (*names)[STORE_HEX_MAX + 1], struct fail *f)
{
	const char *layers[LIMIT_IMAGE_LAYERS];
	size_t n = without_repeats(names, p->n_layers, layers);
	char path[STORE_HEX_MAX + 16];
	_buf_ struct buf text = {0};
	int r = image_ini_write(&text, p->id, layers, n, p->config.data, p->config.len, note, m, f);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "i-%s", p->id);
	if (mkdirat(m->work, path, 0755) < 0)
		return fail_set(f, errno, "mkdir in tmp/");
	snprintf(path, sizeof(path), "i-%s/image.ini", p->id);
	return import_write_work(m, path, &text, f);
}

static int make_image(struct import *m, const struct image_plan *p, struct fail *f)
{
	struct quota q = {.max_bytes = m->limits->max_bytes, .max_entries = m->limits->max_entries};
	char(*names)[STORE_HEX_MAX + 1] = calloc(p->n_layers + 1, sizeof(*names));
	struct layers below = {0};
	char chain[DIGEST_MAX] = "", text[200];
	int r = names ? 0 : fail_set(f, ENOMEM, "no memory");

	for (size_t i = 0; r == 0 && i < p->n_layers; i++) {
		size_t before = m->n_made;

		r = one_layer(m, &p->layers[i], chain, &below, &q, names[i], f);
		if (r < 0) {
			fail_wrap(f, "layer %zu of %zu (%s)", i + 1, p->n_layers,
				  p->layers[i].diff);
			break;
		}
		snprintf(text, sizeof(text), "layer %zu of %zu %.12s: %s", i + 1, p->n_layers,
			 names[i], m->n_made > before ? "unpacked" : "in the store already");
		out_say(m->out, "progress", text);
	}
	layers_done(&below);
	if (r == 0)
		r = write_image(m, p, names, f);
	free(names);
	return r;
}

static void tell_result(struct import *m)
{
	for (size_t i = 0; i < m->archive.n_plans; i++) {
		const struct image_plan *p = &m->archive.plans[i];
		_buf_ struct buf b = {0};
		struct json_out j;

		if (!m->out->json) {
			printf("%.12s", p->id);
			for (size_t n = 0; n < p->n_names; n++)
				printf(" %s", p->names[n]);
			puts("");
			continue;
		}
		json_init(&j, &b);
		json_object(&j, NULL);
		json_str(&j, "id", p->id);
		json_array(&j, "names");
		for (size_t n = 0; n < p->n_names; n++)
			json_str(&j, NULL, p->names[n]);
		json_end(&j);
		json_end(&j);
		if (!b.bad)
			out_line(m->out, b.data);
	}
}

int import_file(const struct store *s, const char *path, const char *name,
		const struct import_limits *limits, const struct out *o, struct fail *f)
{
	struct import m = {.store = s, .limits = limits, .out = o, .work = -1};
	int r = archive_open(&m.archive, path, name, f);

	if (r == 0)
		r = archive_plan(&m.archive, name, f);
	if (r == 0)
		r = work_open(&m, f);
	for (size_t i = 0; r == 0 && i < m.archive.n_plans; i++) {
		r = make_image(&m, &m.archive.plans[i], f);
		if (r < 0)
			fail_wrap(f, "\"%s\": image %.12s", path, m.archive.plans[i].id);
	}
	if (r == 0)
		r = import_commit(&m, f);
	if (r == 0)
		tell_result(&m);
	work_done(&m);
	archive_done(&m.archive);
	return r;
}
