/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of keys that name other units, and of conditions. */
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/conv.h"

/* Pod=x.pod. Not subject to variables: it decides what the unit is. */
void parse_unit_ref(struct conv *c, void *field)
{
	struct item item;
	const char *dot;

	if (!conv_value(c, CONV_SPECIFIERS, true, &item))
		return;
	dot = strrchr(item.text.value, '.');
	if (!dot || dot == item.text.value || strcmp(dot + 1, c->key->arg) != 0) {
		conv_error(c, &item, U_NAME, NULL, "%s= names a unit: write NAME.%s", c->entry->key,
			   c->key->arg);
		return;
	}
	*(struct text *)field = item.text;
}

static bool looks_like_unit(const char *s)
{
	const char *dot = strrchr(s, '.');

	return dot && dot != s && dot[1] && strlen(s) < 256 && !strchr(s, '/');
}

/* After= and its kin: edges whose other end is found once all units are known. */
void parse_deps(struct conv *c, void *field)
{
	struct items items;
	int kind = 0;

	(void)field;
	while (strcmp(dep_keys[kind], c->key->arg) != 0)
		kind++;
	if (!conv_words(c, CONV_SPECIFIERS, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const struct item *item = &items.items[i];
		struct unit_dep *dep;

		if (!looks_like_unit(item->text.value)) {
			conv_error(c, item, U_NAME,
				   "write for example db.container or network-online.target",
				   "\"%s\" in %s= is no name of a unit", item->text.value,
				   c->entry->key);
			continue;
		}
		dep = ARENA_PUSH(c->arena, c->unit->deps, c->unit->n_deps);
		if (dep)
			*dep = (struct unit_dep){.kind = (enum dep_kind)kind,
						 .name = item->text.value,
						 .at = conv_at(c, item)};
	}
}

void parse_unit_names(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_SPECIFIERS, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const struct item *item = &items.items[i];
		struct unit_install *slot;

		if (!looks_like_unit(item->text.value)) {
			conv_error(c, item, U_NAME, "write for example default.target",
				   "\"%s\" in %s= is no name of a unit", item->text.value,
				   c->entry->key);
			continue;
		}
		slot = CONV_PUSH(c, struct unit_install, field);
		if (slot)
			*slot = (struct unit_install){item->text.value, conv_at(c, item)};
	}
}

void parse_condition(struct conv *c, void *field)
{
	struct unit_condition condition = {.check = c->key->name}, *slot;
	struct item item;
	const char *s;

	(void)field;
	if (!conv_value(c, CONV_SPECIFIERS, false, &item))
		return;
	s = item.text.value;
	if (*s == '|') {
		condition.or_group = true;
		s++;
	}
	if (*s == '!') {
		condition.negate = true;
		s++;
	}
	if (*s != '/') {
		conv_error(c, &item, U_PATH,
			   "write an absolute path, '!' in front to turn it round",
			   "\"%s\" is wrong for %s=", item.text.value, c->entry->key);
		return;
	}
	condition.arg = s;
	slot = ARENA_PUSH(c->arena, c->unit->conditions, c->unit->n_conditions);
	if (slot)
		*slot = condition;
}
