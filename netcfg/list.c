/* SPDX-License-Identifier: Apache-2.0 */
#include "netcfg/list.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/wire.h"
#include "netcfg/resolve.h"
#include "netcfg/state.h"

#define CLIENT_FD 3

/* One line: to stdout, or as a frame in one write, so that frames of several helpers never mix. */
static int put(const struct list_out *out, const struct buf *line)
{
	int fd = out->form == LIST_FRAMES ? CLIENT_FD : STDOUT_FILENO;
	_buf_ struct buf b = {0};
	size_t at = 0;

	if (line->bad)
		return -ENOMEM;
	if (out->form == LIST_FRAMES) {
		frame_add(&b, (uint32_t)out->frame_id, line->data, line->len);
	} else {
		buf_add(&b, line->data, line->len);
		buf_chr(&b, '\n');
	}
	while (at < b.len) {
		ssize_t n = write(fd, b.data + at, b.len - at);
		struct pollfd p = {.fd = fd, .events = POLLOUT};

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n < 0)
			poll(&p, 1, -1);
		else
			at += (size_t)n;
	}
	return b.bad ? -ENOMEM : 0;
}

int list_exit(const struct list_out *out, int code, const char *error)
{
	_buf_ struct buf b = {0};

	if (out->form != LIST_FRAMES)
		return 0;
	frame_end_line(&b, code, error);
	return put(out, &b);
}

int list_lines(const struct list_out *out, const char *key, const char *text, struct fail *f)
{
	int r = 0;

	for (const char *end; r == 0 && (end = strchr(text, '\n')); text = end + 1) {
		_buf_ struct buf line = {0}, b = {0};
		struct json_out j;

		buf_add(&line, text, (size_t)(end - text));
		json_init(&j, &b);
		json_object(&j, NULL);
		json_str(&j, key, line.data ? line.data : "");
		json_end(&j);
		r = put(out, out->form == LIST_TEXT ? &line : &b);
	}
	return r < 0 ? fail_set(f, -r, "writing") : 0;
}

static void field(struct json_out *j, const char *key, const char *value)
{
	if (value && *value)
		json_str(j, key, value);
	else
		json_null(j, key);
}

/* The first of a comma list. */
static void first_field(struct json_out *j, const char *key, const char *list)
{
	char text[2 * IP_TEXT_MAX];

	list = resolve_str(list);
	(void)resolve_next(&list, text, sizeof(text));
	field(j, key, text);
}

/* --- networks ------------------------------------------------------------------------------------- */

/* Units that have links now: a comma list of "unit" words, each ending in a NUL. */
static int note_unit(const struct unit_state *s, void *arg)
{
	buf_add(arg, s->unit, strlen(s->unit) + 1);
	return 0;
}

static bool attached(const struct buf *units, const char *unit)
{
	for (size_t at = 0; at < units->len; at += strlen(units->data + at) + 1)
		if (!strcmp(units->data + at, unit))
			return true;
	return false;
}

static void subnets_json(struct json_out *j, const char *subnets, const char *gateways,
			 const char *ranges)
{
	char text[2 * IP_TEXT_MAX];

	subnets = resolve_str(subnets);
	gateways = resolve_str(gateways);
	ranges = resolve_str(ranges);
	while (resolve_next(&subnets, text, sizeof(text))) {
		json_object(j, NULL);
		json_str(j, "subnet", text);
		(void)resolve_next(&gateways, text, sizeof(text));
		field(j, "gateway", text);
		(void)resolve_next(&ranges, text, sizeof(text));
		field(j, "range", text);
		json_end(j);
	}
}

static void addresses_json(struct json_out *j, const char *addresses)
{
	char text[IP_TEXT_MAX];

	addresses = resolve_str(addresses);
	while (resolve_next(&addresses, text, sizeof(text)))
		json_str(j, NULL, text);
}

static void network_json(const struct net_spec *spec, const struct netspec_network *n,
			 const struct buf *units, struct buf *b)
{
	struct json_out j;

	json_init(&j, b);
	json_object(&j, NULL);
	json_str(&j, "network", n->name);
	json_str(&j, "driver", *resolve_str(n->driver) ? n->driver : "bridge");
	field(&j, "device", n->bridge);
	first_field(&j, "subnet", n->subnet);
	first_field(&j, "gateway", n->gateway);
	first_field(&j, "subnet6", n->subnet6);
	first_field(&j, "gateway6", n->gateway6);
	json_array(&j, "subnets");
	subnets_json(&j, n->subnet, n->gateway, n->range);
	subnets_json(&j, n->subnet6, n->gateway6, n->range6);
	json_end(&j);
	field(&j, "vlan", n->vlan);
	json_bool(&j, "internal", resolve_yes(n->internal));
	json_bool(&j, "isolate", strcmp(resolve_str(n->isolate), "no") != 0);
	field(&j, "problem", n->problem);
	json_array(&j, "members");
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (strcmp(m->network, n->name) != 0)
			continue;
		json_object(&j, NULL);
		json_str(&j, "unit", m->unit);
		first_field(&j, "address", m->address);
		first_field(&j, "address6", m->address6);
		json_array(&j, "addresses");
		addresses_json(&j, m->address);
		addresses_json(&j, m->address6);
		json_end(&j);
		field(&j, "mac", m->mac);
		field(&j, "names", m->names);
		json_bool(&j, "attached", attached(units, m->unit));
		field(&j, "problem", m->problem);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

static void network_text(const struct net_spec *spec, const struct netspec_network *n,
			 const struct buf *units, struct buf *b)
{
	buf_fmt(b, "%-20s %-15s %-18s %s%s%s", n->name, n->bridge, n->subnet, n->subnet6,
		resolve_yes(n->internal) ? " internal" : "", *n->problem ? " problem: " : "");
	buf_str(b, n->problem);
	for (size_t i = 0; i < spec->n_members; i++) {
		const struct netspec_member *m = &spec->members[i];

		if (strcmp(m->network, n->name) != 0)
			continue;
		buf_fmt(b, "\n  %-34s %-18s %s%s%s", m->unit, m->address, m->address6,
			attached(units, m->unit) ? "" : " (down)", *m->problem ? " problem: " : "");
		buf_str(b, m->problem);
	}
}

int list_networks(const struct list_out *out, const char *only, struct fail *f)
{
	struct net_spec spec = {0};
	_buf_ struct buf units = {0};
	bool seen = false;
	int r = state_load_spec(&spec, f);

	if (r == 0)
		r = state_each_unit(note_unit, &units, f);
	if (r == 0 && units.bad)
		r = fail_set(f, ENOMEM, "networks");
	for (size_t i = 0; i < spec.n_networks && r == 0; i++) {
		const struct netspec_network *n = &spec.networks[i];
		_buf_ struct buf b = {0};

		if (only && strcmp(only, n->name) != 0)
			continue;
		seen = true;
		(out->form == LIST_TEXT ? network_text : network_json)(&spec, n, &units, &b);
		r = put(out, &b);
		if (r < 0)
			fail_set(f, -r, "writing");
	}
	netspec_done(&spec);
	if (r == 0 && only && !seen)
		r = fail_set(f, ENOENT, "network \"%s\"", only);
	return r;
}

/* --- ports ---------------------------------------------------------------------------------------- */

struct port_walk {
	const struct list_out *out;
	int r;
};

static int each_port(const struct unit_state *s, void *arg)
{
	struct port_walk *w = arg;

	for (size_t i = 0; i < s->n_ports && w->r == 0; i++) {
		const struct state_port *p = &s->ports[i];
		_buf_ struct buf b = {0};
		struct json_out j;

		if (w->out->form == LIST_TEXT) {
			buf_fmt(&b, "%-34s %-4s %s%s%s:%-6s -> %s", s->unit, p->protocol,
				strchr(p->address, ':') ? "[" : "", *p->address ? p->address : "*",
				strchr(p->address, ':') ? "]" : "", p->host, p->container);
		} else {
			json_init(&j, &b);
			json_object(&j, NULL);
			json_str(&j, "unit", s->unit);
			json_str(&j, "protocol", p->protocol);
			field(&j, "host_address", p->address);
			json_int(&j, "host_port", atoi(p->host));
			json_int(&j, "container_port", atoi(p->container));
			field(&j, "container_address", p->to);
			field(&j, "container_address6", p->to6);
			json_bool(&j, "random", resolve_yes(p->random));
			json_end(&j);
		}
		w->r = put(w->out, &b);
	}
	return w->r;
}

int list_ports(const struct list_out *out, struct fail *f)
{
	struct port_walk w = {out, 0};
	int r = state_each_unit(each_port, &w, f);

	return w.r < 0 ? fail_set(f, -w.r, "writing") : r;
}
