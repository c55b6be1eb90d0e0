/* SPDX-License-Identifier: Apache-2.0 */
/* pure */
/* What a container's and a pod's keys about networks mean together. */
#include <string.h>

#include "units/codes.h"
#include "units/finish.h"

/* The program is on the host's own addresses: its port is opened to the outside, and cannot be another one there. */
static void check_host_ports(struct compile *x, enum key_section section,
			     const struct unit_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i].ip || (ports[i].host && ports[i].host != ports[i].container))
			compile_report(
				x, DIAG_WARNING, section, "PublishPort", U_NO_EFFECT, NULL,
				"with Network=host, port %u itself is opened, on all addresses",
				ports[i].container);
}

void finish_joins(struct compile *x, enum key_section section, struct unit_join **joins, size_t *n,
		  const struct unit_port *ports, size_t n_ports)
{
	for (size_t i = 0; i<*n && * n> 1; i++)
		if (!join_is_bridge(&(*joins)[i]))
			compile_report(x, DIAG_ERROR, section, "Network", U_CONFLICT, NULL,
				       "Network=%s cannot be one of several networks",
				       (*joins)[i].name.value);
	if (in_network(*joins, *n, "host"))
		check_host_ports(x, section, ports, n_ports);
	else if (n_ports && net_path(*joins, *n))
		compile_report(x, DIAG_ERROR, section, "PublishPort", U_CONFLICT,
			       "lead ports into the namespace where it is made",
			       "PublishPort= with Network=%s, which orlop does not set up",
			       (*joins)[0].name.value);
	else if (n_ports && *n == 1 && !join_is_bridge(*joins))
		compile_report(x, DIAG_WARNING, section, "PublishPort", U_NO_EFFECT, NULL,
			       "PublishPort= has no effect with Network=%s",
			       (*joins)[0].name.value);
	if (*n == 0) {
		struct unit_join *join = ARENA_PUSH(compile_conv(x)->arena, *joins, *n);

		if (join)
			join->name.value = NETSPEC_DEFAULT_NAME;
	}
}

void finish_networks(struct compile *x, struct unit_container *c)
{
	bool host = in_network(c->networks, c->n_networks, "host");
	const char *path = net_path(c->networks, c->n_networks);

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
	finish_joins(x, SECTION_CONTAINER, &c->networks, &c->n_networks, c->ports, c->n_ports);
	if ((c->ip.value || c->ip6.value) && !(c->n_networks == 1 && join_is_bridge(c->networks)))
		ERROR(CONTAINER, c->ip.value ? "IP" : "IP6", U_CONFLICT,
		      c->n_networks == 1 ? NULL : "write Network=x.network:ip=...",
		      "a fixed address needs one network of its own");
	for (size_t i = 0; i < c->sysctl.n && (host || path); i++)
		if (strncmp(c->sysctl.items[i].name, "net.", 4) == 0)
			ERROR(CONTAINER, "Sysctl", U_CONFLICT,
			      path ? "set it where the namespace is made" : NULL,
			      "sysctl \"%s\" would be the %s with Network=%s",
			      c->sysctl.items[i].name, path ? "namespace's" : "host's",
			      c->networks[0].name.value);
	if (c->n_networks == 1) {
		if (c->ip.value)
			c->networks[0].ip = c->ip.value;
		if (c->ip6.value)
			c->networks[0].ip6 = c->ip6.value;
	}
}
