/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdio.h>
#include <string.h>

#include "netcfg/names.h"
#include "netcfg/resolve.h"

/* Appends " name" for each name of a comma list that can stand in a hosts file. */
static size_t add_names(struct buf *b, const char *list)
{
	char name[256];
	size_t added = 0;

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n < sizeof(name)) {
			memcpy(name, list, n);
			name[n] = '\0';
			if (name_host_valid(name)) {
				buf_fmt(b, " %s", name);
				added++;
			}
		}
		list += n + (list[n] == ',');
	}
	return added;
}

/* A line for each address. */
static void add_lines(struct buf *b, const char *addresses, const char *names)
{
	char address[IP_TEXT_MAX];

	addresses = resolve_str(addresses);
	while (resolve_next(&addresses, address, sizeof(address))) {
		size_t before = b->len;

		if (!*address)
			continue;
		buf_str(b, address);
		if (!add_names(b, names) && !b->bad) {
			b->len = before;
			b->data[before] = '\0';
		} else {
			buf_chr(b, '\n');
		}
	}
}

static void add_localhost(struct buf *b)
{
	buf_str(b, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
}

/* unit: whom it is for; NULL = all members. With DisableDNS= only the unit's own names. */
static void add_network(const struct net_spec *spec, const struct netspec_network *net,
			const char *unit, struct buf *b)
{
	static const char host[] = "host.containers.internal,host.docker.internal";

	add_lines(b, net->gateway, host);
	add_lines(b, net->gateway6, host);
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (strcmp(resolve_str(m->network), net->name) != 0 || *resolve_str(m->problem))
			continue;
		if (resolve_yes(net->disable_dns) &&
		    (!unit || strcmp(resolve_str(m->unit), unit) != 0))
			continue;
		add_lines(b, m->address, resolve_str(m->names));
		add_lines(b, m->address6, resolve_str(m->names));
	}
}

void resolve_hosts(const struct net_spec *spec, const struct netspec_network *const *networks,
		   size_t n, struct buf *b)
{
	add_localhost(b);
	for (size_t i = 0; i < n; i++)
		add_network(spec, networks[i], NULL, b);
}

bool resolve_unit_hosts(const struct net_spec *spec, const char *unit, struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (strcmp(resolve_str(m->unit), unit) != 0 || *resolve_str(m->problem))
			continue;
		n += resolve_yes(resolve_network(spec, m->network)->disable_dns) ? 2 : 1;
	}
	if (n < 2)
		return false;
	add_localhost(b);
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (!strcmp(resolve_str(m->unit), unit) && !*resolve_str(m->problem))
			add_network(spec, resolve_network(spec, m->network), unit, b);
	}
	return true;
}
