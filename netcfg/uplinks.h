/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `orlop-net uplinks`: looks after the host's network cards while it runs. Cards that come, go, or are set up or
 * down by somebody are answered with `orlop-net reload`, which brings the host back to what host.conf says;
 * dhcpcd runs as long as a device wants an address by DHCP, and never otherwise, so that a host with static
 * addresses sends no DHCP packet.
 */
#pragma once

#include "base/fail.h"

int uplinks_run(void (*tell)(const struct fail *f), struct fail *f);
