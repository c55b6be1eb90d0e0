/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of devices and MACs, made from the names of units and networks: the same on every machine and at
 * every start. Pure.
 *
 * A device name has 15 characters at most, so it is two letters for the kind, up to five characters
 * of the name for people, and seven base-32 digits of a hash for uniqueness ("olweb-h3k7wzq"). "ol" is a
 * container's end on the host: the packet filter knows them by it. "ob" is a bridge.
 */
#pragma once

#include <stdbool.h>

#include "netcfg/ip.h"

#define NAME_DEVICE_MAX 16

/* Writes KIND, the start of `name`, and the hash of name and salt ("" = none). */
void name_device(const char *kind, const char *name, const char *salt, char ret[NAME_DEVICE_MAX]);

/* Whether the kernel takes s as a device's name, and it cannot be mistaken for anything else in a path. */
bool name_device_valid(const char *s);

/* Whether s can stand in a hosts file: letters, digits, '.', '_', '-'; at most 253 characters. */
bool name_host_valid(const char *s);

/* The MAC of a bridge. A bridge without one of its own changes it with its ports. */
struct mac name_bridge_mac(const char *bridge);
