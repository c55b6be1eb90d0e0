/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FNV-1a, for tables and for seeing whether something is as it was; not against somebody who looks for two that have the
 * same. It stays as it is: addresses that are on disks began at the hash of a unit's name (netcfg/lease.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * HASH_PRIME;
	return h;
}

/* One of several: where it ends counts too. */
static inline uint64_t hash_piece(uint64_t h, const void *data, size_t len)
{
	return (hash_bytes(h, data, len) ^ len) * HASH_PRIME;
}
