/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units/codes.h"
#include "units/envfile.h"
#include "units/loader.h"
#include "units/suggest.h"

/* An entry that counts, in the list of its key. */
struct use {
	const struct ini_entry *entry;
	struct use *next;
};

struct key_uses {
	struct use *first, *last;
};

struct compile {
	struct loader *l;
	struct conv conv;
	struct unit_name name;
	enum key_kinds kinds;
	struct key_uses *uses;                 /* by slot of the key index */
	const struct ini_section *own_section; /* first header of the kind's section */
	struct loaded_file **files;
	size_t n_files;
	size_t errors_before;
	char meant[8][32]; /* keys that misspelled ones were taken for */
	size_t n_meant;
};

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

/* --- which entries count ---------------------------------------------------------------------- */

static void add_use(struct compile *x, const struct key *key, size_t slot,
		    const struct ini_entry *entry)
{
	struct key_uses *uses = &x->uses[slot];
	enum key_rule rule = key_types[key->type].rule;
	struct use *use;

	if (rule != RULE_ALL || entry->len == 0)
		*uses = (struct key_uses){0};
	if (entry->len == 0 && rule != RULE_KEEP_EMPTY)
		return;
	use = arena_alloc(x->l->scratch, sizeof(*use));
	if (!use)
		return;
	use->entry = entry;
	if (uses->last)
		uses->last->next = use;
	else
		uses->first = use;
	uses->last = use;
}

bool compile_was_meant(const struct compile *x, const char *key)
{
	for (size_t i = 0; i < x->n_meant; i++)
		if (strcmp(x->meant[i], key) == 0)
			return true;
	return false;
}

/* Remembers the key that a hint names, so that its absence is not told on top. */
static void remember_meant(struct compile *x, const char *hint)
{
	const char *quote = strchr(hint, '"');

	if (quote && x->n_meant < sizeof(x->meant) / sizeof(*x->meant))
		snprintf(x->meant[x->n_meant++], sizeof(*x->meant), "%.*s",
			 (int)strcspn(quote + 1, "\""), quote + 1);
}

static void unknown_key(struct compile *x, enum key_section section, const struct ini_entry *e)
{
	char hint[160];

	if (strncmp(e->key, "X-", 2) == 0)
		return;
	if (suggest_key(section, e->key, hint, sizeof(hint)) > 2)
		hint[0] = '\0';
	remember_meant(x, hint);
	diag_add(x->conv.diags, DIAG_ERROR,
		 strncmp(hint, "it belongs", 10) == 0 ? U_WRONG_SECTION : U_UNKNOWN_KEY, e->at,
		 strlen(e->key), *hint ? hint : NULL, "unknown key \"%s\" in [%s]", e->key,
		 section_names[section]);
}

/* A key that is recognised and no more: says so. */
static void other_verdict(struct compile *x, const struct key *key, const struct ini_entry *e)
{
	static const struct {
		enum diag_severity severity;
		const char *code, *text;
	} rows[KEY_VERDICT__N] = {
		[KEY_LATER] = {DIAG_ERROR, U_LATER, "is not supported yet"},
		[KEY_REFUSED] = {DIAG_ERROR, U_REFUSED, "is not supported"},
		[KEY_NO_EFFECT] = {DIAG_WARNING, U_NO_EFFECT, "has no effect here"},
	};

	if (e->len == 0)
		return;
	diag_add(x->conv.diags, rows[key->verdict].severity, rows[key->verdict].code, e->at,
		 strlen(e->key), key->help, "%s= in [%s] %s", e->key, section_names[key->section],
		 rows[key->verdict].text);
}

static void expand_podman_args(struct compile *x, const struct ini_entry *e);

static void take_entry(struct compile *x, const struct ini_entry *e)
{
	int section = section_by_name(e->section);
	const struct key *key;
	size_t slot;

	if (section < 0)
		return; /* told about at its header, or nobody's business */
	if (section < SECTION_QUADLET &&
	    (!unit_kind_sections[x->name.kind] ||
	     strcmp(e->section, unit_kind_sections[x->name.kind]) != 0))
		return;
	key = key_find(&x->l->keys, (enum key_section)section, e->key, x->kinds, &slot);
	if (!key) {
		unknown_key(x, (enum key_section)section, e);
		return;
	}
	add_use(x, key, slot, e);
	if (key->verdict >= KEY_LATER) {
		other_verdict(x, key, e);
		x->uses[slot].first = NULL; /* not converted, but compile_entry() knows of it */
		return;
	}
	if (key->type == TYPE_PODMAN_ARGS)
		expand_podman_args(x, e);
}

/* PodmanArgs=--cap-add=X counts as AddCapability=X, at the place where it stands. */
static void expand_podman_args(struct compile *x, const struct ini_entry *e)
{
	struct conv *c = &x->conv;
	struct items items;
	char why[200];
	bool took_next;

	c->entry = e;
	if (!conv_words(c, CONV_SPECIFIERS | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const struct item *item = &items.items[i];
		const char *next = i + 1 < items.n ? items.items[i + 1].text.value : NULL;
		struct podman_option option = {0};
		struct ini_entry *made;
		struct ini_span *span;

		took_next = false;
		if (!podman_option(x->l->scratch, item->text.value, next, &took_next, &option, why,
				   sizeof(why))) {
			conv_error(c, item, U_OPTION, *why ? why : NULL,
				   "\"%.*s\" in PodmanArgs= is not supported",
				   (int)strcspn(item->text.value, "="), item->text.value);
			i += took_next;
			continue;
		}
		i += took_next;
		if (!option.section_key) {
			conv_warning(c, item, U_NO_EFFECT, NULL,
				     "\"%s\" in PodmanArgs= has no effect here", item->text.value);
			continue;
		}
		made = arena_alloc(x->l->scratch, sizeof(*made));
		span = arena_alloc(x->l->scratch, sizeof(*span));
		if (!made || !span)
			return;
		*span = (struct ini_span){0, conv_at(c, item).line, conv_at(c, item).column};
		*made = (struct ini_entry){
			.section = section_names[option.section],
			.key = option.section_key,
			.value = option.value,
			.len = strlen(option.value),
			.at = conv_at(c, item),
			.spans = span,
			.n_spans = 1,
		};
		take_entry(x, made);
	}
}

/* --- files ------------------------------------------------------------------------------------ */

/* Sections of kinds that are refused. */
static bool is_foreign_section(const char *name)
{
	return strcmp(name, "Build") == 0 || strcmp(name, "Kube") == 0 ||
	       strcmp(name, "Artifact") == 0;
}

static void check_section(struct compile *x, const struct ini_section *s)
{
	const char *own = unit_kind_sections[x->name.kind], *near;
	int section = section_by_name(s->name);

	if (own && strcmp(s->name, own) == 0) {
		if (!x->own_section)
			x->own_section = s;
		return;
	}
	if (section >= SECTION_QUADLET || strncmp(s->name, "X-", 2) == 0)
		return;
	if (section >= 0 || is_foreign_section(s->name)) {
		diag_add(x->conv.diags, DIAG_WARNING, U_SECTION, s->at, strlen(s->name) + 2, NULL,
			 "[%s] has no meaning in a .%s file", s->name,
			 unit_kind_names[x->name.kind]);
		return;
	}
	near = suggest_section(s->name);
	if (near) {
		char hint[80];

		snprintf(hint, sizeof(hint), "did you mean [%s]?", near);
		diag_add(x->conv.diags, DIAG_ERROR, U_SECTION, s->at, strlen(s->name) + 2, hint,
			 "unknown section [%s]", s->name);
	}
}

static void read_file(struct compile *x, struct loaded_file *f)
{
	struct diags *diags = x->conv.diags;
	struct ini_doc doc;

	f->used = true;
	if (f->file->error) {
		diag_add(diags, DIAG_ERROR, U_UNREADABLE, (struct source_at){f->path, 0, 0}, 1,
			 NULL, "cannot be read: %s", f->file->error);
		return;
	}
	if (f->file->masked)
		return;
	if (ini_read(x->l->scratch, f->path, f->file->data ? f->file->data : "", f->file->len,
		     diags, &doc) == -ENOMEM)
		return;
	for (size_t i = 0; i < doc.n_sections; i++)
		check_section(x, &doc.sections[i]);
	for (size_t i = 0; i < doc.n_entries; i++)
		take_entry(x, &doc.entries[i]);
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
	char *n = arena_strdup(c->arena, name), *v = arena_strdup(c->arena, value);

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

static uint64_t hash_bytes(uint64_t h, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return (h ^ len) * UINT64_C(0x100000001b3);
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
	u->hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < x->n_files; i++) {
		x->files[i] = i ? dropins[i - 1] : main;
		u->sources[i] = x->files[i]->path;
		u->hash = hash_bytes(u->hash, u->sources[i], strlen(u->sources[i]));
		u->hash = hash_bytes(u->hash,
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
	set_names(&x, NULL); /* also for what is told about the files */
	if (main->file->masked || (main->file->len == 0 && !main->file->error)) {
		main->used = true;
		u->state = UNIT_MASKED;
		return;
	}
	x.conv.folder = expand_specifier(&x.conv.ex, 'Y');
	for (size_t i = 0; i < x.n_files; i++)
		read_file(&x, x.files[i]);
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
