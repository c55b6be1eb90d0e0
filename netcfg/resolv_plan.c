/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/paths.h"
#include "netcfg/dns.h"
#include "netcfg/resolv.h"
#include "netcfg/resolve.h"

/* Appends " word" to list if it does not have it. */
static void add_once(struct buf *list, const char *word, size_t len)
{
	for (const char *at = list->data; at && (at = strstr(at, " ")); at++)
		if (!strncmp(at + 1, word, len) && (at[1 + len] == ' ' || !at[1 + len]))
			return;
	buf_fmt(list, " %.*s", (int)len, word);
}

static void add_words(struct buf *list, const char *from, const char *end)
{
	while (from < end) {
		size_t n;

		from += strspn(from, " \t");
		n = strcspn(from, " \t\n");
		if (from + n > end || !n)
			return;
		add_once(list, from, n);
		from += n;
	}
}

static bool begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(line, word, n) && (line[n] == ' ' || line[n] == '\t');
}

static void collect(const char *parts, struct buf *search, struct buf *servers)
{
	for (const char *line = parts; *line;) {
		const char *end = line + strcspn(line, "\n");

		if (begins(line, "search"))
			add_words(search, line + strlen("search"), end);
		else if (begins(line, "nameserver"))
			add_words(servers, line + strlen("nameserver"), end);
		line = end + (*end == '\n');
	}
}

static void put_search(const struct buf *search, struct buf *b)
{
	if (search->len)
		buf_fmt(b, "search%s\n", search->data);
	b->bad |= search->bad;
}

void resolv_merge(const char *parts, struct buf *b)
{
	_buf_ struct buf search = {0}, servers = {0};

	collect(parts, &search, &servers);
	put_search(&search, b);
	for (const char *at = servers.data; at && *at;) {
		size_t n = strcspn(at + 1, " ");

		buf_fmt(b, "nameserver %.*s\n", (int)n, at + 1);
		at += 1 + n;
	}
	b->bad |= servers.bad;
}

/* Its own server, or the host's. */
static void network_text(const struct netspec_network *net, const char *parts, struct buf *b)
{
	_buf_ struct buf search = {0}, servers = {0};
	char text[IP_TEXT_MAX];
	struct ip gateway;

	if (!dns_serves(net)) {
		resolv_merge(parts, b);
		return;
	}
	collect(parts, &search, &servers);
	put_search(&search, b);
	if (resolve_first(net->gateway, &gateway) || resolve_first(net->gateway6, &gateway))
		buf_fmt(b, "nameserver %s\n", ip_text(&gateway, text));
}

/* The network whose server a unit of several is sent to: the first that has one. */
static const struct netspec_network *first_server(const struct net_spec *spec, const char *unit,
						  size_t *ret_n)
{
	const struct netspec_network *found = NULL, *any = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];
		const struct netspec_network *net = resolve_network(spec, resolve_str(m->network));

		if (strcmp(resolve_str(m->unit), unit) != 0 || *resolve_str(m->problem) || !net)
			continue;
		++*ret_n;
		any = any ? any : net;
		if (!found && dns_serves(net))
			found = net;
	}
	return found ? found : any;
}

static void add(struct net_state *want, const char *name, struct buf *b)
{
	char path[sizeof(PATH_RESOLVS) + 256];

	snprintf(path, sizeof(path), PATH_RESOLVS "/%s", name);
	net_add_file(want, path, b->data ? b->data : "", b->len);
	want->bad |= b->bad;
	buf_reset(b);
}

void resolv_plan(const struct net_spec *spec, const char *parts, struct net_state *want)
{
	_buf_ struct buf b = {0};

	resolv_merge(parts, &b);
	net_add_file(want, PATH_RESOLV, b.data ? b.data : "", b.len);
	want->bad |= b.bad;
	buf_reset(&b);
	for (size_t i = 0; i < spec->n_networks; i++)
		if (!*resolve_str(spec->networks[i].problem)) {
			network_text(&spec->networks[i], parts, &b);
			add(want, spec->networks[i].name, &b);
		}
	for (size_t i = 0; i < spec->n_members; i++) {
		const char *unit = resolve_str(spec->members[i].unit);
		const struct netspec_network *net;
		size_t n;

		for (n = 0; n < i && strcmp(resolve_str(spec->members[n].unit), unit) != 0; n++)
			;
		if (n < i || *resolve_str(spec->members[i].problem))
			continue; /* had its turn */
		net = first_server(spec, unit, &n);
		if (net && n > 1) {
			network_text(net, parts, &b);
			add(want, unit, &b);
		}
	}
}
