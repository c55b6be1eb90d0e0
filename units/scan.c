/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "units/codes.h"
#include "units/loader.h"

/* Cuts a path into its last part and the name of the folder it lies in ("" if there is none). */
static void cut_path(struct loader *l, struct loaded_file *f)
{
	const char *slash = strrchr(f->path, '/'), *before;

	f->name = slash ? slash + 1 : f->path;
	if (!slash)
		return;
	for (before = slash; before > f->path && before[-1] != '/'; before--)
		;
	f->folder = arena_strndup(l->arena, before, (size_t)(slash - before));
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static void file_error(struct loader *l, const struct loaded_file *f, const char *code,
		       const char *hint, const char *text)
{
	diag_add(&l->diags, DIAG_ERROR, code, (struct source_at){f->path, 0, 0}, 1, hint, "%s",
		 text);
}

/* A file that is no drop-in: one of our units, a kind that is refused, or nothing to us. */
static int take_main(struct loader *l, struct loaded_file f)
{
	struct unit_name n;
	bool foreign;
	const char *why = unit_name_parse(f.name, &n, &foreign);

	f.folder = NULL;
	if (foreign) {
		why = unit_refused_extension(f.name);
		if (why)
			file_error(l, &f, U_REFUSED, NULL, why);
		return 0;
	}
	if (why) {
		file_error(l, &f, U_FILE_NAME, NULL, why);
		return 0;
	}
	if (l->n_mains >= LIMIT_UNITS)
		return -E2BIG;
	l->mains[l->n_mains++] = f;
	return 0;
}

static int by_name_rank(const void *a, const void *b)
{
	const struct loaded_file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_folder_rank(const void *a, const void *b)
{
	const struct loaded_file *x = a, *y = b;
	int order = strcmp(x->folder, y->folder);

	return order ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Of files with one name the first in the search order stays. */
static void keep_first(struct loader *l)
{
	size_t kept = 0;

	if (l->n_mains)
		qsort(l->mains, l->n_mains, sizeof(*l->mains), by_name_rank);
	for (size_t i = 0; i < l->n_mains; i++)
		if (kept == 0 || strcmp(l->mains[kept - 1].name, l->mains[i].name) != 0)
			l->mains[kept++] = l->mains[i];
	l->n_mains = kept;
}

int scan_files(struct loader *l)
{
	l->mains = arena_alloc(l->work, (l->in->n_files + 1) * sizeof(*l->mains));
	if (!l->mains)
		return -ENOMEM;
	for (size_t i = 0; i < l->in->n_files; i++) {
		struct loaded_file f = {.file = &l->in->files[i], .rank = i};
		int r;

		f.path = arena_strdup(l->arena, f.file->path);
		if (!f.path)
			return -ENOMEM;
		cut_path(l, &f);
		if (f.folder && ends_with(f.folder, ".d")) {
			struct loaded_file *slot;

			if (!ends_with(f.name, ".conf"))
				continue;
			slot = ARENA_PUSH(l->work, l->dropins, l->n_dropins);
			if (!slot)
				return -ENOMEM;
			*slot = f;
			continue;
		}
		r = take_main(l, f);
		if (r < 0)
			return r;
	}
	keep_first(l);
	if (l->n_dropins)
		qsort(l->dropins, l->n_dropins, sizeof(*l->dropins), by_folder_rank);
	return arena_bad(l->arena) ? -ENOMEM : 0;
}

struct loaded_file *scan_main(struct loader *l, const char *name)
{
	size_t low = 0, high = l->n_mains;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(l->mains[middle].name, name);

		if (order == 0)
			return &l->mains[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- drop-ins --------------------------------------------------------------------------------- */

/* In the order of precedence: more specific folders first, then the search path. */
struct picked {
	struct pick {
		struct loaded_file *file;
		size_t order;
	} * items;
	size_t n;
};

/* Adds the drop-ins of one folder name. */
static void pick_folder(struct loader *l, const char *folder, struct picked *picked)
{
	size_t low = 0, high = l->n_dropins;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(l->dropins[middle].folder, folder) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < l->n_dropins && strcmp(l->dropins[low].folder, folder) == 0; low++) {
		struct pick *slot = ARENA_PUSH(l->scratch, picked->items, picked->n);

		l->dropins[low].used = true;
		if (slot)
			*slot = (struct pick){&l->dropins[low], picked->n};
	}
}

static int by_file_name(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;
	int order = strcmp(x->file->name, y->file->name);

	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* Sorted by file name; of one name the first in the order of precedence. */
static struct loaded_file **unique(struct loader *l, struct picked *picked, size_t *ret_n)
{
	struct loaded_file **files = arena_alloc(l->scratch, (picked->n + 1) * sizeof(*files));
	size_t n = 0;

	if (!files)
		return NULL;
	if (picked->n)
		qsort(picked->items, picked->n, sizeof(*picked->items), by_file_name);
	for (size_t i = 0; i < picked->n; i++)
		if (n == 0 || strcmp(files[n - 1]->name, picked->items[i].file->name) != 0)
			files[n++] = picked->items[i].file;
	*ret_n = n;
	return files;
}

/* Folders from the most specific to the least: foo-bar@inst.container.d, foo-bar@.container.d,
 * foo-.container.d (and foo-@.container.d, as Quadlet spells it for templates), container.d. */
struct loaded_file **scan_dropins(struct loader *l, const char *name, const struct unit_name *n,
				  size_t *ret_n)
{
	const char *kind = unit_kind_names[n->kind];
	struct picked picked = {0};

	*ret_n = 0;
	if (l->n_dropins == 0)
		return NULL;
	pick_folder(l, arena_fmt(l->scratch, "%s.d", name), &picked);
	if (n->at && n->instance_len)
		pick_folder(l, arena_fmt(l->scratch, "%.*s@.%s.d", (int)n->prefix_len, name, kind),
			    &picked);
	for (size_t len = n->prefix_len; len > 0; len--) {
		if (name[len - 1] != '-')
			continue;
		if (n->at)
			pick_folder(l, arena_fmt(l->scratch, "%.*s@.%s.d", (int)len, name, kind),
				    &picked);
		pick_folder(l, arena_fmt(l->scratch, "%.*s.%s.d", (int)len, name, kind), &picked);
	}
	pick_folder(l, arena_fmt(l->scratch, "%s.d", kind), &picked);
	return unique(l, &picked, ret_n);
}

void scan_report_unused(struct loader *l)
{
	for (size_t i = 0; i < l->n_dropins; i++) {
		const char *folder = l->dropins[i].folder;
		struct unit_name n;
		bool foreign;
		char *unit;

		if (l->dropins[i].used)
			continue;
		unit = arena_strndup(l->work, folder, strlen(folder) - 2);
		/* Folders of other programs and of whole kinds may well have nobody who reads them. */
		if (!unit || unit_name_parse(unit, &n, &foreign) || unit[n.prefix_len - 1] == '-')
			continue;
		diag_add(&l->diags, DIAG_WARNING, U_NO_UNIT,
			 (struct source_at){l->dropins[i].path, 0, 0}, 1, NULL,
			 "there is no \"%s\" that this drop-in could change", unit);
	}
}
