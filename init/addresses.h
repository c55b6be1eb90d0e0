/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that orlop-net has given to units, for showing them. Read from the lease file when the network is up; a unit has
 * the same one for ever.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "units/unit.h"

/* Reads the lease file again. */
void addresses_load(void);

/* Whether a unit ("web.container") has an address in any network, now or from earlier. */
bool addresses_any(const char *unit);

/* Copies the first address that a container or a pod has, its own or its owner's in whose network it lives, in one of the
 * networks that its files say; or "". u may be NULL, or of another kind. */
void addresses_of(const struct unit *u, char *ret, size_t size);

/* The IPv4 address by which others reach this host: that of the default route, or "". Asks the kernel for the route;
 * sends nothing. */
void addresses_host(char *ret, size_t size);
