/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* What a container's keys about networks mean together. */
#include <string.h>

#include "units/codes.h"
#include "units/finish.h"

/* The program is on the host's own addresses: its port is opened to the outside, and cannot be another one there. */
static void check_host_ports(struct compile *x, const struct unit_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].ip || (ports[i].host && ports[i].host != ports[i].container))
			WARNING(CONTAINER, "PublishPort", U_NO_EFFECT, NULL,
				"with Network=host, port %u itself is opened, on all addresses",
				ports[i].container);
}

void finish_networks(struct compile *x, struct unit_container *c)
{
	struct conv *conv = compile_conv(x);
	bool alone = c->n_networks == 1 && !join_is_bridge(&c->networks[0]);

	for (size_t i = 0; i < c->n_networks && c->n_networks > 1; i++)
		if (!join_is_bridge(&c->networks[i]))
			ERROR(CONTAINER, "Network", U_CONFLICT, NULL,
			      "Network=%s cannot be one of several networks",
			      c->networks[i].name.value);
	if (c->pod.value) {
		static const char *const pods[] = {"Network", "PublishPort",  "IP",
						   "IP6",     "NetworkAlias", "HostName"};

		for (size_t i = 0; i < sizeof(pods) / sizeof(*pods); i++)
			if (compile_entry(x, SECTION_CONTAINER, pods[i]))
				ERROR(CONTAINER, pods[i], U_CONFLICT, "write it in the .pod file",
				      "%s= belongs to the pod, which all its members share",
				      pods[i]);
		return;
	}
	if (in_network(c, "host"))
		check_host_ports(x, c->ports, c->n_ports);
	else if (c->n_ports && alone)
		WARNING(CONTAINER, "PublishPort", U_NO_EFFECT, NULL,
			"PublishPort= has no effect with Network=%s", c->networks[0].name.value);
	if ((c->ip.value || c->ip6.value) && (alone || c->n_networks > 1))
		ERROR(CONTAINER, c->ip.value ? "IP" : "IP6", U_CONFLICT,
		      alone ? NULL : "write Network=x.network:ip=...",
		      "a fixed address needs one network of its own");
	for (size_t i = 0; i < c->sysctl.n && in_network(c, "host"); i++)
		if (strncmp(c->sysctl.items[i].name, "net.", 4) == 0)
			ERROR(CONTAINER, "Sysctl", U_CONFLICT, NULL,
			      "sysctl \"%s\" would be the host's with Network=host",
			      c->sysctl.items[i].name);
	if (c->n_networks == 0) {
		struct unit_join *join = ARENA_PUSH(conv->arena, c->networks, c->n_networks);

		if (join)
			join->name.value = NETSPEC_DEFAULT_NAME;
	}
	if (c->n_networks == 1) {
		if (c->ip.value)
			c->networks[0].ip = c->ip.value;
		if (c->ip6.value)
			c->networks[0].ip6 = c->ip6.value;
	}
}
