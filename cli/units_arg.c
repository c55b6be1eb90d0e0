/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/units_arg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "units/load.h"

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A name with '@' and something behind it may be an instance that nobody has asked for yet. */
static bool maybe_instance(const char *name)
{
	const char *at = strchr(name, '@');

	return at && at[1] && at[1] != '.';
}

struct words {
	char **paths; /* owned strings, ended by NULL */
	size_t n_paths;
	const char **instances;
	size_t n_instances;
};

static int add_path(struct words *w, char *path)
{
	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_paths; i++)
		if (strcmp(w->paths[i], path) == 0) {
			free(path);
			return 0;
		}
	w->paths[w->n_paths++] = path;
	return 0;
}

static int take_word(struct words *w, struct chosen_units *c, const char *word, bool names_too,
		     struct fail *f)
{
	struct stat st, link;
	const char *slash = strrchr(word, '/');

	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode))
		return add_path(w, strdup(word));
	if (lstat(word, &link) == 0) {
		c->only[c->n_only++] = slash ? slash + 1 : word;
		return add_path(w, folder_of(word));
	}
	if (!names_too || slash)
		return fail_set(f, ENOENT, "\"%s\"", word);
	c->only[c->n_only++] = word;
	if (maybe_instance(word))
		w->instances[w->n_instances++] = word;
	return 0;
}

/* "web" and "web.service" become the names of their units. */
static int find_names(struct chosen_units *c, struct fail *f)
{
	for (size_t i = 0; i < c->n_only; i++) {
		const struct unit *u = unit_find(c->set, c->only[i]);
		bool known = u;

		for (size_t d = 0; d < c->set->n_diags && !known; d++) {
			const char *file = c->set->diags[d]->at.file;
			const char *slash = file ? strrchr(file, '/') : NULL;

			known = file && strcmp(slash ? slash + 1 : file, c->only[i]) == 0;
		}
		if (!known)
			return fail_set(f, ENOENT, "there is no unit \"%s\"", c->only[i]);
		if (u)
			c->only[i] = u->name;
	}
	return 0;
}

int units_arg_load(char **words, int n, bool names_too, struct chosen_units *ret, struct fail *f)
{
	struct words w = {0};
	int r = 0;

	*ret = (struct chosen_units){0};
	w.paths = calloc((size_t)n + 1, sizeof(*w.paths));
	w.instances = calloc((size_t)n + 1, sizeof(*w.instances));
	ret->only = calloc((size_t)n + 1, sizeof(*ret->only));
	if (!w.paths || !w.instances || !ret->only)
		r = fail_set(f, ENOMEM, "reading the words");
	for (int i = 0; r == 0 && i < n; i++)
		r = take_word(&w, ret, words[i], names_too, f);
	if (r == 0)
		r = units_load_dirs(w.n_paths ? (const char *const *)w.paths : units_dirs,
				    w.instances, &ret->set, f);
	if (r == 0)
		r = find_names(ret, f);
	for (size_t i = 0; i < w.n_paths; i++)
		free(w.paths[i]);
	free(w.paths);
	free(w.instances);
	if (r < 0)
		units_arg_done(ret);
	return r;
}

void units_arg_done(struct chosen_units *c)
{
	unit_set_free(c->set);
	free(c->only);
	*c = (struct chosen_units){0};
}

bool units_arg_has(const struct chosen_units *c, const struct unit *u)
{
	if (!c->n_only)
		return !u->builtin;
	for (size_t i = 0; i < c->n_only; i++)
		if (strcmp(c->only[i], u->name) == 0)
			return true;
	return false;
}
