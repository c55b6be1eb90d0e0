/* SPDX-License-Identifier: Apache-2.0 */
/* list and inspect. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "rootfs/images/image_ini.h"
#include "rootfs/images/verbs.h"

/* Sum over an image's layers; layers shared with other images count for each. */
static uint64_t image_size(const struct store *s, const struct names *layers)
{
	uint64_t total = 0;

	for (size_t i = 0; i < layers->n; i++) {
		struct layer_meta meta = {0};

		if (layer_meta_read(s, layers->list[i], &meta, NULL) == 0)
			total += meta.bytes;
		buf_done(&meta.assumes);
	}
	return total;
}

static int names_of(const struct store *s, const struct names *all, const char *id,
		    struct names *ret, struct fail *f)
{
	for (size_t i = 0; i < all->n; i++) {
		char to[STORE_HEX_MAX + 1], ref[STORE_NAME_MAX];
		int r = 0;

		if (store_name_read(s, all->list[i], to, NULL) == 0 && !strcmp(to, id)) {
			store_name_ref(all->list[i], ref);
			r = names_add(ret, ref, f);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void print_row(const struct out *o, const char *id, const struct names *refs,
		      const struct names *layers, uint64_t size)
{
	_buf_ struct buf b = {0};
	struct json_out j;

	if (!o->json) {
		for (size_t i = 0; i < refs->n || i == 0; i++)
			printf("%-40s %.12s %8.1f MB %7zu\n", refs->n ? refs->list[i] : "<none>",
			       id, (double)size / 1e6, layers->n);
		return;
	}
	json_init(&j, &b);
	json_object(&j, NULL);
	json_str(&j, "id", id);
	json_array(&j, "names");
	for (size_t i = 0; i < refs->n; i++)
		json_str(&j, NULL, refs->list[i]);
	json_end(&j);
	json_int(&j, "size", (int64_t)size);
	json_int(&j, "layers", (int64_t)layers->n);
	json_end(&j);
	if (!b.bad)
		out_line(o, b.data);
}

static int list_one(const struct store *s, const struct options *o, const char *id,
		    const struct names *all, struct fail *f)
{
	struct names refs = {0}, layers = {0};
	int r = names_of(s, all, id, &refs, f);

	if (r == 0)
		r = store_image_layers(s, id, &layers, f);
	if (r == 0)
		print_row(&o->out, id, &refs, &layers, image_size(s, &layers));
	names_done(&refs);
	names_done(&layers);
	return r;
}

int verb_list(const struct options *o, struct fail *f)
{
	struct names ids = {0}, all = {0};
	struct store s;
	int r = store_open(&s, STORE_SHARED, f);

	if (r == 0)
		r = store_list(s.images, &ids, f);
	if (r == 0)
		r = store_list(s.names, &all, f);
	if (r == 0 && !o->out.json)
		printf("%-40s %-12s %11s %7s\n", "NAME", "ID", "SIZE", "LAYERS");
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (store_hex_valid(ids.list[i]))
			r = list_one(&s, o, ids.list[i], &all, f);
	names_done(&ids);
	names_done(&all);
	store_done(&s);
	return r;
}

/* Keys that stand once at most; the others are lists. */
static const char *const single[] = {"Id", "User", "WorkingDir", "StopSignal"};

static bool is_single(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (!strcmp(single[i], key))
			return true;
	return false;
}

/* Lines of one key stand together, as image_ini_write() wrote them. */
static int json_image(struct json_out *j, char *text)
{
	char last[32] = "";
	char *key, *value;
	size_t at = 0;
	int r;

	while ((r = image_ini_next(text, &at, &key, &value)) == 1) {
		if (strcmp(last, key) != 0) {
			if (*last && !is_single(last))
				json_end(j);
			if (!is_single(key))
				json_array(j, key);
			snprintf(last, sizeof(last), "%s", key);
		}
		json_str(j, is_single(key) ? key : NULL, value);
	}
	if (*last && !is_single(last))
		json_end(j);
	return r;
}

static int inspect(const struct store *s, const struct options *o, const char *id, struct fail *f)
{
	struct names all = {0}, refs = {0}, layers = {0};
	_buf_ struct buf b = {0};
	_free_
	char *text = NULL;
	struct json_out j;
	int r = store_image_text(s, id, &text, f);

	if (r == 0)
		r = store_image_layers(s, id, &layers, f);
	if (r == 0)
		r = store_list(s->names, &all, f);
	if (r == 0)
		r = names_of(s, &all, id, &refs, f);
	if (r == 0 && !o->out.json) {
		fputs(text, stdout);
	} else if (r == 0) {
		json_init(&j, &b);
		json_object(&j, NULL);
		json_array(&j, "Names");
		for (size_t i = 0; i < refs.n; i++)
			json_str(&j, NULL, refs.list[i]);
		json_end(&j);
		json_int(&j, "Size", (int64_t)image_size(s, &layers));
		if (json_image(&j, text) < 0)
			r = fail_set(f, 0, "image %s: image.ini is damaged", id);
		json_end(&j);
		if (r == 0 && !b.bad)
			out_line(&o->out, b.data);
	}
	names_done(&all);
	names_done(&refs);
	names_done(&layers);
	return r;
}

int verb_inspect(const struct options *o, struct fail *f)
{
	char id[STORE_HEX_MAX + 1], name[STORE_NAME_MAX];
	struct store s;
	int r = store_open(&s, STORE_SHARED, f);

	if (r == 0)
		r = store_find(&s, o->args[0], id, name, f);
	if (r == 0)
		r = inspect(&s, o, id, f);
	store_done(&s);
	return r;
}
