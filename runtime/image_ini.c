/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "runtime/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/store.h"
#include "units/ini.h"

enum kind { STR, LIST, LAYER };

static const struct {
	const char *key;
	enum kind kind;
	size_t offset;
} keys[] = {
	{"Id", STR, offsetof(struct image, id)},
	{"Layer", LAYER, offsetof(struct image, layers)},
	{"Entrypoint", LIST, offsetof(struct image, entrypoint)},
	{"Cmd", LIST, offsetof(struct image, cmd)},
	{"Env", LIST, offsetof(struct image, env)},
	{"User", STR, offsetof(struct image, user)},
	{"WorkingDir", STR, offsetof(struct image, workdir)},
	{"StopSignal", STR, offsetof(struct image, stop_signal)},
	{"Volume", LIST, offsetof(struct image, volumes)},
};

/* Undoes C escapes in place; false if one is malformed or stands for NUL. */
static bool unescape(char *s)
{
	static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
	char *out = s;

	while (*s) {
		const char *known;

		if (*s != '\\') {
			*out++ = *s++;
			continue;
		}
		s++;
		known = *s ? strchr(from, *s) : NULL;
		if (known) {
			*out++ = to[known - from];
			s++;
		} else if (*s == 'x' || (*s >= '0' && *s <= '3')) {
			char digits[4] = {0};
			bool hex = *s == 'x';
			char *end;
			long n;

			memcpy(digits, s + hex, strnlen(s + hex, hex ? 2 : 3));
			n = strtol(digits, &end, hex ? 16 : 8);
			if (*end || end - digits != (hex ? 2 : 3) || n == 0 || n > 255)
				return false;
			*out++ = (char)n;
			s += hex + (end - digits);
		} else {
			return false;
		}
	}
	*out = '\0';
	return true;
}

static bool contains(const struct strlist *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i], s))
			return true;
	return false;
}

static int put(struct image *image, enum kind kind, size_t offset, const char *value,
	       struct fail *f)
{
	void *field = (char *)image + offset;
	char *copy;

	if (kind != STR) {
		if (kind == LAYER && !store_hex_valid(value))
			return fail_set(f, EINVAL, "Layer=%s is no digest", value);
		return strlist_add(field, value) < 0 ? fail_set(f, ENOMEM, "image.ini") : 0;
	}
	copy = strdup(value);
	if (!copy)
		return fail_set(f, ENOMEM, "image.ini");
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

/* Keys that a start has no use for are skipped. */
static int take_entry(struct image *image, const struct ini_entry *e, struct fail *f)
{
	_free_
	char *value = NULL;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].key, e->key))
			continue;
		value = strdup(e->value);
		if (!value)
			return fail_set(f, ENOMEM, "image.ini");
		if (!unescape(value))
			return fail_set(f, EINVAL, "image.ini:%u: bad escape in %s=", e->at.line,
					e->key);
		return put(image, keys[i].kind, keys[i].offset, value, f);
	}
	return 0;
}

static int read_text(struct image *image, struct arena *arena, const char *text, size_t len,
		     struct fail *f)
{
	struct diags diags = {.arena = arena};
	struct ini_doc doc = {0};
	int r = ini_read(arena, "image.ini", text, len, &diags, &doc);

	if (r < 0 && diags.n)
		return fail_set(f, -r, "image.ini:%u: %s", diags.items[0]->at.line,
				diags.items[0]->message);
	if (r < 0)
		return fail_set(f, -r, "image.ini");
	for (size_t i = 0; r == 0 && i < doc.n_entries; i++)
		if (!strcmp(doc.entries[i].section, "Image"))
			r = take_entry(image, &doc.entries[i], f);
	return r;
}

/* overlayfs refuses a layer that comes twice (the empty one often does). What it says the second time
 * is what counts, so the lower one goes. */
static int drop_repeated(struct image *image, struct fail *f)
{
	struct strlist kept = {0}, *layers = &image->layers;

	for (size_t i = 0; i < layers->n; i++) {
		struct strlist above = {layers->items + i + 1, layers->n - i - 1};

		if (!contains(&above, layers->items[i]) &&
		    strlist_add(&kept, layers->items[i]) < 0) {
			strlist_done(&kept);
			return fail_set(f, ENOMEM, "image.ini");
		}
	}
	strlist_done(layers);
	*layers = kept;
	if (kept.n > IMAGE_LAYERS_MAX)
		return fail_set(f, E2BIG, "the image has %zu layers, at most %u can be stacked",
				kept.n, IMAGE_LAYERS_MAX);
	return 0;
}

int image_parse(struct image *image, const char *text, size_t len, struct fail *f)
{
	struct arena *arena = arena_new();
	int r = arena ? read_text(image, arena, text, len, f) : fail_set(f, ENOMEM, "image.ini");

	arena_free(arena);
	if (r == 0)
		r = drop_repeated(image, f);
	if (r < 0)
		image_done(image);
	return r;
}

void image_done(struct image *image)
{
	free(image->id);
	free(image->user);
	free(image->workdir);
	free(image->stop_signal);
	strlist_done(&image->layers);
	strlist_done(&image->entrypoint);
	strlist_done(&image->cmd);
	strlist_done(&image->env);
	strlist_done(&image->volumes);
	*image = (struct image){0};
}
