/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's watchdog (/dev/watchdog): if PID 1 stops going round its loop, the machine reboots.
 *
 * It is fed by the loop itself, behind a full pass (callbacks, reaping, supervisor, actions) that a timer caused, and
 * nowhere else: not from a signal handler, not while something blocks. It stays armed during shutdown.
 */
#pragma once

/* seconds: until the machine reboots; 0 = no watchdog is opened. */
void watchdog_open(unsigned seconds);

/* Behind every pass: feeds if it is time to. */
void watchdog_pass(void);

/* For a halt, which is meant to stand still. */
void watchdog_disarm(void);
