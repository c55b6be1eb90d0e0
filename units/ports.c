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

static int compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcmp(x->port->protocol, y->port->protocol);

	if (order)
		return order;
	if (x->port->host != y->port->host)
		return x->port->host < y->port->host ? -1 : 1;
	if (x->unit->index != y->unit->index)
		return x->unit->index < y->unit->index ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

/* An address meets itself and "all". */
static bool meet(const struct unit_port *a, const struct unit_port *b)
{
	return !a->ip || !b->ip || strcmp(a->ip, b->ip) == 0;
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

void check_ports(struct loader *l)
{
	struct claims claims = {0};

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
	for (size_t i = 1; i < claims.n; i++) {
		const struct claim *a = &claims.items[i - 1], *b = &claims.items[i];
		/* Two units that are not both started at boot may be alternatives. */
		bool surely = a->unit == b->unit || (a->unit->boot && b->unit->boot);

		if (a->port->host != b->port->host ||
		    strcmp(a->port->protocol, b->port->protocol) != 0 || !meet(a->port, b->port))
			continue;
		resolve_report(l, b->unit, surely ? DIAG_ERROR : DIAG_WARNING, b->port->at, 1,
			       U_SAME_PORT, NULL,
			       "port %u/%s of the host is published by %s too (%s:%u)",
			       b->port->host, b->port->protocol,
			       a->unit == b->unit ? "this unit" : a->unit->name, a->port->at.file,
			       a->port->at.line);
	}
}
