/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of resource limits and of exit statuses. */
#include <stdio.h>
#include <string.h>

#include "units/codes.h"
#include "units/conv.h"
#include "units/value.h"

#define ULIMIT_NAMES \
	"core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"

/* A number; INT64_MAX for none at all. */
static bool limit_number(const char *s, size_t len, int64_t *ret)
{
	char number[24];

	snprintf(number, sizeof(number), "%.*s", (int)len, s);
	if (len >= sizeof(number))
		return false;
	if (strcmp(number, "unlimited") == 0 || strcmp(number, "infinity") == 0) {
		*ret = INT64_MAX;
		return true;
	}
	if (value_int(number, -1, INT64_MAX, ret))
		return false;
	if (*ret < 0)
		*ret = INT64_MAX;
	return true;
}

/* SOFT[:HARD]; the kernel takes no soft limit above the hard one. */
static bool limit_pair(const char *s)
{
	size_t len = strcspn(s, ":");
	int64_t soft, hard;

	return limit_number(s, len, &soft) &&
	       (!s[len] || (limit_number(s + len + 1, strlen(s + len + 1), &hard) && soft <= hard));
}

void parse_ulimits(struct conv *c, void *field)
{
	const char *equals, *name;
	struct item item;

	if (!conv_value(c, CONV_ALL, false, &item))
		return;
	if (strcmp(item.text.value, "host") == 0) {
		conv_set_pair(c, field, "host", "", NULL);
		return;
	}
	equals = strchr(item.text.value, '=');
	name = arena_strndup(c->arena, item.text.value,
			     equals ? (size_t)(equals - item.text.value) : 0);
	if (!equals || !limit_pair(equals + 1))
		conv_error(c, &item, U_LIMIT_VALUE,
			   "write NAME=SOFT:HARD, for example nofile=1024:4096",
			   "\"%s\" is wrong for Ulimit=", item.text.value);
	else if (value_choice(name, ULIMIT_NAMES) < 0)
		conv_report(c, DIAG_ERROR, &item, item.text.value, strlen(name), U_LIMIT_VALUE,
			    "there are: " ULIMIT_NAMES, "there is no limit \"%s\"", name);
	else
		conv_set_pair(c, field, name, equals + 1, NULL);
}

void parse_rlimit(struct conv *c, void *field)
{
	struct item item;

	if (!conv_value(c, 0, true, &item))
		return;
	if (!limit_pair(item.text.value))
		conv_error(c, &item, U_LIMIT_VALUE,
			   "write SOFT:HARD, for example 1024:4096, or infinity",
			   "\"%s\" is wrong for %s=", item.text.value, c->entry->key);
	else
		conv_set_pair(c, field, c->key->arg, item.text.value, NULL);
}

void parse_exits(struct conv *c, void *field)
{
	struct policy_exits set = {0};
	struct items items;

	if (!conv_words(c, CONV_SPECIFIERS, &items))
		return;
	for (size_t i = 0; i < items.n; i++) {
		const char *why = value_exit_status(items.items[i].text.value, &set);

		if (why)
			conv_error(c, &items.items[i], U_EXIT_STATUS, why,
				   "\"%s\" is wrong for %s=", items.items[i].text.value,
				   c->entry->key);
		else
			conv_add_text(c, field, items.items[i].text);
	}
}
