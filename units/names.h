/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of units: "foo@bar.container" has the prefix "foo", the instance "bar" and the kind
 * container; "foo@.container" is a template. The service that a unit is known as to others is made
 * from it: "foo@bar" for a container, "foo-volume@bar" for a volume. Everything here is pure text.
 */
#pragma once

#include "base/arena.h"
#include "units/unit.h"

struct unit_name {
	enum unit_kind kind;
	size_t prefix_len;   /* bytes before '@', or before the extension */
	bool at;             /* has an '@' */
	size_t instance_len; /* 0 of a template */
};

/* Extensions without the dot, and what they add to the service name. */
extern const char *const unit_kind_names[UNIT_KIND__N];
extern const char *const unit_kind_suffixes[UNIT_KIND__N];
/* The section a kind cannot be without ("Container"); NULL for targets. */
extern const char *const unit_kind_sections[UNIT_KIND__N];

/* Takes a file name apart. NULL, or why it is not the name of a unit (a static sentence). A name with an
 * extension of no kind is told apart by *ret_foreign: not ours, not wrong. */
const char *unit_name_parse(const char *name, struct unit_name *ret, bool *ret_foreign);

static inline const char *unit_name_instance(const char *name, const struct unit_name *n)
{
	return name + n->prefix_len + 1;
}

/* "foo@.container" of "foo@bar.container"; NULL when memory ran out. */
char *unit_name_template(struct arena *arena, const char *name, const struct unit_name *n);
/* "foo@bar.container" of "foo@.container". */
char *unit_name_with_instance(struct arena *arena, const char *template, const char *instance);

/* The service name that follows from a unit's name; override: ServiceName=, or NULL. */
char *unit_service_name(struct arena *arena, const char *name, const struct unit_name *n,
			const char *override);

/* Undoes systemd's escaping: '-' is '/', \xHH a byte. */
char *unit_name_unescape(struct arena *arena, const char *s, size_t len);

/* Extensions of Quadlet and systemd that are recognised and refused: what to say, or NULL. */
const char *unit_refused_extension(const char *name);

/* Whether systemd has a unit of that name that on this host is always there or has no meaning
 * (local-fs.target, dbus.service...): edges to it are dropped without a word. */
bool unit_name_always_there(const char *name);
