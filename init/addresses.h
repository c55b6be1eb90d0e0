/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that orlop-net has given to units, for showing them. Read from the lease file when the network is up; a unit has
 * the same one for ever.
 */
#pragma once

#include <stddef.h>

/* Reads the lease file again. */
void addresses_load(void);

/* Copies the first address of a unit ("web.container"), or "". */
void addresses_of(const char *unit, char *ret, size_t size);

/* The IPv4 address by which others reach this host: that of the default route, or "". Asks the kernel for the route;
 * sends nothing. */
void addresses_host(char *ret, size_t size);
