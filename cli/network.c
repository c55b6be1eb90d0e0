/* SPDX-License-Identifier: Apache-2.0 */
/* orlop network: the networks, one of them with its members, or all of them set up again. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/listing.h"
#include "cli/print.h"
#include "cli/text.h"
#include "cli/verbs.h"

/* Members that are attached, of how many. */
static void cell_members(const json_t *value, struct buf *text)
{
	const json_t *member;
	size_t i, up = 0;

	json_array_foreach(value, i, member)
	{
		up += json_is_true(json_object_get(member, "attached"));
	}
	buf_fmt(text, "%zu of %zu up", up, json_array_size(value));
}

/* Those of one family, of an array of addresses or of objects with a subnet. */
static void add_family(const json_t *array, bool v6, struct buf *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		const json_t *subnet = json_object_get(item, "subnet");
		const char *s = json_string_value(subnet ? subnet : item);

		if (s && !strchr(s, ':') == !v6)
			buf_fmt(text, "%s%s", text->len ? "," : "", s);
	}
}

static void cell_ipv4(const json_t *value, struct buf *text)
{
	add_family(value, false, text);
}

static void cell_ipv6(const json_t *value, struct buf *text)
{
	add_family(value, true, text);
}

static const struct listing_column network_columns[] = {
	{"NETWORK", "network", NULL, NULL},         {"DRIVER", "driver", NULL, NULL},
	{"DEVICE", "device", NULL, NULL},           {"SUBNET", "subnets", cell_ipv4, NULL},
	{"SUBNET6", "subnets", cell_ipv6, NULL},    {"INTERNAL", "internal", NULL, NULL},
	{"MEMBERS", "members", cell_members, NULL}, {"PROBLEM", "problem", NULL, NULL},
};

static const struct listing_column member_columns[] = {
	{"UNIT", "unit", NULL, NULL},
	{"ATTACHED", "attached", NULL, NULL},
	{"ADDRESS", "addresses", cell_ipv4, NULL},
	{"ADDRESS6", "addresses", cell_ipv6, NULL},
	{"MAC", "mac", NULL, NULL},
	{"NAMES", "names", NULL, NULL},
	{"PROBLEM", "problem", NULL, NULL},
};

static int add_field(const char *key, const json_t *value, struct buf *out)
{
	_buf_ struct buf text = {0};

	listing_value(value, &text);
	if (!text.len)
		return 0;
	buf_fmt(out, "  %9s: ", key);
	text_escape(out, text.data, text.len, false);
	buf_chr(out, '\n');
	return text.bad;
}

/* A line for each subnet after the first of its family. */
static int add_subnets(const json_t *network, struct buf *out)
{
	const char *first[] = {json_string_value(json_object_get(network, "subnet")),
			       json_string_value(json_object_get(network, "subnet6"))};
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(network, "subnets"), i, item)
	{
		const char *subnet = json_string_value(json_object_get(item, "subnet"));
		const char *gateway = json_string_value(json_object_get(item, "gateway"));

		if (!subnet || !gateway || (first[0] && !strcmp(subnet, first[0])) ||
		    (first[1] && !strcmp(subnet, first[1])))
			continue;
		buf_fmt(out, "  %9s: ", "subnet");
		text_escape(out, subnet, strlen(subnet), false);
		buf_str(out, ", gateway ");
		text_escape(out, gateway, strlen(gateway), false);
		buf_chr(out, '\n');
	}
	return out->bad;
}

/* One network: what it is, and a table of its members. */
static int print_network(json_t *object, void *data)
{
	const char *name = json_string_value(json_object_get(object, "network")), *key;
	json_t *members = json_object_get(object, "members"), *value;
	_buf_ struct buf out = {0};
	size_t i;

	(void)data;
	text_escape(&out, name ? name : "-", strlen(name ? name : "-"), false);
	buf_chr(&out, '\n');
	json_object_foreach(object, key, value)
	{
		if (!strcmp(key, "subnets") ? add_subnets(object, &out)
		    : strcmp(key, "network") != 0 && strcmp(key, "members") != 0
			    ? add_field(key, value, &out)
			    : 0)
			return 1;
	}
	if (json_array_size(members)) {
		struct listing l;

		listing_begin(&l, member_columns, ARRAY_LEN(member_columns));
		json_array_foreach(members, i, value)
		{
			listing_row(value, &l);
		}
		listing_print(&l, &out);
	}
	if (!out.bad)
		fwrite(out.data, 1, out.len, stdout);
	return out.bad;
}

/* What was done, a line each; or what could not be. */
static int print_change(json_t *object, void *data)
{
	const char *did = json_string_value(json_object_get(object, "did"));
	const char *problem = json_string_value(json_object_get(object, "problem"));
	_buf_ struct buf out = {0};

	(void)data;
	if (!did && !problem)
		return 0;
	text_escape(&out, did ? did : problem, strlen(did ? did : problem), false);
	buf_chr(&out, '\n');
	fwrite(out.data, 1, out.len, did ? stdout : stderr);
	return 0;
}

int cmd_network(int argc, char **argv)
{
	const char *words[] = {"network", NULL, NULL, NULL};
	const char *what;
	struct fail f = {0};
	struct args a;
	bool json;

	if (args_parse(verb_find("network"), argc, argv, &a, &f) < 0)
		return print_usage_error(&f, argv[0]);
	what = words[1] = a.words[0];
	words[2] = a.words[1];
	json = args_has(&a, "json");
	if (!strcmp(what, "ls") && a.n_words == 1)
		return listing_run(&a, words, network_columns, ARRAY_LEN(network_columns));
	if (!strcmp(what, "inspect") && a.n_words == 2)
		return client_run(words, a.verb->timeout_sec, json, print_network, NULL);
	if (!strcmp(what, "reload") && a.n_words == 1)
		return client_run(words, a.verb->timeout_sec, json, print_change, NULL);
	fail_set(&f, 0, "write: orlop network ls, inspect NETWORK, or reload");
	return print_usage_error(&f, argv[0]);
}
