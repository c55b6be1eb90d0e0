/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: which unit has which address, for ever.
 *
 * The address of a new unit is the hash of its name within the pool, and from there the next free one, so
 * that it hardly ever depends on what else there is; once given, it stays, because the lease file is
 * read first. A unit that is gone keeps its lease until somebody needs the address and no other is
 * left: leases stand in the order of their last use, and the oldest goes first. The file is bounded
 * (LEASE_MAX); what does not fit is the oldest too.
 *
 * The file is text, one record a line; a line that cannot be read is left out and told, never fatal:
 * a machine must come up with a damaged lease file.
 *
 *     network NAME SUBNET SUBNET6     what was chosen for a network that names none ("-" = none)
 *     lease NETWORK UNIT IPV4 IPV6    several where the network has several subnets
 *
 * Pure; loading and saving is the caller's.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"
#include "netcfg/ip.h"

#define LEASE_MAX         16384u     /* records kept: 16 times what one host is meant to run */
#define LEASE_FILE_MAX    (8u << 20) /* bytes read: LEASE_MAX lines of the longest names */
#define LEASE_WORD_MAX    255u       /* longest name taken from the file */
#define LEASE_PROBLEM_MAX 160

struct lease {
	char *network; /* owned */
	char *unit;    /* owned; NULL = a record of the network's subnets */
	struct ip ip4, ip6;
	struct ip_prefix net4, net6; /* of a network's record */
};

struct lease_file {
	struct lease *items; /* owned, most recently used first */
	size_t n;
	size_t bad; /* lines that could not be read */
};

/* Reads text. -ENOMEM, or 0. */
int lease_parse(const char *text, size_t len, struct lease_file *ret, struct fail *f);
void lease_format(const struct lease_file *file, struct buf *b);
void lease_done(struct lease_file *file);

/* Gives up what a unit has. */
void lease_forget(struct lease_file *file, const char *unit);

/* Appends a copy of what *item says. 0 or -ENOMEM. */
int lease_add(struct lease_file *file, const struct lease *item);

/* Addresses to give out: offsets first..last of the subnet, without the reserved ones. */
struct lease_pool {
	struct ip_prefix subnet;
	struct ip gateway; /* family 0 = none */
	uint64_t first, last;
};

/* The pool of a subnet: `range` is "", a prefix within the subnet, or "FIRST-LAST"; gateway family 0
 * becomes the subnet's first address. The network's own address and IPv4's broadcast are left out. */
int lease_pool_init(struct lease_pool *pool, const struct ip_prefix *subnet,
		    const struct ip *gateway, const char *range, struct fail *f);

struct lease_want {
	const char *unit; /* borrowed */
	struct ip fixed;  /* family 0 = any */
	struct ip got;    /* out; family 0: see problem */
	char problem[LEASE_PROBLEM_MAX];
};

struct lease_held {
	const char *unit; /* borrowed */
	struct ip ip;
};

/* Gives every want an address or a problem. `held` are the network's leases of this family, most
 * recently used first. The result does not depend on the order of wants. 0 or -ENOMEM. */
int lease_assign(const struct lease_pool *pool, struct lease_want *wants, size_t n,
		 const struct lease_held *held, size_t n_held);
