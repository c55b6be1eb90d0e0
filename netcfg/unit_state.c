/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
#include <stdlib.h>
#include <string.h>

#include "netcfg/resolve.h"
#include "netcfg/state.h"

static const struct record_row rows[] = {
	RECORD_ROW_STR(struct unit_state, "unit", unit),
	RECORD_ROW_TUPLES(struct unit_state, "device", devices, n_devices),
	RECORD_ROW_TUPLES(struct unit_state, "port", ports, n_ports),
	{0},
};

void unit_state_encode(const struct unit_state *s, struct buf *b)
{
	record_encode(rows, s, b);
}

int unit_state_decode(struct unit_state *s, const char *data, size_t len, struct fail *f)
{
	return record_decode(rows, s, data, len, f);
}

void unit_state_done(struct unit_state *s)
{
	record_done(rows, s);
}

/* What a container may say that it is: its addresses, and IPv6's link-local one. */
static void add_own(const struct unit_state *s, const struct state_device *d,
		    struct nft_elems *list)
{
	const char *lists[] = {resolve_str(d->address), resolve_str(d->address6)};
	char text[IP_TEXT_MAX];
	bool v6 = false;
	struct ip ip;
	struct mac mac;

	if (!*resolve_str(d->device) || !mac_parse(resolve_str(d->mac), &mac))
		return;
	for (size_t i = 0; i < 2; i++)
		while (resolve_next(&lists[i], text, sizeof(text))) {
			if (!ip_parse(text, &ip))
				continue;
			nft_add_source(list, d->device, &mac, &ip, s->unit);
			if (ip.family == 6)
				nft_add_target(list, d->device, &mac, &ip, s->unit);
			v6 |= ip.family == 6;
		}
	if (!v6)
		return;
	ip = ip_link_local(&mac);
	nft_add_source(list, d->device, &mac, &ip, s->unit);
	nft_add_target(list, d->device, &mac, &ip, s->unit);
}

static void add_port(const struct unit_state *s, size_t i, const char *to, struct nft_elems *list)
{
	const struct state_port *p = &s->ports[i];
	struct nft_publish pub = {
		.protocol = nft_protocol(p->protocol),
		.host_port = (uint16_t)strtoul(p->host, NULL, 10),
		.to_port = (uint16_t)strtoul(p->container, NULL, 10),
	};
	struct nft_elem *e;

	if (!pub.protocol || !pub.host_port || !pub.to_port || !ip_parse(resolve_str(to), &pub.to))
		return;
	if (*p->address && (!ip_parse(p->address, &pub.host) || pub.host.family != pub.to.family))
		return;
	e = nft_add_publish(list, &pub, s->unit);
	if (e)
		e->tag = (int)i;
}

void unit_state_elements(const struct unit_state *s, struct nft_elems *list)
{
	for (size_t i = 0; i < s->n_devices; i++)
		add_own(s, &s->devices[i], list);
	for (size_t i = 0; i < s->n_ports; i++) {
		add_port(s, i, s->ports[i].to, list);
		add_port(s, i, s->ports[i].to6, list);
	}
}
