/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name server on each network's gateway, for programs that send DNS packets themselves instead of reading
 * /etc/hosts: Debian's dnsmasq, one for each network, so that names resolve within a network and only there.
 * It is fed with the network's hosts file and asks the host's name servers, or those of the network's DNS=;
 * one of an internal network asks nobody.
 *
 * Who is in several networks asks one of their gateways and is to hear the names of all of them and of no other:
 * each set of networks that somebody is in has a server of its own, at the same gateways on another port. The packet
 * filter leads the questions of such a unit there (maps names4 and names6 of base.nft), by its address, which it
 * cannot forge. On that port itself nobody is let in.
 *
 * `orlop-net dns` keeps them running. It and they have no privileges at all: port 53 is open to everybody on
 * the host (ip_unprivileged_port_start), and what they read is public.
 */
#pragma once

#include "units/netspec.h"

/* Sets with a server of their own, half a megabyte each: a host has a handful. Who is in a further one hears the names
 * of its first network. */
#define DNS_SETS_MAX 128
#define DNS_SET_SIZE 16u /* networks of one unit: PORT_LINKS_MAX */
#define DNS_PORT_FIRST \
	64000u /* above the ephemeral ports; where in the range follows from the networks' names */
#define DNS_PORTS 1000u

struct dns_set {
	const struct netspec_network *networks[DNS_SET_SIZE]; /* borrowed, in the spec's order */
	size_t n;
	char file
		[20]; /* its hosts file: '+' and a hash, which no network's or unit's name begins with */
	unsigned port;
};

struct dns_sets {
	struct dns_set items[DNS_SETS_MAX];
	size_t n;
};

/* The sets that members of spec are in. Pure, as all of the following but dns_run. */
void dns_sets_find(const struct net_spec *spec, struct dns_sets *ret);

/* The set that a unit is in; NULL if it has names of one network only. */
const struct dns_set *dns_set_of(const struct dns_sets *sets, const struct net_spec *spec,
				 const char *unit);

/* Every gateway of DNS_SET_SIZE networks that have all subnets they may have, and 250 words more: servers. */
#define DNS_ARGS_MAX 512

struct dns_job {
	const char *argv[DNS_ARGS_MAX + 1]; /* into text, which is owned */
	char *text;
};

/* Whether the network has a name server of ours. */
bool dns_serves(const struct netspec_network *net);

/* The server's command line, all of it. 0, -ENOMEM, or -E2BIG: more than DNS_ARGS_MAX words. Free with dns_job_done. */
int dns_job(const struct netspec_network *net, struct dns_job *ret);
/* The same of a set's. */
int dns_set_job(const struct dns_set *set, struct dns_job *ret);
void dns_job_done(struct dns_job *job);

/* Keeps a server running for each network that PATH_NETSPEC has; until SIGTERM. */
int dns_run(void (*tell)(const struct fail *f), struct fail *f);
