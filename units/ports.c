/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* Host ports that two units publish. */
#include <stdlib.h>
#include <string.h>

#include "units/codes.h"
#include "units/loader.h"

struct claim {
	struct unit *unit;
	const struct unit_port *port;
};

struct claims {
	struct claim *items;
	size_t n;
};

/* By protocol and port; then "all addresses" first, then by address; then what a boot starts first: so
 * whatever meets another claim meets the one before it or the first of its port. */
static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->port->protocol, y->port->protocol);

	if (order)
		return order;
	if (x->port->host != y->port->host)
		return x->port->host < y->port->host ? -1 : 1;
	order = strcmp(x->port->ip ? x->port->ip : "", y->port->ip ? y->port->ip : "");
	if (order)
		return order;
	if (x->unit->boot != y->unit->boot)
		return x->unit->boot ? -1 : 1;
	if (x->unit->index != y->unit->index)
		return x->unit->index < y->unit->index ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

static bool same_port(const struct claim *a, const struct claim *b)
{
	return a->port->host == b->port->host && strcmp(a->port->protocol, b->port->protocol) == 0;
}

/* An address meets itself and "all"; "::" is all of IPv6. */
static bool meet(const struct claim *a, const struct claim *b)
{
	const char *x = a->port->ip, *y = b->port->ip;

	if (!x || !y || strcmp(x, y) == 0)
		return true;
	return (strcmp(x, "::") == 0 && strchr(y, ':')) || (strcmp(y, "::") == 0 && strchr(x, ':'));
}

static void add_claims(struct loader *l, struct claims *claims, struct unit *u,
		       const struct unit_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct claim *slot = ports[i].host ? ARENA_PUSH(l->work, claims->items, claims->n)
						   : NULL;

		if (slot)
			*slot = (struct claim){u, &ports[i]};
	}
}

/* The later unit in the order of names is told, and refused if both run for sure. */
static void report(struct loader *l, const struct claim *a, const struct claim *b)
{
	/* Two units that are not both started at boot may be alternatives. */
	bool surely = a->unit == b->unit || (a->unit->boot && b->unit->boot);

	if (a->unit->index > b->unit->index) {
		const struct claim *later = a;

		a = b;
		b = later;
	}
	resolve_report(l, b->unit, surely ? DIAG_ERROR : DIAG_WARNING, b->port->at, 1, U_SAME_PORT,
		       NULL, "port %u/%s of the host is published by %s too (%s:%u)", b->port->host,
		       b->port->protocol, a->unit == b->unit ? "this unit" : a->unit->name,
		       a->port->at.file, a->port->at.line);
}

/* What was seen of one port. */
struct seen {
	const struct claim *first, *v6, *all6; /* the first claim; of IPv6; of "::" */
};

static void note(struct seen *seen, const struct claim *c)
{
	if (!seen->first)
		seen->first = c;
	if (!seen->v6 && c->port->ip && strchr(c->port->ip, ':'))
		seen->v6 = c;
	if (!seen->all6 && c->port->ip && strcmp(c->port->ip, "::") == 0)
		seen->all6 = c;
}

void check_ports(struct loader *l)
{
	struct claims claims = {0};
	struct seen seen = {0};

	for (size_t i = 0; i < l->set->n; i++) {
		struct unit *u = l->set->units[i];

		if (u->state != UNIT_OK)
			continue;
		if (u->container)
			add_claims(l, &claims, u, u->container->ports, u->container->n_ports);
		if (u->pod)
			add_claims(l, &claims, u, u->pod->ports, u->pod->n_ports);
	}
	if (claims.n)
		qsort(claims.items, claims.n, sizeof(*claims.items), compare);
	for (size_t i = 0; i < claims.n; i++) {
		const struct claim *c = &claims.items[i];
		const struct claim *others[] = {i ? c - 1 : NULL, seen.first, seen.v6, seen.all6};

		if (i == 0 || !same_port(c - 1, c)) {
			seen = (struct seen){0};
			note(&seen, c);
			continue;
		}
		for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++)
			if (others[k] && meet(others[k], c)) {
				report(l, others[k], c);
				break;
			}
		note(&seen, c);
	}
}
