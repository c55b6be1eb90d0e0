/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include "units/expand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "units/names.h"

const char *pair_value(const struct pair_list *pairs, const char *name)
{
	for (size_t i = pairs->n; i > 0; i--)
		if (strcmp(pairs->items[i - 1].name, name) == 0)
			return pairs->items[i - 1].value;
	return NULL;
}

/* --- specifiers ------------------------------------------------------------------------------- */

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static const char *full_name(const struct expander *ex)
{
	return ex->is_target ? ex->service : arena_fmt(ex->arena, "%s.service", ex->service);
}

static const char *short_name(const struct expander *ex)
{
	return ex->service;
}

static const char *prefix(const struct expander *ex)
{
	return ex->prefix;
}

static const char *instance(const struct expander *ex)
{
	return ex->instance;
}

static const char *instance_plain(const struct expander *ex)
{
	return unit_name_unescape(ex->arena, ex->instance, strlen(ex->instance));
}

static const char *prefix_plain(const struct expander *ex)
{
	return unit_name_unescape(ex->arena, ex->prefix, strlen(ex->prefix));
}

static const char *last_part(const struct expander *ex)
{
	const char *dash = strrchr(ex->prefix, '-');

	return dash ? dash + 1 : ex->prefix;
}

static const char *last_part_plain(const struct expander *ex)
{
	return unit_name_unescape(ex->arena, last_part(ex), strlen(last_part(ex)));
}

static const char *path_of_name(const struct expander *ex)
{
	const char *plain = *ex->instance ? instance_plain(ex) : prefix_plain(ex);

	return arena_fmt(ex->arena, "%s%s", plain && *plain == '/' ? "" : "/", or_empty(plain));
}

static const char *unit_path(const struct expander *ex)
{
	return ex->unit_path;
}

static const char *unit_folder(const struct expander *ex)
{
	const char *slash = strrchr(ex->unit_path, '/');

	return slash ? arena_strndup(ex->arena, ex->unit_path, (size_t)(slash - ex->unit_path))
		     : ".";
}

static const char *credentials(const struct expander *ex)
{
	return arena_fmt(ex->arena, "/run/credentials/%s.service", ex->service);
}

static const char *hostname(const struct expander *ex)
{
	return or_empty(ex->host->hostname);
}

static const char *hostname_short(const struct expander *ex)
{
	return arena_strndup(ex->arena, hostname(ex), strcspn(hostname(ex), "."));
}

static const char *machine_id(const struct expander *ex)
{
	return or_empty(ex->host->machine_id);
}

static const char *boot_id(const struct expander *ex)
{
	return or_empty(ex->host->boot_id);
}

static const char *release(const struct expander *ex)
{
	return or_empty(ex->host->release);
}

static const char *arch(const struct expander *ex)
{
	return or_empty(ex->host->arch);
}

/* One row a letter: a constant, a function, or a field of os-release. */
static const struct {
	char letter;
	const char *constant;
	const char *(*make)(const struct expander *ex);
	const char *os_field;
} specifiers[] = {
	{'n', NULL, full_name, NULL},
	{'N', NULL, short_name, NULL},
	{'p', NULL, prefix, NULL},
	{'P', NULL, prefix_plain, NULL},
	{'i', NULL, instance, NULL},
	{'I', NULL, instance_plain, NULL},
	{'j', NULL, last_part, NULL},
	{'J', NULL, last_part_plain, NULL},
	{'f', NULL, path_of_name, NULL},
	{'y', NULL, unit_path, NULL},
	{'Y', NULL, unit_folder, NULL},
	{'h', "/root", NULL, NULL},
	{'t', "/run", NULL, NULL},
	{'S', "/var/lib", NULL, NULL},
	{'C', "/var/cache", NULL, NULL},
	{'L', "/var/log", NULL, NULL},
	{'E', "/etc", NULL, NULL},
	{'D', "/usr/share", NULL, NULL},
	{'T', "/tmp", NULL, NULL},
	{'V', "/var/tmp", NULL, NULL},
	{'d', NULL, credentials, NULL},
	{'u', "root", NULL, NULL},
	{'U', "0", NULL, NULL},
	{'g', "root", NULL, NULL},
	{'G', "0", NULL, NULL},
	{'s', "/bin/sh", NULL, NULL},
	{'H', NULL, hostname, NULL},
	{'q', NULL, hostname, NULL},
	{'l', NULL, hostname_short, NULL},
	{'m', NULL, machine_id, NULL},
	{'b', NULL, boot_id, NULL},
	{'v', NULL, release, NULL},
	{'a', NULL, arch, NULL},
	{'o', NULL, NULL, "ID"},
	{'w', NULL, NULL, "VERSION_ID"},
	{'W', NULL, NULL, "VARIANT_ID"},
	{'B', NULL, NULL, "BUILD_ID"},
	{'A', NULL, NULL, "IMAGE_VERSION"},
	{'M', NULL, NULL, "IMAGE_ID"},
	{'%', "%", NULL, NULL},
};

/* FIELD=value or FIELD="value" of os-release; "" if it is not there. */
static const char *os_release(const struct expander *ex, const char *field)
{
	const char *line = or_empty(ex->host->os_release);
	size_t len = strlen(field);

	while (*line) {
		if (strncmp(line, field, len) == 0 && line[len] == '=') {
			const char *value = line + len + 1;
			char quote = *value == '"' || *value == '\'' ? *value : '\n';

			value += quote != '\n';
			for (len = 0; value[len] && value[len] != quote && value[len] != '\n';)
				len++;
			return arena_strndup(ex->arena, value, len);
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return "";
}

const char *expand_specifier(const struct expander *ex, char letter)
{
	for (size_t i = 0; i < sizeof(specifiers) / sizeof(*specifiers); i++) {
		if (specifiers[i].letter != letter)
			continue;
		if (specifiers[i].constant)
			return specifiers[i].constant;
		if (specifiers[i].make)
			return or_empty(specifiers[i].make(ex));
		return or_empty(os_release(ex, specifiers[i].os_field));
	}
	return NULL;
}

/* --- variables -------------------------------------------------------------------------------- */

static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

static size_t name_len(const char *s)
{
	size_t n = 0;

	while (is_name_char(s[n], n == 0))
		n++;
	return n;
}

static const char *variable(const struct expander *ex, const char *name, size_t len, size_t at,
			    struct expand_notes *notes)
{
	size_t low = 0, high = ex->vars.n;

	while (low < high) { /* they are sorted */
		size_t middle = low + (high - low) / 2;
		const struct pair *var = &ex->vars.items[middle];
		int order = strncmp(var->name, name, len);

		if (order == 0 && !var->name[len])
			return or_empty(var->value);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (notes && notes->unset_at == EXPAND_NONE) {
		notes->unset_at = at;
		snprintf(notes->unset, sizeof(notes->unset), "%.*s", (int)len, name);
	}
	return "";
}

const char *expand_lone(const struct expander *ex, const char *word, struct expand_notes *notes)
{
	size_t len = *word == '$' ? name_len(word + 1) : 0;

	return len && !word[1 + len] ? variable(ex, word + 1, len, 0, notes) : NULL;
}

/* --- both ------------------------------------------------------------------------------------- */

/* What stands at s[0] == '%': its value, or NULL if it stays. */
static const char *at_percent(const struct expander *ex, const char *s, size_t at,
			      struct expand_notes *notes)
{
	const char *value = s[1] ? expand_specifier(ex, s[1]) : NULL;

	if (!value && is_name_char(s[1], true) && notes && notes->bad_specifier == EXPAND_NONE)
		notes->bad_specifier = at;
	return value;
}

/* What stands at s[0] == '$': its value and length, or NULL if it stays. */
static const char *at_dollar(const struct expander *ex, const char *s, size_t at, size_t *ret_len,
			     struct expand_notes *notes)
{
	size_t len;

	if (s[1] == '$') {
		*ret_len = 2;
		return "$";
	}
	if (s[1] != '{')
		return NULL;
	len = name_len(s + 2);
	if (!len || s[2 + len] != '}')
		return NULL;
	*ret_len = len + 3;
	return variable(ex, s + 2, len, at, notes);
}

bool expand_spend(const struct expander *ex, size_t bytes)
{
	if (*ex->spent <= LIMIT_UNIT_EXPANDED)
		*ex->spent += bytes;
	return *ex->spent <= LIMIT_UNIT_EXPANDED;
}

struct text expand_text(const struct expander *ex, const char *text, enum expand_flags flags,
			struct expand_notes *notes)
{
	_buf_ struct buf out = {0};
	struct text ret = {0};
	size_t i = 0;

	if (notes)
		*notes = (struct expand_notes){EXPAND_NONE, EXPAND_NONE, ""};
	if (!text[strcspn(text, "%$")]) {
		ret.value = arena_strdup(ex->arena, text);
		return ret;
	}
	while (text[i]) {
		const char *value = NULL;
		size_t len = 2;

		if (text[i] == '%' && flags & EXPAND_SPECIFIERS)
			value = at_percent(ex, text + i, i, notes);
		else if (text[i] == '$' && flags & EXPAND_VARIABLES)
			value = at_dollar(ex, text + i, i, &len, notes);
		if (value && !expand_spend(ex, strlen(value))) {
			ret.value = arena_strdup(ex->arena, text);
			return ret;
		}
		if (value)
			buf_str(&out, value);
		else
			buf_chr(&out, text[i]);
		i += value ? len : 1;
	}
	if (out.bad)
		arena_set_bad(ex->arena);
	ret.value = arena_strndup(ex->arena, out.data ? out.data : "", out.len);
	if (ret.value && strcmp(ret.value, text) != 0)
		ret.raw = arena_strdup(ex->arena, text);
	return ret;
}
