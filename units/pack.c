/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/words.h"

/* --- out -------------------------------------------------------------------------------------- */

static void put_cell(struct buf *out, const char *data, size_t len)
{
	if (!data) {
		words_add(out, "-");
		return;
	}
	buf_fmt(out, "%zu", len);
	buf_chr(out, '\0');
	buf_add(out, data, len);
	buf_chr(out, '\0');
}

static void put_text(struct buf *out, const char *text)
{
	put_cell(out, text, text ? strlen(text) : 0);
}

static void put_number(struct buf *out, int64_t n)
{
	buf_fmt(out, "%" PRId64, n);
	buf_chr(out, '\0');
}

static const size_t host_texts[] = {
	offsetof(struct unit_host, hostname), offsetof(struct unit_host, machine_id),
	offsetof(struct unit_host, boot_id),  offsetof(struct unit_host, release),
	offsetof(struct unit_host, arch),     offsetof(struct unit_host, os_release),
};

static const char **host_text(const struct unit_host *host, size_t i)
{
	return (const char **)((char *)host + host_texts[i]);
}

void pack_input(struct buf *out, const struct units_input *in)
{
	words_add(out, "host");
	for (size_t i = 0; i < ARRAY_LEN(host_texts); i++)
		put_text(out, *host_text(&in->host, i));
	put_number(out, in->host.memory_total);
	put_number(out, in->host.pids_total);
	for (size_t i = 0; i < in->n_files; i++) {
		const struct unit_file *file = &in->files[i];

		words_add(out, "file");
		put_text(out, file->path);
		put_cell(out, file->data, file->len);
		put_text(out, file->error);
		put_number(out, file->masked);
	}
}

void pack_named(struct buf *out, const char *path, int result, const char *data, size_t len)
{
	words_add(out, "named");
	put_text(out, path);
	put_number(out, -result);
	put_cell(out, data, len);
}

void pack_end(struct buf *out)
{
	words_add(out, "end");
}

/* --- in --------------------------------------------------------------------------------------- */

struct named {
	const char *path, *data;
	size_t len;
	int result;
};

struct unpack {
	struct arena *arena;
	struct words_iter it;
	struct unit_file *files;
	struct named *named;
	size_t n_files, n_named;
	struct unit_host host;
	bool bad; /* cut off, or no pack at all */
};

static int64_t get_number(struct unpack *u)
{
	const char *word = words_next(&u->it);
	char *end = NULL;
	int64_t n = word ? strtoll(word, &end, 10) : 0;

	u->bad |= !word || end == word || *end;
	return n;
}

static const char *get_cell(struct unpack *u, size_t *ret_len)
{
	size_t left;
	const char *data;
	int64_t len;

	*ret_len = 0;
	if (u->it.at < u->it.len && u->it.data[u->it.at] == '-') {
		words_next(&u->it);
		return NULL;
	}
	len = get_number(u);
	left = u->it.len - u->it.at;
	if (u->bad || len < 0 || (uint64_t)len >= left || u->it.data[u->it.at + (size_t)len]) {
		u->bad = true;
		return NULL;
	}
	data = u->it.data + u->it.at;
	u->it.at += (size_t)len + 1;
	*ret_len = (size_t)len;
	return data;
}

static const char *get_text(struct unpack *u)
{
	size_t len;

	return get_cell(u, &len);
}

static int get_host(struct unpack *u)
{
	for (size_t i = 0; i < ARRAY_LEN(host_texts); i++)
		*host_text(&u->host, i) = get_text(u);
	u->host.memory_total = get_number(u);
	u->host.pids_total = get_number(u);
	return 0;
}

static int get_file(struct unpack *u)
{
	struct unit_file *file = ARENA_PUSH(u->arena, u->files, u->n_files);

	if (!file)
		return -ENOMEM;
	file->path = get_text(u);
	file->data = get_cell(u, &file->len);
	file->error = get_text(u);
	file->masked = get_number(u) != 0;
	u->bad |= !file->path;
	return 0;
}

static int get_named(struct unpack *u)
{
	struct named *named = ARENA_PUSH(u->arena, u->named, u->n_named);

	if (!named)
		return -ENOMEM;
	named->path = get_text(u);
	named->result = -(int)get_number(u);
	named->data = get_cell(u, &named->len);
	u->bad |= !named->path || (named->result == 0 && !named->data);
	return 0;
}

/* The file as it was when it was packed; whoever asks frees it. */
static int read_packed(void *ctx, const char *path, char **ret, size_t *ret_len)
{
	const struct unpack *u = ctx;

	for (size_t i = 0; i < u->n_named; i++) {
		const struct named *named = &u->named[i];

		if (strcmp(named->path, path) != 0)
			continue;
		if (named->result < 0)
			return named->result;
		*ret = malloc(named->len + 1);
		if (!*ret)
			return -ENOMEM;
		memcpy(*ret, named->data, named->len + 1);
		*ret_len = named->len;
		return 0;
	}
	return -ENOENT;
}

static int unpack(struct unpack *u, struct fail *f)
{
	static const struct {
		const char *key;
		int (*get)(struct unpack *u);
	} rows[] = {{"host", get_host}, {"file", get_file}, {"named", get_named}};
	const char *key;

	while (!u->bad && (key = words_next(&u->it))) {
		size_t i = 0;

		if (!strcmp(key, "end"))
			return 0;
		while (i < ARRAY_LEN(rows) && strcmp(rows[i].key, key) != 0)
			i++;
		if (i == ARRAY_LEN(rows))
			break;
		if (rows[i].get(u) < 0)
			return fail_set(f, ENOMEM, "units");
	}
	return fail_set(f, EINVAL, "the unit files as they were read are cut off");
}

int units_load_packed(const char *data, size_t len, struct unit_set **ret, struct fail *f)
{
	struct unpack u = {.arena = arena_new()};
	struct units_input in = {.read = read_packed, .ctx = &u};
	int r = u.arena ? 0 : fail_set(f, ENOMEM, "units");

	words_iter_init(&u.it, data, len);
	if (r == 0)
		r = unpack(&u, f);
	if (r == 0) {
		in.files = u.files;
		in.n_files = u.n_files;
		in.host = u.host;
		r = units_load(&in, ret, f);
	}
	arena_free(u.arena);
	return r;
}
