/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single values: text to number. Every parser returns NULL when it has set *ret, or the reason why it
 * has not, as a static sentence that completes "`x` is wrong: ...". Nothing is guessed: what is not
 * wholly understood is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "units/policy.h"

/* Quadlet's own keys: 1 yes true on, 0 no false off, any case. */
const char *value_bool(const char *s, bool *ret);

/* systemd's: y t n f too. */
const char *value_bool_systemd(const char *s, bool *ret);

/* Decimal, min to max. */
const char *value_int(const char *s, int64_t min, int64_t max, int64_t *ret);

/* systemd time span in microseconds: "5min 20s", "1h30m", "2.5s", "90" (seconds), "infinity". */
const char *value_timespan(const char *s, uint64_t *ret);

/* Go duration in microseconds: "30s", "1m30s", "1.5h", "0". */
const char *value_go_duration(const char *s, uint64_t *ret);

/* Podman size in bytes: 128mb, 1g, 4096; b k m g t, with optional b or ib, base 1024. */
const char *value_podman_size(const char *s, int64_t *ret);

/* systemd size in bytes: 1G, 1.5M, base 1024; "infinity" gives -1; "10%" of `total` (0: refused). */
const char *value_systemd_size(const char *s, int64_t total, int64_t *ret);

/* systemd's bytes or operations a second: 10M, 1.5K, base 1000; "infinity" gives -1. Never 0. */
const char *value_systemd_rate(const char *s, int64_t *ret);

/* "TERM", "SIGTERM", "15", "RTMIN+3": 1 to 64. */
const char *value_signal(const char *s, int *ret);
const char *value_signal_name(int signal); /* "SIGTERM"; NULL if it has none */

/* Adds an exit status to the set: 0-255, a name such as TEMPFAIL, or a signal. */
const char *value_exit_status(const char *s, struct policy_exits *set);

const char *value_ipv4(const char *s);
const char *value_ipv6(const char *s);
const char *value_ip(const char *s);                 /* either */
const char *value_cidr(const char *s, bool *ret_v6); /* address/prefix; *ret_v6 may be NULL */
const char *value_mac(const char *s);

/* Octal mode, at most 07777. */
const char *value_mode(const char *s, int64_t *ret);

/* The index of s in a blank-separated list of words ("none kill restart"), or -1. */
int value_choice(const char *s, const char *choices);
