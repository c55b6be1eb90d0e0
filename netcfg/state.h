/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies on disk between the programs: the resolved network spec (PATH_NETSPEC), and for each attached
 * unit what it has on the host (PATH_PORTS/<unit>): its devices and published ports. The record is
 * written before the kernel is told and removed after the kernel has let go, so it never says less than
 * there is; a packet filter that somebody flushed is filled again from the records.
 *
 * One lock orders them: an attach or detach holds it shared, `orlop-net up` alone.
 */
#pragma once

#include "base/fail.h"
#include "netcfg/nft.h"
#include "units/netspec.h"

struct state_device {
	char *device; /* the host's end */
	char *inside; /* name inside: "eth0" */
	char *network;
	char *bridge;
	char *mac;
	char *address;  /* comma list, or "" */
	char *address6; /* comma list, or "" */
};

struct state_port {
	char *protocol;
	char *address;   /* host address or "" */
	char *host;      /* port */
	char *container; /* port */
	char *random;    /* "yes": we chose the host port */
	char *to;        /* container's IPv4 address or "" */
	char *to6;       /* container's IPv6 address or "" */
};

struct unit_state {
	char *unit;
	struct state_device *devices;
	size_t n_devices;
	struct state_port *ports;
	size_t n_ports;
};

void unit_state_encode(const struct unit_state *s, struct buf *b);
int unit_state_decode(struct unit_state *s, const char *data, size_t len, struct fail *f);
void unit_state_done(struct unit_state *s);

/* Appends the elements of the packet filter that belong to s. The tag of a port's element is the port's
 * index. A record that does not parse is skipped: list->bad tells only of memory. */
void unit_state_elements(const struct unit_state *s, struct nft_elems *list);

/* Reads PATH_NETSPEC. -ENOENT: `orlop-net up` has not run. */
int state_load_spec(struct net_spec *spec, struct fail *f);

/* The same of PATH_NETWANT, which the last `up` was asked for; it changes unless the lock is held. */
int state_load_want(struct net_spec *spec, struct fail *f);

/* Reads, writes, removes the record of one unit. Load and remove: -ENOENT and 0 if there is none. */
int state_load_unit(const char *unit, struct unit_state *s, struct fail *f);
int state_save_unit(const struct unit_state *s, struct fail *f);
int state_remove_unit(const char *unit, struct fail *f);

/* Calls each for every record; one that cannot be read is skipped. Stops at a negative value. */
int state_each_unit(int (*each)(const struct unit_state *s, void *arg), void *arg, struct fail *f);

/* Takes the lock (LOCK_SH or LOCK_EX of flock(2)) and waits for it: its holders take milliseconds. Returns
 * an fd that holds it until it is closed. */
int state_lock(int how, struct fail *f);
