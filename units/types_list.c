/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of keys with several values: lists, pairs, command lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

static enum conv_flags flags_of(const struct conv *c)
{
	return c->key->section <= SECTION_IMAGE ? CONV_ALL : CONV_SPECIFIERS;
}

/* --- lists ------------------------------------------------------------------------------------ */

void parse_lines(struct conv *c, void *field)
{
	struct item item;

	if (conv_value(c, flags_of(c), false, &item))
		conv_add_text(c, field, item.text);
}

void parse_words(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c), &items))
		return;
	for (size_t i = 0; i < items.n; i++)
		conv_add_text(c, field, items.items[i].text);
}

void parse_args(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c) | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++)
		conv_add_text(c, field, items.items[i].text);
}

void parse_exec(struct conv *c, void *field)
{
	*(struct text_list *)field = (struct text_list){0};
	parse_args(c, field);
}

typedef const char *check_fn(const char *s);

static void checked_words(struct conv *c, void *field, check_fn *check, const char *code)
{
	struct items items;

	if (!conv_words(c, flags_of(c), &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const char *value = items.items[i].text.value;
		const char *why = c->key->arg && value_choice(value, c->key->arg) >= 0
					  ? NULL
					  : check(value);

		if (why)
			conv_error(c, &items.items[i], code, why, "\"%s\" is wrong for %s=", value,
				   c->entry->key);
		else
			conv_add_text(c, field, items.items[i].text);
	}
}

void parse_ips(struct conv *c, void *field)
{
	checked_words(c, field, value_ip, U_ADDRESS);
}

static const char *check_subnet(const char *s)
{
	return value_cidr(s, NULL);
}

void parse_subnets(struct conv *c, void *field)
{
	checked_words(c, field, check_subnet, U_ADDRESS);
}

static const char *check_range(const char *s)
{
	const char *dash = strchr(s, '-');
	char first[64];

	if (!dash)
		return value_cidr(s, NULL)
			       ? "write a subnet, or two addresses such as 10.89.1.10-10.89.1.99"
			       : NULL;
	snprintf(first, sizeof(first), "%.*s", (int)(dash - s), s);
	return value_ip(first) || value_ip(dash + 1)
		       ? "write two addresses such as 10.89.1.10-10.89.1.99"
		       : NULL;
}

void parse_ip_ranges(struct conv *c, void *field)
{
	checked_words(c, field, check_range, U_ADDRESS);
}

static const char *check_expose(const char *s)
{
	char number[8];
	int64_t first, last;
	size_t len = strcspn(s, "-/");

	snprintf(number, sizeof(number), "%.*s", (int)len, s);
	if (len > 5 || value_int(number, 1, 65535, &first))
		return "write a port such as 8080, 8000-8010 or 53/udp";
	s += len;
	if (*s == '-') {
		len = strcspn(++s, "/");
		snprintf(number, sizeof(number), "%.*s", (int)len, s);
		if (len > 5 || value_int(number, 1, 65535, &last) || last < first)
			return "write a range such as 8000-8010";
		s += len;
	}
	return !*s || strcmp(s, "/tcp") == 0 || strcmp(s, "/udp") == 0 || strcmp(s, "/sctp") == 0
		       ? NULL
		       : "the protocol is tcp, udp or sctp";
}

void parse_expose(struct conv *c, void *field)
{
	checked_words(c, field, check_expose, U_PORT);
}

/* NAME[;NAME]:IP. The address may have colons itself; a name may not. */
void parse_add_host(struct conv *c, void *field)
{
	struct item item;
	const char *colon;

	if (!conv_value(c, flags_of(c), false, &item))
		return;
	colon = strchr(item.text.value, ':');
	if (!colon || colon == item.text.value ||
	    (strcmp(colon + 1, "host-gateway") != 0 && value_ip(colon + 1))) {
		conv_error(c, &item, U_HOST, "write for example db.lan:192.168.1.5",
			   "\"%s\" is wrong for AddHost=", item.text.value);
		return;
	}
	conv_add_text(c, field, item.text);
}

static const char *check_id_map(const char *s)
{
	int fields = 0;

	if (*s == '+' || *s == '@' || *s == 'u' || *s == 'g')
		return "podman's extended forms are not supported: write CONTAINER:HOST:COUNT";
	while (*s) {
		char number[16];
		int64_t value;
		size_t len = strcspn(s, ":");

		snprintf(number, sizeof(number), "%.*s", (int)len, s);
		if (len >= sizeof(number) || value_int(number, fields == 2, 4294967295, &value))
			return "write CONTAINER:HOST:COUNT, three numbers";
		fields++;
		s += len + (s[len] == ':');
	}
	return fields == 3 ? NULL : "write CONTAINER:HOST:COUNT, three numbers";
}

void parse_id_maps(struct conv *c, void *field)
{
	checked_words(c, field, check_id_map, U_ID_MAP);
}

/* Words of paths joined by ':'; stored one by one. */
void parse_masks(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c) | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const char *s = items.items[i].text.value;

		while (*s) {
			size_t len = strcspn(s, ":");
			bool all = c->key->name[0] == 'U' && len == 3 && strncmp(s, "ALL", 3) == 0;

			if (s[0] != '/' && !all)
				conv_report(c, DIAG_ERROR, &items.items[i], s, len, U_PATH,
					    "write absolute paths joined by ':'",
					    "\"%.*s\" is no path", (int)len, s);
			else
				conv_add_text(c, field,
					      (struct text){arena_strndup(c->arena, s, len), NULL});
			s += len + (s[len] == ':');
		}
	}
}

/* --- pairs ------------------------------------------------------------------------------------ */

/* "NAME=value" of an item into the list; *ret_equals: where the '=' is, NULL if there is none. */
static const char *split_pair(struct conv *c, const struct item *item, const char **ret_equals)
{
	const char *equals = strchr(item->text.value, '=');

	*ret_equals = equals;
	return equals ? arena_strndup(c->arena, item->text.value,
				      (size_t)(equals - item->text.value))
		      : item->text.value;
}

static const char *raw_value(const struct item *item)
{
	const char *equals = item->text.raw ? strchr(item->text.raw, '=') : NULL;

	return equals ? equals + 1 : NULL;
}

static void add_pair(struct conv *c, struct pair_list *list, const struct item *item)
{
	const char *equals, *name = split_pair(c, item, &equals);

	if (name && equals && equals > item->text.value)
		conv_set_pair(c, list, name, equals + 1, raw_value(item));
	else if (name)
		conv_error(c, item, U_PAIR, "write NAME=value", "\"%s\" in %s= is no NAME=value",
			   item->text.value, c->entry->key);
}

void parse_labels(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c) | CONV_ESCAPES | CONV_LITERAL, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		struct item *item = &items.items[i];

		if (strchr(item->text.value, '='))
			add_pair(c, field, item);
		else /* a label without a value is a label */
			conv_set_pair(c, field, item->text.value, "", NULL);
	}
}

void parse_options(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c) | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++)
		add_pair(c, field, &items.items[i]);
}

static bool env_name_valid(const char *s, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] == '=')
			return false;
	return true;
}

/* ${X} in Environment= is the container's own affair; where X is a variable of [Service], somebody
 * may have meant it. */
static void warn_unexpanded(struct conv *c, const struct item *item)
{
	const char *dollar = strstr(item->text.value, "${");
	char name[64];

	if (!dollar || c->key->section != SECTION_CONTAINER)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(dollar + 2, "}"), dollar + 2);
	if (pair_value(&c->ex.vars, name))
		conv_report(c, DIAG_WARNING, item, dollar, strlen(name) + 3, U_VARIABLE, NULL,
			    "variables are not filled in in Environment=: \"${%s}\" stays", name);
}

void parse_env(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, CONV_SPECIFIERS | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		struct item *item = &items.items[i];
		const char *equals, *name = split_pair(c, item, &equals);

		if (!name)
			return;
		if (!env_name_valid(name, strlen(name)))
			conv_error(c, item, U_PAIR, "write NAME=value",
				   "\"%s\" in Environment= has no name", item->text.value);
		else if (equals)
			conv_set_pair(c, field, name, equals + 1, raw_value(item));
		else
			conv_warning(
				c, item, U_PAIR, "write NAME=value",
				"\"%s\" would be copied from the host's environment, which has none: left out",
				name);
		warn_unexpanded(c, item);
	}
}

/* The sysctls that belong to a namespace of the container. */
static bool sysctl_allowed(const char *name)
{
	static const char *const names[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};

	if (strstr(name, "..") || strchr(name, '/'))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "net.", 4) == 0 || strncmp(name, "fs.mqueue.", 10) == 0;
}

void parse_sysctls(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c), &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const char *equals, *name = split_pair(c, &items.items[i], &equals);

		if (name && equals && !sysctl_allowed(name))
			conv_error(
				c, &items.items[i], U_REFUSED,
				"net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* may be set",
				"sysctl \"%s\" is the whole host's, not the container's", name);
		else
			add_pair(c, field, &items.items[i]);
	}
}

/* --- files ------------------------------------------------------------------------------------ */

void parse_env_files(struct conv *c, void *field)
{
	struct items items;

	if (!conv_words(c, flags_of(c) | CONV_ESCAPES, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		struct text text = items.items[i].text;
		const char *path = conv_path(c, &items.items[i], text.value, true);

		if (!path)
			continue;
		text.value = path;
		conv_add_text(c, field, text);
	}
}

void parse_service_env_files(struct conv *c, void *field)
{
	struct item item;
	const char *path;
	bool may_miss;

	if (!conv_value(c, CONV_SPECIFIERS, true, &item))
		return;
	may_miss = item.text.value[0] == '-';
	path = conv_path(c, &item, item.text.value + may_miss, true);
	if (path)
		conv_add_text(
			c, field,
			(struct text){may_miss ? arena_fmt(c->arena, "-%s", path) : path, NULL});
}
