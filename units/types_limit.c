/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Parsers of resource limits and of exit statuses. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
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

/* Kept in the order of writing, as two paths may lead to one disk, for which the later line counts. */
static void set_io_limit(struct conv *c, struct pair_list *list, const char *path, int64_t limit)
{
	const char *value = limit < 0 ? "max" : arena_fmt(c->arena, "%lld", (long long)limit);
	struct pair *slot;
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, path) != 0)
			list->items[kept++] = list->items[i];
	list->n = kept;
	if (kept >= LIMIT_UNIT_DISKS) {
		conv_report_key(c, DIAG_ERROR, U_LIMIT, NULL,
				"more than %u disks in %s=", LIMIT_UNIT_DISKS, c->entry->key);
		return;
	}
	slot = ARENA_PUSH(c->arena, list->items, list->n);
	if (slot)
		*slot = (struct pair){path, value, NULL};
}

void parse_io_limits(struct conv *c, void *field)
{
	const char *path, *why;
	struct items items;
	int64_t limit;

	if (!conv_words(c, CONV_SPECIFIERS, &items) || !items.n)
		return;
	if (items.n != 2) {
		conv_error(c, &items.items[items.n > 2 ? 2 : 0], U_LIMIT_VALUE,
			   "write PATH LIMIT, for example /dev/vda 10M",
			   "%s= takes a path and a limit, not \"%s\"", c->entry->key,
			   c->entry->value);
		return;
	}
	path = items.items[0].text.value;
	why = value_systemd_rate(items.items[1].text.value, &limit);
	if (path[0] != '/')
		conv_error(c, &items.items[0], U_PATH, "write an absolute path",
			   "\"%s\" is wrong for %s=", path, c->entry->key);
	else if (c->unit->kind == UNIT_SERVICE && strncmp(path, "/dev/", 5) != 0)
		/* PID 1 limits its services itself, and asks no disk about a path */
		conv_error(
			c, &items.items[0], U_PATH,
			"write the disk, for example /dev/vda: in a .service PATH lies below /dev",
			"\"%s\" is wrong for %s=", path, c->entry->key);
	else if (why)
		conv_error(c, &items.items[1], U_LIMIT_VALUE, why,
			   "\"%s\" is wrong for %s=", items.items[1].text.value, c->entry->key);
	else
		set_io_limit(c, field, path, limit);
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
