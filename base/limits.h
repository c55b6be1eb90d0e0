/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits on what somebody else controls, each with its reason, in one place.
 */
#pragma once

/* Unit files. systemd's own line limit is 1 MiB; real files stay below 10 KiB. */
#define LIMIT_UNIT_FILE (1u << 20)
#define LIMIT_UNIT_LINE (64u << 10) /* one logical line, continuations joined */
#define LIMIT_UNIT_KEYS 4096u
#define LIMIT_UNIT_NAME 200u /* NAME_MAX is 255; room for suffixes such as "-volume.service" */
#define LIMIT_UNITS     65536u

/* A spec: environment and arguments fit into what execve takes (ARG_MAX is 2 MiB by default). */
#define LIMIT_SPEC (2u << 20)

/* Control clients. A request is a handful of words. */
#define LIMIT_FRAME           (64u << 10)
#define LIMIT_CLIENTS         64u
#define LIMIT_CLIENT_IDLE_SEC 5u         /* a client that sends nothing is cut */
#define LIMIT_CLIENT_QUEUE    (1u << 20) /* bytes that wait for a client that does not read */
