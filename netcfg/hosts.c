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

static void add_line(struct buf *b, const char *address, const char *names)
{
	size_t before = b->len;

	if (!address || !*address)
		return;
	buf_str(b, address);
	if (!add_names(b, names) && !b->bad) {
		b->len = before;
		b->data[before] = '\0';
	} else {
		buf_chr(b, '\n');
	}
}

void resolve_hosts(const struct net_spec *spec, const struct netspec_network *net, struct buf *b)
{
	static const char host[] = "host.containers.internal,host.docker.internal";

	buf_str(b, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	add_line(b, net->gateway, host);
	add_line(b, net->gateway6, host);
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (strcmp(resolve_str(m->network), net->name) != 0 || *resolve_str(m->problem))
			continue;
		add_line(b, m->address, resolve_str(m->names));
		add_line(b, m->address6, resolve_str(m->names));
	}
}
