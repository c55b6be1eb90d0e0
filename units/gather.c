/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Which entries of a unit's files count: known keys, the rules of repetition, PodmanArgs=. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "units/codes.h"
#include "units/compile.h"
#include "units/suggest.h"

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

static void take_entry(struct compile *x, const struct ini_entry *e)
{
	int section = section_by_name(e->section);
	const struct key *key;
	size_t slot;

	if (x->n_entries++ >= LIMIT_UNIT_KEYS) {
		if (x->n_entries == LIMIT_UNIT_KEYS + 1)
			diag_add(x->conv.diags, DIAG_ERROR, U_LIMIT, e->at, strlen(e->key), NULL,
				 "more than %u keys in this unit and its drop-ins",
				 LIMIT_UNIT_KEYS);
		return;
	}
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
}

/* PodmanArgs=--cap-add=X counts as AddCapability=X. Like podman's command line, on which Quadlet puts them
 * behind everything else, options win over keys, wherever they stand. */
static void expand_podman_args(struct compile *x, const struct ini_entry *e)
{
	struct conv *c = &x->conv;
	struct items items;
	char why[200];
	bool took_next;

	c->entry = e;
	/* Specifiers are for the key that an option stands for: filled in here, they would be twice. */
	if (!conv_words(c, CONV_ESCAPES, &items))
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

void gather_podman_args(struct compile *x)
{
	size_t slot;

	if (!key_find(&x->l->keys, SECTION_CONTAINER, "PodmanArgs", x->kinds, &slot))
		return;
	for (const struct use *use = x->uses[slot].first; use; use = use->next)
		expand_podman_args(x, use->entry);
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

void gather_file(struct compile *x, struct loaded_file *f)
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
