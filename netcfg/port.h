/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's end of the network: the one face of this folder that runtime/ may use.
 *
 * port_attach() fills an empty network namespace from what `orlop-net up` has left on disk (PATH_NETSPEC:
 * every network and member with its address, read here and never written): lo up, and for each bridge
 * network a veth pair whose one end is born in the namespace as eth0, eth1, ... with address and
 * default route, and whose other end is a port of the bridge; then the anti-spoofing entry and the published
 * ports, all of them in one nftables transaction. Nothing is forked and no program is run.
 *
 * It is all or nothing: when a step fails, what was made before it is taken away again, and the fail
 * says which step it was, with the kernel's own explanation where it gave one. What belongs to a unit is
 * written to PATH_PORTS/<unit> before the kernel is told, so that a unit whose attach was cut short
 * (killed, power) leaves nothing that the next attach or detach cannot find.
 *
 * Names of devices: port_device() - a function of unit and network only. The address, the MAC made
 * from it, and the device names are therefore the same at every start of a unit.
 */
#pragma once

#include <stddef.h>

#include "base/fail.h"
#include "units/spec.h"

#define PORT_DEVICE_MAX 16 /* IFNAMSIZ: 15 characters and a NUL */

/* Prepares the network namespace `netns` for `unit` and publishes its ports. What an earlier attach of
 * the same unit left (devices, ports) is replaced. netns stays the caller's; it may be owned by the unit's
 * user namespace, and the caller needs CAP_NET_ADMIN and CAP_SYS_ADMIN over both. The calling thread
 * is in its own network namespace again afterwards; if that fails the process must end (-ENOTRECOVERABLE).
 *
 * networks: entries named "none" bring up lo only; "host" is refused (-EINVAL): there is nothing to
 * attach. ports are published to the first network that is not internal; host "" picks a free port
 * from 61000-65535, the same one every time if it can.
 *
 * -ENOENT: `orlop-net up` does not know this unit in that network. -EADDRINUSE: a port is taken; the
 * text names the unit that has it. Otherwise a negative errno of the step that failed. */
int port_attach(const char *unit, const struct spec_network *networks, size_t n_networks,
		const struct spec_port *ports, size_t n_ports, int netns, struct fail *f);

/* Takes away all that port_attach() made for the unit outside its namespace: ports, anti-spoofing
 * entries, devices (both ends of a pair die together). Nothing there: 0. Goes on after an error, and
 * returns the first one. */
int port_detach(const char *unit, struct fail *f);

/* The host end of the unit's link to a network: at most 15 characters, beginning with "ol". */
void port_device(const char *unit, const char *network, char ret_name[PORT_DEVICE_MAX]);
