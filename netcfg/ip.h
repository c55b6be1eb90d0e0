/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses and prefixes of both families as plain values: text in, text out, and the little
 * arithmetic that handing out addresses needs. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IP_TEXT_MAX 56 /* INET6_ADDRSTRLEN + "/128" */

struct ip {
	uint8_t family; /* 4, 6, or 0 = none */
	uint8_t b[16];  /* network order; 4 bytes in use for family 4, the rest is zero */
};

struct ip_prefix {
	struct ip ip; /* host bits as written */
	uint8_t len;
};

struct mac {
	uint8_t b[6];
};

/* All readers: true and *ret set, or false and *ret untouched. Nothing but the address may stand in s. */
bool ip_parse(const char *s, struct ip *ret);
bool ip_prefix_parse(const char *s,
		     struct ip_prefix *ret);    /* "10.0.0.0/8": the length must stand there */
bool mac_parse(const char *s, struct mac *ret); /* aa:bb:cc:dd:ee:ff, unicast only */

/* Writers; ret is returned, "" for family 0. */
const char *ip_text(const struct ip *ip, char ret[IP_TEXT_MAX]);
const char *ip_prefix_text(const struct ip_prefix *p, char ret[IP_TEXT_MAX]);
const char *mac_text(const struct mac *m, char ret[18]);

unsigned ip_bytes(const struct ip *ip); /* 4, 16, or 0 */
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_in_prefix(const struct ip *ip, const struct ip_prefix *p);
bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b);

/* The prefix with its host bits cleared. */
struct ip_prefix ip_prefix_base(const struct ip_prefix *p);

/* How many addresses a prefix has, at most 2^32. */
uint64_t ip_prefix_size(const struct ip_prefix *p);

/* The address `offset` (< 2^32) after the prefix' first, and the inverse: ip must lie in p. An offset
 * past 2^32 - 1 (a far IPv6 address) is UINT64_MAX. */
struct ip ip_prefix_at(const struct ip_prefix *p, uint64_t offset);
uint64_t ip_prefix_offset(const struct ip_prefix *p, const struct ip *ip);

/* fe80::/10 and 169.254.0.0/16: nobody gave it out. */
bool ip_is_link_local(const struct ip *ip);

/* FNV-1a over a string with its NUL, going on from `seed` (0 = begin): the same on every machine, for
 * ever, since addresses and names of devices are made from it. */
uint64_t ip_hash(uint64_t seed, const char *s);

/* The MAC that belongs to an address: 02:6f and its last four bytes. */
struct mac mac_for_ip(const struct ip *ip);

/* The link-local IPv6 address that the kernel makes from a MAC (EUI-64). */
struct ip ip_link_local(const struct mac *m);
