/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end: signals that ask for it, and the last steps, once the supervisor has brought the units down.
 *
 * Each step has its own deadline and none needs a fork to succeed, so the machine goes down whatever hangs:
 * orlop-log writes what it has (2 s); everything is killed; /var is synced and unmounted by a child (10 s),
 * made read-only if something still holds it; reboot(2).
 */
#pragma once

/* Ctrl-Alt-Del and signals: what they ask for, with who asked on the console. */
void poweroff_signal(int sig);
void poweroff_button(void);

/* The end of a PID 1 that cannot go on: says why, syncs for at most ten seconds, reboots. Needs neither loop nor state. */
void poweroff_emergency(const char *why) __attribute__((noreturn));

/* Leaves at once, without waiting for anything. */
void poweroff_now(int how) __attribute__((noreturn));
