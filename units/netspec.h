/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network spec: all that `orlop-net up` must know, made by PID 1 from the loaded units
 * (netspec_from_units, units/unit.h) and handed over in a sealed memfd. The struct owns its strings.
 */
#pragma once

#include <stdbool.h>

#include "units/record.h"

/* The network that a container without Network= is in. */
#define NETSPEC_DEFAULT_NAME   "orlop"
#define NETSPEC_DEFAULT_BRIDGE "orlop0"
#define NETSPEC_DEFAULT_SUBNET "10.88.0.0/16"

struct netspec_network {
	char *name;   /* NetworkName=, or NETSPEC_DEFAULT_NAME */
	char *bridge; /* device name, at most 15 characters */
	char *subnet; /* "10.89.0.0/24"; "" = choose a free one (10.89.N.0/24) and keep it in the leases */
	char *gateway;  /* "" = first address of the subnet */
	char *internal; /* "yes" or "" : no route out */
};

struct netspec_member {
	char *unit;    /* "web.container" */
	char *network; /* name of its network; a unit in two networks has two members */
	char *names;   /* comma list that resolves to it: container name, host name, aliases */
	char *address; /* fixed IPv4, or "" = by lease */
	char *mac;     /* or "" */
};

struct net_spec {
	struct netspec_network *networks;
	size_t n_networks;
	struct netspec_member *members;
	size_t n_members;
};

void netspec_encode(const struct net_spec *spec, struct buf *b);
int netspec_decode(struct net_spec *spec, const char *data, size_t len, struct fail *f);
void netspec_done(struct net_spec *spec);
