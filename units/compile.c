/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "units/codes.h"
#include "units/envfile.h"

struct conv *compile_conv(struct compile *x)
{
	return &x->conv;
}

const struct ini_entry *compile_entry(const struct compile *x, enum key_section section,
				      const char *key)
{
	size_t slot;

	if (!key_find(&x->l->keys, section, key, x->kinds, &slot) || !x->uses[slot].last)
		return NULL;
	return x->uses[slot].last->entry;
}

void compile_report(struct compile *x, enum diag_severity severity, enum key_section section,
		    const char *key, const char *code, const char *hint, const char *fmt, ...)
{
	const struct ini_entry *e = compile_entry(x, section, key);
	struct source_at at = {x->conv.unit->sources[0], 0, 0};
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (e)
		at = e->at;
	else if (x->own_section)
		at = x->own_section->at;
	diag_add(x->conv.diags, severity, code, at, e ? strlen(e->key) : 1, hint, "%s", text);
}

static void *object_of(struct unit *u, enum key_section section)
{
	switch (section) {
	case SECTION_CONTAINER: return u->container;
	case SECTION_VOLUME: return u->volume;
	case SECTION_NETWORK: return u->network;
	case SECTION_POD: return u->pod;
	case SECTION_IMAGE: return u->image;
	case SECTION_SERVICE: return u->exec;
	case SECTION_QUADLET:
	case SECTION_UNIT:
	case SECTION_INSTALL:
	case SECTION__N: break;
	}
	return u;
}

/* --- conversion ------------------------------------------------------------------------------- */

static void convert_slot(struct compile *x, size_t slot)
{
	const struct key *key = x->l->keys.rows[slot];
	char *object;

	if (!x->uses[slot].first)
		return;
	object = object_of(x->conv.unit, (enum key_section)key->section);
	if (!object)
		return;
	x->conv.key = key;
	for (struct use *use = x->uses[slot].first; use; use = use->next) {
		x->conv.entry = use->entry;
		key_types[key->type].parse(&x->conv, object + key->offset);
	}
	x->uses[slot].first = NULL; /* done; `last` stays for compile_entry */
}

static void convert_key(struct compile *x, enum key_section section, const char *name)
{
	size_t slot;

	if (key_find(&x->l->keys, section, name, x->kinds, &slot))
		convert_slot(x, slot);
}

static int add_variable(void *ctx, const char *name, const char *value)
{
	struct conv *c = ctx;
	char *n, *v;

	if (c->ex.vars.n >= LIMIT_UNIT_WORDS || !expand_spend(&c->ex, strlen(name) + strlen(value)))
		return -E2BIG;
	n = arena_strdup(c->arena, name);
	v = arena_strdup(c->arena, value);
	conv_set_pair(c, &c->ex.vars, n, v, NULL);
	return 0;
}

/* The variables that ${X} may name: Environment=, then the files, which win. */
static void read_variables(struct compile *x)
{
	const struct unit_service *exec = x->conv.unit->exec;
	const struct units_input *in = x->l->in;
	struct conv *c = &x->conv;

	for (size_t i = 0; i < exec->env.n; i++)
		conv_set_pair(c, &c->ex.vars, exec->env.items[i].name, exec->env.items[i].value,
			      NULL);
	for (size_t i = 0; i < exec->env_files.n; i++) {
		const char *path = exec->env_files.items[i].value;
		bool may_miss = path[0] == '-';
		struct fail f = {0};
		char *data = NULL;
		size_t len = 0;
		int r = in->read ? in->read(in->ctx, path + may_miss, &data, &len) : -ENOENT;

		if (r == 0)
			r = envfile_systemd(data, len, add_variable, c, &f);
		free(data);
		if (r == -ENOMEM)
			arena_set_bad(x->l->arena);
		if (r == -E2BIG) {
			compile_report(x, DIAG_ERROR, SECTION_SERVICE, "EnvironmentFile", U_LIMIT,
				       NULL, "\"%s\" has more variables than a unit may have",
				       path + may_miss);
			return;
		}
		if (r == 0 || r == -ENOMEM || (r == -ENOENT && may_miss))
			continue;
		compile_report(x, r == -EINVAL ? DIAG_ERROR : DIAG_WARNING, SECTION_SERVICE,
			       "EnvironmentFile", U_ENV_FILE,
			       may_miss ? NULL
					: "'-' in front of the path says that it may be absent",
			       "\"%s\" %s", path + may_miss,
			       r == -EINVAL ? f.text : "cannot be read: its variables are not set");
	}
}

/* What specifiers say: the service's name is final only once ServiceName= is known. */
static void set_names(struct compile *x, const char *override)
{
	struct unit *u = x->conv.unit;
	struct expander *ex = &x->conv.ex;
	const char *at;

	u->service = unit_service_name(x->l->arena, u->name, &x->name, override);
	if (!u->service)
		u->service = u->name;
	at = strchr(u->service, '@');
	ex->service = u->service;
	ex->prefix = at ? arena_strndup(x->l->arena, u->service, (size_t)(at - u->service))
			: u->service;
	ex->instance = u->instance ? u->instance : "";
	if (!ex->prefix)
		ex->prefix = "";
}

static const char *service_override(const struct unit *u)
{
	switch (u->kind) {
	case UNIT_CONTAINER: return u->container->service_name.value;
	case UNIT_VOLUME: return u->volume->service_name.value;
	case UNIT_NETWORK: return u->network->service_name.value;
	case UNIT_POD: return u->pod->service_name.value;
	case UNIT_IMAGE: return u->image->service_name.value;
	case UNIT_SERVICE:
	case UNIT_TARGET:
	case UNIT_KIND__N: break;
	}
	return NULL;
}

static bool make_parts(struct unit *u, struct arena *arena)
{
	void *part = NULL;

	u->exec = arena_alloc(arena, sizeof(*u->exec));
	switch (u->kind) {
	case UNIT_CONTAINER: part = u->container = arena_alloc(arena, sizeof(*u->container)); break;
	case UNIT_VOLUME: part = u->volume = arena_alloc(arena, sizeof(*u->volume)); break;
	case UNIT_NETWORK: part = u->network = arena_alloc(arena, sizeof(*u->network)); break;
	case UNIT_POD: part = u->pod = arena_alloc(arena, sizeof(*u->pod)); break;
	case UNIT_IMAGE: part = u->image = arena_alloc(arena, sizeof(*u->image)); break;
	case UNIT_SERVICE:
	case UNIT_TARGET:
	case UNIT_KIND__N: part = u->exec; break;
	}
	return u->exec && part;
}

static void convert_all(struct compile *x)
{
	struct unit *u = x->conv.unit;

	set_names(x, NULL);
	if (unit_kind_sections[u->kind]) {
		convert_key(x, (enum key_section)section_by_name(unit_kind_sections[u->kind]),
			    "ServiceName");
		set_names(x, service_override(u));
	}
	convert_key(x, SECTION_SERVICE, "Environment");
	convert_key(x, SECTION_SERVICE, "EnvironmentFile");
	read_variables(x);
	for (size_t slot = 0; slot < x->l->keys.n; slot++)
		convert_slot(x, slot);
	if (x->conv.spent > LIMIT_UNIT_EXPANDED)
		diag_add(x->conv.diags, DIAG_ERROR, U_LIMIT,
			 (struct source_at){u->sources[0], 0, 0}, 1, NULL,
			 "specifiers and variables fill in more than 1 MiB");
}

/* --- diagnostics ------------------------------------------------------------------------------ */

static size_t file_rank(const struct compile *x, const char *path)
{
	size_t i = 0;

	while (i < x->n_files && x->files[i]->path != path)
		i++;
	return i;
}

bool compile_is_before(const struct compile *x, const struct source_at *a,
		       const struct source_at *b)
{
	size_t fa = file_rank(x, a->file), fb = file_rank(x, b->file);

	if (fa != fb)
		return fa < fb;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Gives the diagnostics of this unit their lines, and the unit its state. */
static void keep_diags(struct compile *x, size_t first)
{
	struct diags *all = x->conv.diags;

	diags_unlimit(all, (struct source_at){x->conv.unit->sources[0], 0, 0});
	for (size_t i = first; i < all->n; i++) {
		struct diag *d = all->items[i];
		size_t f = file_rank(x, d->at.file);

		d->unit = x->conv.unit;
		if (f < x->n_files)
			diag_set_line(all, d, x->files[f]->file->data, x->files[f]->file->len);
	}
	if (x->conv.diags->n_errors > x->errors_before)
		x->conv.unit->state = UNIT_REJECTED;
}

static bool list_files(struct compile *x, struct loaded_file *main)
{
	struct unit *u = x->conv.unit;
	size_t n;
	struct loaded_file **dropins = scan_dropins(x->l, u->name, &x->name, &n);

	x->n_files = n + 1;
	x->files = arena_alloc(x->l->scratch, x->n_files * sizeof(*x->files));
	u->sources = arena_alloc(x->l->arena, x->n_files * sizeof(*u->sources));
	if (!x->files || !u->sources)
		return false;
	u->n_sources = x->n_files;
	u->hash = HASH_START;
	for (size_t i = 0; i < x->n_files; i++) {
		x->files[i] = i ? dropins[i - 1] : main;
		u->sources[i] = x->files[i]->path;
		u->hash = hash_piece(u->hash, u->sources[i], strlen(u->sources[i]));
		u->hash = hash_piece(u->hash,
				     x->files[i]->file->data ? x->files[i]->file->data : "",
				     x->files[i]->file->len);
	}
	return true;
}

void compile_unit(struct loader *l, struct unit *u, const struct unit_name *n,
		  struct loaded_file *main)
{
	size_t first = l->diags.n;
	struct compile x = {
		.l = l,
		.errors_before = l->diags.n_errors,
		.name = *n,
		.kinds = n->kind == UNIT_SERVICE  ? FOR_SERVICE
			 : n->kind == UNIT_TARGET ? FOR_TARGET
						  : FOR_QUADLET,
		.conv = {.arena = l->arena,
			 .scratch = l->scratch,
			 .diags = &l->diags,
			 .unit = u,
			 .is_template = n->at && !n->instance_len,
			 .in = l->in},
	};

	policy_defaults(&u->policy);
	arena_reset(l->scratch);
	x.uses = arena_alloc(l->scratch, l->keys.n * sizeof(*x.uses));
	if (!x.uses || !list_files(&x, main) || !make_parts(u, l->arena))
		return;
	x.conv.ex =
		(struct expander){.arena = l->arena, .host = &l->in->host, .unit_path = main->path};
	x.conv.ex.spent = &x.conv.spent;
	x.conv.ex.is_target = u->kind == UNIT_TARGET;
	diags_limit(&l->diags, LIMIT_UNIT_MISTAKES);
	set_names(&x, NULL); /* also for what is told about the files */
	if (main->file->masked || (main->file->len == 0 && !main->file->error)) {
		main->used = true;
		u->state = UNIT_MASKED;
		l->diags.end = 0;
		return;
	}
	x.conv.folder = expand_specifier(&x.conv.ex, 'Y');
	for (size_t i = 0; i < x.n_files; i++)
		gather_file(&x, x.files[i]);
	gather_podman_args(&x);
	if (x.own_section || !unit_kind_sections[n->kind]) {
		convert_all(&x);
		finish_unit(&x);
	} else if (l->diags.n_errors == x.errors_before) {
		diag_add(&l->diags, DIAG_ERROR, U_MISSING_PART,
			 (struct source_at){main->path, 1, 1}, 1, NULL, "no [%s] in this file",
			 unit_kind_sections[n->kind]);
	}
	keep_diags(&x, first);
}
