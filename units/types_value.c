/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of keys with one value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/store.h"
#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

/* Interpreted values are not subject to variables; specifiers have no place in them either. */
static bool plain(struct conv *c, struct item *item)
{
	return conv_value(c, 0, true, item);
}

static bool expanded(struct conv *c, struct item *item)
{
	bool vars = c->key->section <= SECTION_IMAGE && c->key->type != TYPE_UNIT_REF;

	return conv_value(c, vars ? CONV_ALL : CONV_SPECIFIERS, true, item);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static void wrong(struct conv *c, const struct item *item, const char *code, const char *why)
{
	conv_error(c, item, code, why, "\"%s\" is wrong for %s=", item->text.value, c->entry->key);
}

void parse_text(struct conv *c, void *field)
{
	struct item item;

	if (expanded(c, &item))
		*(struct text *)field = item.text;
}

void parse_name(struct conv *c, void *field)
{
	struct item item;

	if (!expanded(c, &item))
		return;
	if (strcmp(c->key->name, "ServiceName") == 0 && ends_with(item.text.value, ".service")) {
		wrong(c, &item, U_NAME, "write it without .service");
		return;
	}
	if (!store_name_valid(item.text.value)) {
		wrong(c, &item, U_NAME,
		      "a name is letters, digits and _.@:- and starts with a letter or digit");
		return;
	}
	*(struct text *)field = item.text;
}

/* As systemd has it: every dash ends the name of a slice that it lies in, so none stands at an end or beside another. */
void parse_slice(struct conv *c, void *field)
{
	struct item item;
	size_t len;

	if (!expanded(c, &item))
		return;
	len = strlen(item.text.value);
	if (!store_name_valid(item.text.value) || !ends_with(item.text.value, ".slice") ||
	    len == strlen(".slice") || item.text.value[len - strlen(".slice") - 1] == '-' ||
	    strstr(item.text.value, "--")) {
		wrong(c, &item, U_NAME,
		      "write NAME.slice, or PARENT-NAME.slice for one in PARENT.slice");
		return;
	}
	*(struct text *)field = item.text;
}

void parse_choice(struct conv *c, void *field)
{
	struct item item;
	char hint[200];

	if (!plain(c, &item))
		return;
	if (value_choice(item.text.value, c->key->arg) < 0) {
		snprintf(hint, sizeof(hint), "write one of: %s", c->key->arg);
		wrong(c, &item, U_CHOICE, hint);
		return;
	}
	*(struct text *)field = item.text;
}

static void any_bool(struct conv *c, void *field, const char *(*parse)(const char *, bool *))
{
	struct item item;
	const char *why;
	bool value;

	if (!plain(c, &item))
		return;
	why = parse(item.text.value, &value);
	if (why)
		wrong(c, &item, U_BOOL, why);
	else
		*(enum tri *)field = value ? TRI_YES : TRI_NO;
}

void parse_bool(struct conv *c, void *field)
{
	any_bool(c, field, value_bool);
}

void parse_bool_systemd(struct conv *c, void *field)
{
	any_bool(c, field, value_bool_systemd);
}

static void set_number(void *field, int64_t value)
{
	*(struct number *)field = (struct number){value, true};
}

void parse_int(struct conv *c, void *field)
{
	struct item item;
	const char *why, *limits = c->key->arg;
	int64_t min, max, value;
	char *end;

	if (!expanded(c, &item))
		return;
	min = strtoll(limits, &end, 10);
	max = strtoll(end, NULL, 10);
	why = value_int(item.text.value, min, max, &value);
	if (why)
		wrong(c, &item, U_NUMBER, why);
	else
		set_number(field, value);
}

void parse_mode(struct conv *c, void *field)
{
	struct item item;
	const char *why;
	int64_t value;

	if (!plain(c, &item))
		return;
	why = value_mode(item.text.value, &value);
	if (why)
		wrong(c, &item, U_NUMBER, why);
	else
		set_number(field, value);
}

void parse_size(struct conv *c, void *field)
{
	struct item item;
	const char *why;
	int64_t value;

	if (!expanded(c, &item))
		return;
	why = value_podman_size(item.text.value, &value);
	if (why)
		wrong(c, &item, U_SIZE, why);
	else
		set_number(field, value);
}

void parse_size_systemd(struct conv *c, void *field)
{
	int64_t total = c->key->arg ? c->in->host.pids_total : c->in->host.memory_total, value;
	struct item item;
	const char *why;

	if (!plain(c, &item))
		return;
	why = value_systemd_size(item.text.value, total, &value);
	if (why)
		wrong(c, &item, U_SIZE, why);
	else
		set_number(field, value);
}

static int64_t usec_number(uint64_t usec)
{
	return usec == POLICY_INFINITY ? -1 : (int64_t)usec;
}

void parse_timespan(struct conv *c, void *field)
{
	struct item item;
	const char *why;
	uint64_t usec;

	if (!plain(c, &item))
		return;
	why = value_timespan(item.text.value, &usec);
	if (why) {
		wrong(c, &item, U_DURATION, why);
		return;
	}
	set_number(field, usec_number(usec));
	if (c->key->arg) /* TimeoutSec= is both; the one for the stop stands behind */
		set_number((struct number *)field + 1, usec_number(usec));
}

/* "30 s" and "30" are what people write: say what they meant. */
static void wrong_duration(struct conv *c, const struct item *item, const char *why)
{
	uint64_t usec;
	char hint[80];

	if (value_timespan(item->text.value, &usec) == NULL && usec != POLICY_INFINITY) {
		if (usec % 1000000 == 0)
			snprintf(hint, sizeof(hint), "write %llus",
				 (unsigned long long)(usec / 1000000));
		else
			snprintf(hint, sizeof(hint), "write %llums",
				 (unsigned long long)(usec / 1000));
		why = hint;
	}
	wrong(c, item, U_DURATION, why);
}

void parse_duration(struct conv *c, void *field)
{
	struct item item;
	const char *why;
	uint64_t usec;

	if (!expanded(c, &item))
		return;
	if (c->key->arg && strcmp(item.text.value, c->key->arg) == 0) {
		set_number(field, -1);
		return;
	}
	why = value_go_duration(item.text.value, &usec);
	if (why)
		wrong_duration(c, &item, why);
	else
		set_number(field, (int64_t)usec);
}

void parse_signal(struct conv *c, void *field)
{
	struct item item;
	const char *why;
	int signal;

	if (!expanded(c, &item))
		return;
	why = value_signal(item.text.value, &signal);
	if (why)
		wrong(c, &item, U_SIGNAL, why);
	else
		set_number(field, signal);
}

void parse_ip(struct conv *c, void *field)
{
	struct item item;
	const char *why;

	if (!expanded(c, &item))
		return;
	why = c->key->arg[0] == '4' ? value_ipv4(item.text.value) : value_ipv6(item.text.value);
	if (why)
		wrong(c, &item, U_ADDRESS, why);
	else
		*(struct text *)field = item.text;
}

void parse_path(struct conv *c, void *field)
{
	struct item item;

	if (!expanded(c, &item))
		return;
	if (item.text.value[0] != '/')
		wrong(c, &item, U_PATH, "write an absolute path");
	else
		*(struct text *)field = item.text;
}

bool conv_image(struct conv *c, const struct item *item, struct text *text)
{
	struct fail f = {0};
	char name[STORE_REF_MAX + 8];

	if (ends_with(text->value, ".build")) {
		conv_error(c, item, U_IMAGE, "build the image elsewhere and name it here",
			   "\"%s\": .build units are not supported", text->value);
		return false;
	}
	/* docker://REF is the same as REF; other transports name things outside of the store. */
	if (strncmp(text->value, "docker://", 9) == 0) {
		*text = (struct text){text->value + 9, text->value};
	} else if (strstr(text->value, ":/") ||
		   strncmp(text->value, "containers-storage:", 19) == 0) {
		conv_error(c, item, U_IMAGE,
			   "import the archive with orlop image import, then name it here",
			   "\"%s\" is no image reference", text->value);
		return false;
	}
	if (!ends_with(text->value, ".image") && store_ref_name(text->value, name, &f) < 0) {
		conv_error(c, item, U_IMAGE, "write REGISTRY/NAME:TAG",
			   "\"%s\" is no image reference: %s", text->value, f.text);
		return false;
	}
	return true;
}

void parse_image(struct conv *c, void *field)
{
	struct item item;
	struct text text;

	if (!expanded(c, &item))
		return;
	text = item.text;
	if (conv_image(c, &item, &text))
		*(struct text *)field = text;
}

/* One name or number of a user or group, `len` long. */
static bool account_valid(const char *s, size_t len)
{
	char number[16];
	int64_t id;

	if (len == 0 || len > 256)
		return false;
	if (s[0] >= '0' && s[0] <= '9') {
		snprintf(number, sizeof(number), "%.*s", (int)len, s);
		return len < sizeof(number) && !value_int(number, 0, 4294967294, &id);
	}
	for (size_t i = 0; i < len; i++) {
		char ch = s[i];
		bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';

		if (!letter &&
		    (i == 0 || !((ch >= '0' && ch <= '9') || ch == '-' || ch == '.' || ch == '$')))
			return false;
	}
	return true;
}

void parse_user(struct conv *c, void *field)
{
	struct item item;
	const char *colon;

	if (!expanded(c, &item))
		return;
	colon = strcmp(c->key->name, "User") == 0 ? strchr(item.text.value, ':') : NULL;
	if (!account_valid(item.text.value,
			   colon ? (size_t)(colon - item.text.value) : strlen(item.text.value)) ||
	    (colon && !account_valid(colon + 1, strlen(colon + 1)))) {
		wrong(c, &item, U_USER,
		      "write a number from 0 to 4294967294 or a name, and a group behind a ':' if need be");
		return;
	}
	*(struct text *)field = item.text;
}

/* keep-id[:uid=U,gid=G]: every option a number. */
static bool keep_id_valid(const char *s)
{
	while (*s) {
		size_t len = strcspn(s, ",");

		if ((strncmp(s, "uid=", 4) != 0 && strncmp(s, "gid=", 4) != 0) ||
		    !account_valid(s + 4, len > 4 ? len - 4 : 0) || s[4] < '0' || s[4] > '9')
			return false;
		s += len + (s[len] == ',');
	}
	return true;
}

void parse_userns(struct conv *c, void *field)
{
	struct item item;
	const char *value, *options;
	int64_t size;
	size_t len;

	if (!expanded(c, &item))
		return;
	value = item.text.value;
	len = strcspn(value, ":");
	options = value[len] ? value + len + 1 : "";
	if (strncmp(value, "ns:", 3) == 0) {
		conv_error(c, &item, U_USER, "use auto (the default) or host",
			   "UserNS=%s is not supported", value);
		return;
	}
	if (strncmp(value, "keep-id", len) == 0 && len == 7 && keep_id_valid(options)) {
		*(struct text *)field = item.text;
		return;
	}
	if (strncmp(value, "auto", len) == 0 && len == 4 &&
	    (!*options ||
	     (strncmp(options, "size=", 5) == 0 && !value_int(options + 5, 1, 65536, &size)))) {
		*(struct text *)field = item.text;
		return;
	}
	/* nomap: no id of whoever runs the containers is in it; that is root here, whom no range has */
	if (strcmp(value, "host") == 0 || strcmp(value, "private") == 0 ||
	    strcmp(value, "nomap") == 0) {
		*(struct text *)field = item.text;
		return;
	}
	wrong(c, &item, U_USER,
	      "write auto, nomap, host, or keep-id:uid=1000,gid=1000; a range has at most 65536 ids");
}

void parse_cpu_quota(struct conv *c, void *field)
{
	struct item item;
	char number[24];
	int64_t value;
	size_t len;

	if (!plain(c, &item))
		return;
	len = strlen(item.text.value);
	snprintf(number, sizeof(number), "%.*s", len ? (int)len - 1 : 0, item.text.value);
	if (len < 2 || len > sizeof(number) - 1 || item.text.value[len - 1] != '%' ||
	    value_int(number, 1, 1000000, &value))
		wrong(c, &item, U_NUMBER, "write a percentage such as 50%; 200% is two CPUs");
	else
		set_number(field, value);
}

/* "0-3,6", also with blanks between. */
static bool cpus_valid(const char *s)
{
	bool any = false;

	for (s += strspn(s, ", "); *s; s += strspn(s, ", ")) {
		size_t len = strcspn(s, ", ");
		int64_t first, last;
		char range[16], *dash;

		if (len >= sizeof(range))
			return false;
		snprintf(range, sizeof(range), "%.*s", (int)len, s);
		dash = strchr(range, '-');
		if (dash)
			*dash = '\0';
		if (value_int(range, 0, 8191, &first))
			return false;
		if (dash && (value_int(dash + 1, 0, 8191, &last) || last < first))
			return false;
		any = true;
		s += len;
	}
	return any;
}

void parse_cpus(struct conv *c, void *field)
{
	struct item item;

	if (!plain(c, &item))
		return;
	if (!cpus_valid(item.text.value))
		wrong(c, &item, U_NUMBER, "write CPU numbers and ranges such as 0-3,6");
	else
		*(struct text *)field = item.text;
}
