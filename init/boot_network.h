/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of the units in force, made by `orlop-net up`: at boot, at a reload, and when a network or a unit comes or
 * goes. One run at a time, each with a spec of the whole, so that an earlier wish never comes after a later one; all who
 * wait hear of its end together (the supervisor, exec.h, boot_jobs.h, transient.h).
 */
#pragma once

#include <stdbool.h>

/* Brings the network to what the units in force say now; once more after the run that is under way. */
void boot_network_again(void);

/* The same, if what they say is not what it was last brought to; transient_network() hears of the end. gone: a unit
 * whose addresses are given up, or NULL. false: there is nothing to do. */
bool boot_network_follow(const char *gone);

/* Gives up a unit's addresses the next time that the network is brought up. */
void boot_network_forget(const char *gone);
