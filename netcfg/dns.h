/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name server on each network's gateway, for programs that send DNS packets themselves instead of reading
 * /etc/hosts: Debian's dnsmasq, one for each network, so that names resolve within a network and only there.
 * It is fed with the network's hosts file and asks the host's name servers, or those of the network's DNS=;
 * one of an internal network asks nobody.
 *
 * `orlop-net dns` keeps them running. It and they have no privileges at all: port 53 is open to everybody on
 * the host (ip_unprivileged_port_start), and what they read is public.
 */
#pragma once

#include "units/netspec.h"

#define DNS_ARGS_MAX 48 /* every gateway of a network, and as many servers */

struct dns_job {
	const char *argv[DNS_ARGS_MAX + 1]; /* into text, which is owned */
	char *text;
};

/* Whether the network has a name server of ours. Pure, as dns_job is. */
bool dns_serves(const struct netspec_network *net);

/* The server's command line. 0, or -1 when memory ran out. Free with dns_job_done. */
int dns_job(const struct netspec_network *net, struct dns_job *ret);
void dns_job_done(struct dns_job *job);

/* Keeps a server running for each network that PATH_NETSPEC has; until SIGTERM. */
int dns_run(void (*tell)(const struct fail *f), struct fail *f);
